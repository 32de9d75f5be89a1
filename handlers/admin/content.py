"""Loading the content anew at once, with what changed or what is wrong."""

from __future__ import annotations

from bot import access
from bot.conversation.context import Route, Turn
from bot.errors import ContentError
from bot.i18n.catalogue import mark
from bot.text.markup import escape

MOST_NAMED = 10  # files or problems


async def handle(turn: Turn) -> None:
    """Load what changed in the content folder; a broken edit is shown with file and line and changes nothing."""
    t, shelf = turn.t, turn.shelf
    assert shelf is not None  # the service gives it to every turn
    try:
        fresh = await shelf.refresh()
    except ContentError:
        fresh = False  # kept in shelf.error
    count = turn.catalogue.number(len(shelf.knowledge.library.articles))
    if shelf.error is not None:
        problems = shelf.error.problems
        lines = ["⚠ " + t("The content folder has problems; I go on with the last good content ({count} articles).",
                          count=count)]  # fmt: skip
        lines += [f"• {escape(str(problem))}" for problem in problems[:MOST_NAMED]]
        if len(problems) > MOST_NAMED:
            lines.append(t("and {count} more", count=turn.catalogue.number(len(problems) - MOST_NAMED)))
    elif fresh:
        edits = shelf.edits
        lines = [t("Loaded: {count} articles are in use.", count=count)]
        lines += _named(t("New files"), edits.added)
        lines += _named(t("Changed files"), edits.changed)
        lines += _named(t("Removed files"), edits.removed)
        turn.records.audit("reload", edits.summary())
    else:
        lines = [t("Nothing has changed: {count} articles are in use. Edits are loaded by themselves within seconds.",
                   count=count)]  # fmt: skip
    turn.say("\n".join(lines), buttons=[turn.menu_button("menu")])


def _named(head: str, files: tuple[str, ...]) -> list[str]:
    if not files:
        return []
    more = " …" if len(files) > MOST_NAMED else ""
    return [f"{head} ({len(files)}): {escape(', '.join(files[:MOST_NAMED]))}{more}"]


ROUTE = Route(
    "reload",
    handle,
    commands=("/nap", "/reload"),
    action=access.CHANGE_CONTENT,
    help=mark("Load the content anew"),
)
