"""The audit trail, page by page, newest first; by kind of act with buttons, by person or day when that is typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot import access
from bot.access import audit_trail
from bot.access.audit_trail import GROUPS, PERSON, AuditFilter, AuditWords
from bot.access.names import officer_names
from bot.clock import local_day, stamp
from bot.conversation.context import Context, Route
from bot.i18n.catalogue import mark
from bot.message import Button
from bot.text.dates import read_day
from bot.text.markup import escape
from bot.text.normalize import spoken

SHOWN = 12  # lines on one page


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is looked at: lines before one, a kind of act, a person, a day; buttons carry it as `audit:…`."""

    before: int = 0
    group: str = ""
    person: int = 0
    day: str = ""

    def choice(self, before: int = 0) -> str:
        return f"audit:{before}:{self.group}:{self.person or ''}:{self.day}"


async def handle(context: Context) -> None:
    """Show a page; the first also says whether the chain is whole."""
    asked = await _asked(context)
    since, until = _bounds(context, asked.day)
    wanted = AuditFilter(f"{PERSON}{asked.person}" if asked.person else "", asked.group, since, until)
    rows, names = await context.work.read(
        lambda tx: audit_trail.audit_lines(tx, wanted, before=asked.before, limit=SHOWN + 1)
    )
    words = AuditWords(context.catalogue, names, lambda district: _place(context, district))
    lines = ["**" + context.t("Audit") + "**"]
    if asked == _Asked():
        broken = await access.check_audit(context.work.store)
        lines.append(
            context.t("The chain is whole: no line was changed or taken out.")
            if broken is None
            else "⚠ "
            + context.t("The chain is broken at line {number}: a line was changed or taken out.", number=broken)
        )
        lines.append(context.t("To see one person or day only, type it behind the command: /nhatky 24/11"))
    if not rows:
        lines.append(context.t("No lines."))
    for line in map(words.line, rows[:SHOWN]):
        at = context.catalogue.minute(line.at, context.settings.zone)
        lines.append(f"{line.number}. {at} · {escape(line.who)}: {escape(line.what)}")
    context.say("\n".join(lines), buttons=_buttons(context, asked, rows[SHOWN - 1]["id"] if len(rows) > SHOWN else 0))


def _buttons(context: Context, asked: _Asked, older: int) -> list[Button]:
    buttons = [Button(context.t("Older lines"), asked.choice(older))] if older else []
    if asked != _Asked():
        buttons.append(Button(context.t("Newest lines"), "/nhatky"))
    kinds = [(name, title) for name, (title, _) in GROUPS.items() if name != asked.group]
    buttons += [Button(context.t(title), _Asked(0, name, asked.person, asked.day).choice()) for name, title in kinds]
    return [*buttons, context.menu_button("menu")]


async def _asked(context: Context) -> _Asked:
    """Read a button, or what was typed behind the command: a day, or part of an officer's name."""
    if context.choice.startswith("audit:"):
        before, group, number, on = [*context.argument.split(":"), "", "", "", ""][:4]
        return _Asked(_number(before), group if group in GROUPS else "", _number(number), on)
    typed = context.argument
    if not typed:
        return _Asked()
    if (day := read_day(typed, local_day(context.work.at, context.settings.zone))) is not None:
        return _Asked(day=day.isoformat())
    named = (await context.work.read(officer_names)).named
    found = next((one for one, name in named.items() if spoken(typed) in spoken(name)), _number(typed))
    return _Asked(person=found)


def _bounds(context: Context, day: str) -> tuple[str, str]:
    try:
        begins = datetime.combine(date.fromisoformat(day), time(), context.settings.zone)
        return stamp(begins), stamp(begins + timedelta(days=1))
    except (ValueError, OverflowError):
        return "", ""


def _place(context: Context, district: str) -> str:
    known = context.regions.districts.get(district)
    return known.title(context.language) if known else district


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and 0 < len(text) < 19 else 0


ROUTE = Route(
    "audit",
    handle,
    commands=("/nhatky", "/audit"),
    choices=("audit:",),
    action=access.READ_AUDIT,
    help=mark("Audit"),
)
