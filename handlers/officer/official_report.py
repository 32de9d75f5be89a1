"""The official report as a file, for the officer's own district or the whole province."""

from __future__ import annotations

from bot import access
from bot.clock import local_day
from bot.conversation.context import Context, Route
from bot.exports import official_report
from bot.exports.report_figures import last_month, last_week, month_so_far
from bot.i18n.catalogue import mark
from bot.message import Attachment, Button

_PERIODS = {"month": month_so_far, "last-month": last_month, "week": last_week}


async def handle(context: Context) -> None:
    """Offer three periods, then make the report of the one chosen."""
    choose = _PERIODS.get(context.argument) if context.choice.startswith("official:") else None
    if choose is None:
        context.say(
            context.t("For which days shall the official report be? All of them are over, so its figures stay."),
            buttons=[
                Button(context.t("This month until yesterday"), "official:month"),
                Button(context.t("Last month"), "official:last-month"),
                Button(context.t("The last seven days"), "official:week"),
                context.menu_button("menu"),
            ],
        )
        return
    settings = context.settings
    period = choose(local_day(context.work.at, settings.zone))
    scope = context.scope(access.REPORT)
    content = await official_report.make_report(
        context.work.store,
        context.regions,
        period,
        settings.report_form,
        made_at=context.work.at.astimezone(settings.zone),
        small_count=settings.privacy.small_count,
        scope=scope,
    )
    context.work.audit("official report", f"{period.since} {period.until} {' '.join(sorted(scope or ('*',)))}")
    context.say(
        context.t(
            "The official report, {since} to {until}. Open it in Word, fill in the dotted blanks (number, date, "
            "signature) and read it before you sign: it states the self-reported figures and nothing else.",
            since=context.catalogue.day(period.since),
            until=context.catalogue.day(period.until),
        ),
        buttons=[context.menu_button("menu")],
        file=Attachment(official_report.file_name(period), official_report.MEDIA_TYPE, content),
    )


ROUTE = Route(
    "official-report",
    handle,
    commands=("/baocao", "/officialreport"),
    choices=("official:",),
    action=access.REPORT,
    help=mark("Official report (.docx)"),
)
