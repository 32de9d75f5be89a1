"""What the bot does for people: one file, one visible capability; `ROUTES` is the only registry."""

from __future__ import annotations

from bot.turn import Route
from handlers import (
    admin,
    feedback,
    guide,
    language,
    linking,
    officer_broadcast,
    officer_counts,
    officer_desk,
    officer_help,
    officer_inbox,
    officer_papers,
    officer_poster,
    officer_questions,
    officer_report,
    presence,
    privacy,
    question,
    reminders,
    report,
    start,
)

# Free text that no other route wants goes to the last one.
ROUTES: tuple[Route, ...] = (
    start.ROUTE,
    guide.ROUTE,
    report.ROUTE,
    report.CORRECT,
    reminders.ROUTE,
    language.ROUTE,
    privacy.ROUTE,
    officer_help.ROUTE,
    officer_help.ATTENDED,
    feedback.ROUTE,
    officer_counts.PUBLIC,
    officer_counts.ROUTE,
    officer_papers.ROUTE,
    officer_desk.ROUTE,
    officer_broadcast.ROUTE,
    officer_inbox.ROUTE,
    officer_report.ROUTE,
    officer_poster.ROUTE,
    officer_questions.ROUTE,
    linking.ROUTE,
    admin.ROUTE,
    presence.ROUTE,
    question.ROUTE,
)
