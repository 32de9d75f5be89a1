"""What the bot does for people: one file, one visible capability; `ROUTES` is the only registry."""

from __future__ import annotations

from bot.conversation.context import Route
from handlers.admin import admin, audit, content, roles
from handlers.citizen import (
    acts,
    emergency,
    feedback,
    guide,
    language,
    linking,
    own_reminders,
    person,
    presence,
    privacy,
    question,
    rating,
    reminders,
    report,
    start,
)
from handlers.officer import (
    broadcast,
    counts,
    desk,
    exports,
    inbox,
    name,
    official_report,
    poster,
    questions,
    tasks,
)

# Free text that no other route wants goes to the last one.
ROUTES: tuple[Route, ...] = (
    emergency.ROUTE,
    start.ROUTE,
    guide.ROUTE,
    report.ROUTE,
    report.CORRECT,
    reminders.ROUTE,
    own_reminders.ROUTE,
    language.ROUTE,
    privacy.ROUTE,
    person.ROUTE,
    person.HUMAN_TAKEOVER,
    feedback.ROUTE,
    rating.ROUTE,
    counts.PUBLIC,
    counts.ROUTE,
    exports.ROUTE,
    desk.ROUTE,
    broadcast.ROUTE,
    inbox.ROUTE,
    official_report.ROUTE,
    poster.ROUTE,
    questions.ROUTE,
    name.ROUTE,
    tasks.ROUTE,
    linking.ROUTE,
    roles.ROUTE,
    content.ROUTE,
    admin.ROUTE,
    audit.ROUTE,
    presence.ROUTE,
    acts.ROUTE,
    question.ROUTE,
)
