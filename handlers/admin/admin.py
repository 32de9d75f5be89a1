"""The state of the bot for those who run it: channels, budgets, what is wrong."""

from __future__ import annotations

from bot import access
from bot.conversation.context import Route, Turn
from bot.i18n.catalogue import mark
from bot.message import ChannelState


async def handle(turn: Turn) -> None:
    """Show every channel with its figures."""
    states = await turn.channel_states() if turn.channel_states is not None else ()
    blocks = ["**" + turn.t("State of the bot") + "**", *(_describe(turn, state) for state in states)]
    turn.say("\n\n".join(blocks), buttons=[turn.menu_button("menu")])


def _describe(turn: Turn, state: ChannelState) -> str:
    number = turn.catalogue.number
    word = turn.t("on") if state.on else turn.t("off")
    lines = [f"**{turn.t(state.title)}**: {word}"]
    if state.trouble:
        lines.append("⚠ " + state.trouble)
    for figure in state.figures:
        of = f" / {number(figure.limit)}" if figure.limit else ""
        lines.append(f"• {turn.t(figure.label)}: {number(figure.value)}{of}")
    return "\n".join(lines)


ROUTE = Route("admin", handle, commands=("/hethong", "/state"), action=access.SEE_STATE, help=mark("State of the bot"))
