"""The audit trail, page by page, newest first."""

from __future__ import annotations

from bot import access
from bot.clock import moment
from bot.conversation.context import Context, Route
from bot.i18n.catalogue import mark
from bot.message import Button
from bot.text.markup import escape

SHOWN = 12  # lines on one page


async def handle(context: Context) -> None:
    """Show a page; the first also says whether the chain is whole."""
    value = context.argument if context.choice.startswith("audit:") else ""
    before = int(value) if value.isdecimal() and 0 < len(value) < 19 else 0
    found = await context.work.audit_trail(before=before, limit=SHOWN + 1)
    rows = found[:SHOWN]
    lines = ["**" + context.t("Audit") + "**"]
    if not before:
        broken = await access.check_audit(context.work.store)
        lines.append(
            context.t("The chain is whole: no line was changed or taken out.")
            if broken is None
            else "⚠ "
            + context.t("The chain is broken at line {number}: a line was changed or taken out.", number=broken)
        )
    if not rows:
        lines.append(context.t("No lines."))
    lines += [
        f"{row['id']}. {context.catalogue.minute(moment(row['at']), context.settings.zone)} · {escape(row['actor'])} · "
        + escape(f"{row['action']} {row['detail']}".strip())
        for row in rows
    ]
    buttons = [Button(context.t("Older lines"), f"audit:{rows[-1]['id']}")] if len(found) > SHOWN else []
    if before:
        buttons.append(Button(context.t("Newest lines"), "/nhatky"))
    context.say("\n".join(lines), buttons=[*buttons, context.menu_button("menu")])


ROUTE = Route(
    "audit",
    handle,
    commands=("/nhatky", "/audit"),
    choices=("audit:",),
    action=access.READ_AUDIT,
    help=mark("Audit"),
)
