"""The state of the bot for those who run it: channels, budgets, what is wrong."""

from __future__ import annotations

from bot import access
from bot.conversation.context import Context, Route
from bot.i18n.catalogue import mark
from bot.message import ChannelState


async def handle(context: Context) -> None:
    """Show every channel with its figures."""
    states = await context.channel_states() if context.channel_states is not None else ()
    blocks = ["**" + context.t("State of the bot") + "**", *(_describe(context, state) for state in states)]
    context.say("\n\n".join(blocks), buttons=[context.menu_button("menu")])


def _describe(context: Context, state: ChannelState) -> str:
    number = context.catalogue.number
    word = context.t("on") if state.on else context.t("off")
    lines = [f"**{context.t(state.title)}**: {word}"]
    if state.trouble:
        lines.append("⚠ " + state.trouble)
    for figure in state.figures:
        of = f" / {number(figure.limit)}" if figure.limit else ""
        lines.append(f"• {context.t(figure.label)}: {number(figure.value)}{of}")
    return "\n".join(lines)


ROUTE = Route("admin", handle, commands=("/hethong", "/state"), action=access.SEE_STATE, help=mark("State of the bot"))
