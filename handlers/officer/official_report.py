"""The official report as a file, for the officer's own district or the whole province."""

from __future__ import annotations

from bot import access
from bot.clock import local_day
from bot.conversation.context import Context, Route
from bot.exports import official_report
from bot.exports.report_periods import OFFERED, Period, read_period
from bot.i18n.catalogue import mark
from bot.message import Attachment, Button

DAYS = "official.days"


async def handle(context: Context) -> None:
    """Offer periods, then make the report of the one that was chosen or typed."""
    typed = context.dialog.step == DAYS and not context.choice and not context.text.startswith("/")
    asked = context.text if typed else context.argument if context.choice.startswith("official:") else ""
    period = _period(context, asked)
    if period is None:
        _ask(context, unread=typed)
        return
    context.dialog.close()
    settings = context.settings
    scope = context.scope(access.REPORT)
    content = await official_report.make_report(
        context.work.store,
        context.regions,
        context.library,
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
            "signature; difficulties and proposals) and read it before you sign: it states what was counted and "
            "nothing else.",
            since=context.catalogue.day(period.since),
            until=context.catalogue.day(period.until),
        ),
        buttons=[context.menu_button("menu")],
        file=Attachment(official_report.file_name(period), official_report.MEDIA_TYPE, content),
    )


def _period(context: Context, asked: str) -> Period | None:
    today = local_day(context.work.at, context.settings.zone)
    return OFFERED[asked][1](today) if asked in OFFERED else read_period(asked, today)


def _ask(context: Context, *, unread: bool) -> None:
    t = context.t
    context.dialog.ask(DAYS)
    lines = [t("I cannot read this, or these days are not over yet.")] if unread else []
    lines += [
        t("For which days shall the official report be? All of them are over, so its figures stay."),
        t("Choose, or type a month, a quarter, a year or two days, such as {month}, {quarter} or {days}.",
          month="10/2026", quarter=t("quarter III/2026"), days="01/10/2026 – 15/10/2026"),
    ]  # fmt: skip
    offered = [Button(t(label), f"official:{name}") for name, (label, _) in OFFERED.items()]
    context.say("\n".join(lines), buttons=[*offered, context.menu_button("menu")])


ROUTE = Route(
    "official-report",
    handle,
    commands=("/baocao", "/officialreport"),
    choices=("official:",),
    steps=(DAYS,),
    action=access.REPORT,
    help=mark("Official report (.docx)"),
)
