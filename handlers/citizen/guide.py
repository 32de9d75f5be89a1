"""The official manual first, then steps for each kind of telephone."""

from __future__ import annotations

from bot.conversation.context import Context, Route
from bot.i18n.catalogue import mark
from bot.library import render
from bot.message import Button
from bot.reminders.planning import FOLLOW_UP_AFTER


async def handle(context: Context) -> None:
    """Show the manual, or the steps that were chosen."""
    context.work.note_guide()
    context.work.plan_follow_up(context.settings.quiet.end(context.work.at + FOLLOW_UP_AFTER))
    guides = context.library.manual.guides
    chosen = context.argument if context.choice.startswith("guide:") else ""
    if chosen in guides:
        _show_steps(context, chosen)
        return
    manual = context.library.manual
    language = context.language
    text = "\n\n".join(
        (
            "**" + context.t("Official user manual of the Sổ sức khỏe điện tử app (2021)") + "**",
            manual.links["manual"].url,
            manual.fallback.in_language(language),
            context.t("Which telephone do you have? I show the steps one by one."),
        )
    )
    buttons = [Button(guide.title.in_language(language), f"guide:{name}") for name, guide in guides.items()]
    context.say(text, buttons=[*buttons, context.menu_button("report")])


def _show_steps(context: Context, name: str) -> None:
    manual = context.library.manual
    guide = manual.guides[name]
    parts = (
        f"**{guide.title.in_language(context.language)}**\n" + context.t("About the Sổ sức khỏe điện tử app (2021)"),
        render.numbered(guide.steps.in_language(context.language), context.language, context.settings),
        render.link_lines([manual.links[link] for link in guide.links], context.language),
        context.t(
            "Last checked on {day}; the screens may look different today.", day=context.catalogue.day(manual.checked_on)
        ),
    )
    others = [
        Button(other.title.in_language(context.language), f"guide:{key}")
        for key, other in manual.guides.items()
        if key != name
    ]
    context.say(
        "\n\n".join(filter(None, parts)),
        buttons=[context.menu_button("report"), *others, context.menu_button("person")],
    )


ROUTE = Route(
    "guide",
    handle,
    commands=("/huongdan", "/guide", "/manual"),
    choices=("guide:",),
    help=mark("The manual"),
    public=True,
)
