"""Loading the content anew at once, with what changed or what is wrong."""

from __future__ import annotations

from bot import access
from bot.conversation.context import Context, Route
from bot.errors import ContentError
from bot.i18n.catalogue import mark
from bot.text.markup import escape

MOST_NAMED = 10  # files or problems


async def handle(context: Context) -> None:
    """Load what changed in the content folder; a broken edit is shown with file and line and changes nothing."""
    t, content_store = context.t, context.content_store
    assert content_store is not None  # the service gives it to every turn
    try:
        fresh = await content_store.refresh()
    except ContentError:
        fresh = False  # kept in content_store.error
    count = context.catalogue.number(len(content_store.knowledge.library.articles))
    if content_store.error is not None:
        problems = content_store.error.problems
        lines = ["⚠ " + t("The content folder has problems; I go on with the last good content ({count} articles).",
                          count=count)]  # fmt: skip
        lines += [f"• {escape(str(problem))}" for problem in problems[:MOST_NAMED]]
        if len(problems) > MOST_NAMED:
            lines.append(t("and {count} more", count=context.catalogue.number(len(problems) - MOST_NAMED)))
    elif fresh:
        diff = content_store.diff
        lines = [t("Loaded: {count} articles are in use.", count=count)]
        lines += _named(t("New files"), diff.added)
        lines += _named(t("Changed files"), diff.changed)
        lines += _named(t("Removed files"), diff.removed)
        context.work.audit("reload", diff.summary())
    else:
        lines = [t("Nothing has changed: {count} articles are in use. Edits are loaded automatically within seconds.",
                   count=count)]  # fmt: skip
    context.say("\n".join(lines), buttons=[context.menu_button("menu")])


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
