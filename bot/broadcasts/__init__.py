"""Messages of officers to many people: draft, plan, approval, release, pause, stop, progress and report.

People and texts are frozen when a broadcast is planned. Every step is one transaction that moves the broadcast on only
from a state in which that step makes sense and writes the audit with it, so that of two officers who act at once one
is told what the other did. What an officer may do is read from the records in that same transaction.
"""

from __future__ import annotations

from bot.broadcasts.drafts import Drafts
from bot.broadcasts.lifecycle import Running
from bot.broadcasts.models import (
    LEFT_LYING,
    MOVED_ON,
    NO_NAMES,
    NOT_THERE,
    PROOF_HOURS,
    ROLE_LOST,
    Actor,
    Broadcast,
    ChannelPlan,
    Cost,
    Line,
    Plan,
    Preview,
    Progress,
    Proof,
    Report,
)
from bot.broadcasts.retention import Forgetting
from bot.store.audiences import ANY, LONG_AGO, REPORTED, REPORTS, UNREPORTED, Audience

__all__ = [
    "ANY",
    "LEFT_LYING",
    "LONG_AGO",
    "MOVED_ON",
    "NOT_THERE",
    "NO_NAMES",
    "PROOF_HOURS",
    "REPORTED",
    "REPORTS",
    "ROLE_LOST",
    "UNREPORTED",
    "Actor",
    "Audience",
    "Broadcast",
    "Broadcasts",
    "ChannelPlan",
    "Cost",
    "Line",
    "Plan",
    "Preview",
    "Progress",
    "Proof",
    "Report",
]


class Broadcasts(Drafts, Running, Forgetting):
    """All broadcasts; raises Refused with a sentence to translate when something may not or cannot be done."""
