"""The official manual first, then steps for each kind of telephone."""

from __future__ import annotations

from bot.conversation.context import Route, Turn
from bot.i18n.catalogue import mark
from bot.library import render
from bot.message import Button
from bot.reminders.requests import FOLLOW_UP_AFTER


async def handle(turn: Turn) -> None:
    """Show the manual, or the steps that were chosen."""
    turn.records.note_guide()
    turn.records.plan_follow_up(turn.settings.quiet.end(turn.records.at + FOLLOW_UP_AFTER))
    guides = turn.library.manual.guides
    chosen = turn.argument if turn.choice.startswith("guide:") else ""
    if chosen in guides:
        _show_steps(turn, chosen)
        return
    manual = turn.library.manual
    language = turn.language
    text = "\n\n".join(
        (
            "**" + turn.t("Official user manual of the Sổ sức khỏe điện tử app (2021)") + "**",
            manual.links["manual"].url,
            manual.fallback.in_language(language),
            turn.t("Which telephone do you have? I show the steps one by one."),
        )
    )
    buttons = [Button(guide.title.in_language(language), f"guide:{name}") for name, guide in guides.items()]
    turn.say(text, buttons=[*buttons, turn.menu_button("report")])


def _show_steps(turn: Turn, name: str) -> None:
    manual = turn.library.manual
    guide = manual.guides[name]
    parts = (
        f"**{guide.title.in_language(turn.language)}**\n" + turn.t("About the Sổ sức khỏe điện tử app (2021)"),
        render.numbered(guide.steps.in_language(turn.language), turn.language, turn.settings),
        render.link_lines([manual.links[link] for link in guide.links], turn.language),
        turn.t(
            "Last checked on {day}; the screens may look different today.", day=turn.catalogue.day(manual.checked_on)
        ),
    )
    others = [
        Button(other.title.in_language(turn.language), f"guide:{key}")
        for key, other in manual.guides.items()
        if key != name
    ]
    turn.say(
        "\n\n".join(filter(None, parts)), buttons=[turn.menu_button("report"), *others, turn.menu_button("person")]
    )


ROUTE = Route(
    "guide",
    handle,
    commands=("/huongdan", "/guide", "/manual"),
    choices=("guide:",),
    help=mark("The manual"),
    public=True,
)
