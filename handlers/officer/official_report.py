"""The official report as a file, for the officer's own district or the whole province."""

from __future__ import annotations

from bot import access
from bot.clock import local_day
from bot.conversation.context import Route, Turn
from bot.exports import official_report
from bot.exports.report_figures import last_month, last_week, month_so_far
from bot.i18n.catalogue import mark
from bot.message import Attachment, Button

_PERIODS = {"month": month_so_far, "last-month": last_month, "week": last_week}


async def handle(turn: Turn) -> None:
    """Offer three periods, then make the report of the one chosen."""
    choose = _PERIODS.get(turn.argument) if turn.choice.startswith("official:") else None
    if choose is None:
        turn.say(
            turn.t("For which days shall the official report be? All of them are over, so its figures stay."),
            buttons=[
                Button(turn.t("This month until yesterday"), "official:month"),
                Button(turn.t("Last month"), "official:last-month"),
                Button(turn.t("The last seven days"), "official:week"),
                turn.menu_button("menu"),
            ],
        )
        return
    settings = turn.settings
    period = choose(local_day(turn.records.at, settings.zone))
    scope = turn.scope(access.REPORT)
    content = await official_report.make_report(
        turn.records.store,
        turn.regions,
        period,
        settings.report,
        made_at=turn.records.at.astimezone(settings.zone),
        small_count=settings.privacy.small_count,
        scope=scope,
    )
    turn.records.audit("official report", f"{period.since} {period.until} {' '.join(sorted(scope or ('*',)))}")
    turn.say(
        turn.t(
            "The official report, {since} to {until}. Open it in Word, fill in the dotted blanks (number, date, "
            "signature) and read it before you sign: it states the self-reported figures and nothing else.",
            since=turn.catalogue.day(period.since),
            until=turn.catalogue.day(period.until),
        ),
        buttons=[turn.menu_button("menu")],
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
