"""Messages of officers to many people: draft, plan, approval, release, pause, stop, progress and report.

People and texts are frozen when a broadcast is planned. Every step is one transaction that moves the broadcast on only
from a state in which that step makes sense and writes the audit with it, so that of two officers who act at once one
is told what the other did. What an officer may do is read from the records in that same transaction.
"""

from __future__ import annotations

from bot.broadcasts.drafts import Drafts
from bot.broadcasts.lifecycle import Running
from bot.broadcasts.models import (
    ABANDONED,
    MOVED_ON,
    NO_NAMES,
    NOT_THERE,
    ROLE_LOST,
    UPLIFT_HOURS,
    Actor,
    Broadcast,
    BroadcastLine,
    BroadcastPlan,
    BroadcastProgress,
    BroadcastReport,
    ChannelPlan,
    Cost,
    Preview,
    Uplift,
)
from bot.broadcasts.retention import Retention
from bot.store.audiences import ANY, LONG_AGO, REPORTED, REPORTS, UNREPORTED, Audience

__all__ = [
    "ABANDONED",
    "ANY",
    "LONG_AGO",
    "MOVED_ON",
    "NOT_THERE",
    "NO_NAMES",
    "REPORTED",
    "REPORTS",
    "ROLE_LOST",
    "UNREPORTED",
    "UPLIFT_HOURS",
    "Actor",
    "Audience",
    "Broadcast",
    "BroadcastLine",
    "BroadcastPlan",
    "BroadcastProgress",
    "BroadcastReport",
    "Broadcasts",
    "ChannelPlan",
    "Cost",
    "Preview",
    "Uplift",
]


class Broadcasts(Drafts, Running, Retention):
    """All broadcasts; raises NotAllowed with a sentence to translate when something may not or cannot be done."""
