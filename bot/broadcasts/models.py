"""Broadcasts as they stand in the records: whom, what, how many, how far, and what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta

import orjson

from bot.broadcasts.published import PublishedSize
from bot.clock import moment
from bot.i18n.catalogue import mark
from bot.message import Reply
from bot.statistics import newcombe
from bot.statistics.counts import rounded_part
from bot.statistics.newcombe import Difference
from bot.store import Row
from bot.store.audiences import Audience, load_audience
from bot.store.broadcasts import DRAFT, PLANNED

UPLIFT_HOURS = 72
ROLE_LOST, ABANDONED = "role-lost", "left-lying"
HELD_BACK = "held-back"
MORE, FEWER, UNDECIDED = "more", "fewer", "undecided"
_VERSION_LENGTH = 10
PERSON = "person "

NOT_THERE = mark("This broadcast does not exist, or it lies outside the area that you are responsible for.")
NO_NAMES = mark("This was so long ago that the list of people is deleted; only the figures are kept.")
MOVED_ON = mark("This is not possible any more: somebody else was faster, or the broadcast has gone on meanwhile.")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with a number, or the command line, which may do everything."""

    person_id: int = 0

    @property
    def name(self) -> str:
        """How the audit and the records name them."""
        return f"{PERSON}{self.person_id}" if self.person_id else "command line"


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """How many people get a message on a channel, and how many of these messages cost money."""

    channel: str
    people: int
    paid: int = 0


@dataclass(frozen=True, slots=True)
class BroadcastPlan:
    """Who is reached on which channel, and who is left out for which reason (`bot.store.audiences`).

    `published` is what officers may know of it. `size` decides on the approval: exact if whoever planned it may see
    exact figures, else it follows from the published ones. A plan that is `coarse` holds published figures only.
    """

    channels: tuple[ChannelPlan, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    published: PublishedSize | None = None
    size: int = 0
    coarse: bool = False

    @property
    def people(self) -> int:
        """How many messages are planned; of a coarse plan, rounded down, and 0 if that is too few to show."""
        if self.coarse:
            return self.published.people if self.published else 0
        return sum(channel.people for channel in self.channels)

    @property
    def is_made(self) -> bool:
        """Whether people were counted at all."""
        return self.published is not None or bool(self.channels)

    def as_published(self, step: int) -> BroadcastPlan:
        """Return what may be shown to whoever sees no exact figures."""
        found = self.published
        if found is None:  # of before there were published figures
            people = rounded_part(self.people, step)
            found = PublishedSize(people, people + 2 * step) if self.is_made else None
        if found is None:
            return BroadcastPlan(coarse=True)
        channels = tuple(ChannelPlan(name, people) for name, people in sorted(found.channels.items()))
        return BroadcastPlan(channels, found.left_out, found, self.size, coarse=True)

    def dump(self) -> str:
        """Write it down."""
        return orjson.dumps(
            {
                "channels": {one.channel: [one.people, one.paid] for one in self.channels},
                "left_out": dict(self.left_out),
                "published": asdict(self.published) if self.published else None,
                "size": self.size,
            }
        ).decode()


def load_plan(text: str) -> BroadcastPlan:
    """Read what `dump` wrote, now or before there were published figures."""
    kept = orjson.loads(text)
    channels = tuple(ChannelPlan(name, *figures) for name, figures in kept.get("channels", {}).items())
    published = PublishedSize(**kept["published"]) if kept.get("published") else None
    size = kept.get("size", sum(one.people for one in channels))
    return BroadcastPlan(channels, kept.get("left_out", {}), published, size)


@dataclass(frozen=True, slots=True)
class Trial:
    """How a broadcast tells whether it works: so many per cent get nothing, and reports are counted for some hours.

    Who gets nothing follows from the seed (`bot.store.trials`).
    """

    percent: int
    hours: int
    seed: str = field(repr=False)

    def dump(self) -> str:
        """Write it down."""
        return orjson.dumps(asdict(self)).decode()


@dataclass(frozen=True, slots=True)
class TrialSides:
    """Who had not reported when a broadcast began, told and held back, and how many of them did within the hours."""

    told: int = 0
    told_reported: int = 0
    held: int = 0
    held_reported: int = 0

    @property
    def difference(self) -> Difference:
        """How much larger the share is of those who were told."""
        return newcombe.difference(self.told_reported, self.told, self.held_reported, self.held)

    @property
    def verdict(self) -> str:
        """What may be concluded: MORE, FEWER or UNDECIDED."""
        found = self.difference
        return MORE if found.low > 0 else FEWER if found.high < 0 else UNDECIDED


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What is known of a trial by somebody: before its time nothing, then the verdict; `sides` are exact figures."""

    opens_at: datetime
    hours: int
    verdict: str = ""
    sides: TrialSides | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Messages that are billed, and what they may cost in đồng; an estimate."""

    messages: int = 0
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One broadcast as it stands. `state` is one of those in `bot.store.broadcasts`, `reason` says why it stopped."""

    number: int
    made_by: str
    audience: Audience
    texts: Mapping[str, str] = field(repr=False)
    ready: str
    confirmed: bool
    state: str
    reason: str
    plan: BroadcastPlan
    approved_by: str
    starts_at: datetime | None
    weekly_until: date | None
    made_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    series: int = 0
    uplift: Uplift | None = None  # counted when the names in the ledger were deleted
    nameless: bool = False  # whether that has begun
    trial: Trial | None = None
    sides: TrialSides | None = None  # counted when the names were deleted

    @property
    def opens_at(self) -> datetime | None:
        """When the result of its trial may be known; None if there is none, or none yet."""
        return self.began_at + timedelta(hours=self.trial.hours) if self.trial and self.began_at else None

    @property
    def version(self) -> str:
        """A short mark of whom, what and how many; another one as soon as any of these is another.

        It is made from what somebody was shown: a mark of hidden figures could be tried out until it fits.
        """
        parts = (
            self.audience.dump(),
            sorted(self.texts.items()),
            self.plan.channels,
            sorted(self.plan.left_out.items()),
            self.plan.published if self.plan.coarse else "",
            (self.trial.percent, self.trial.hours) if self.trial else "",
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:_VERSION_LENGTH]

    def as_seen(self, step: int) -> Broadcast:
        """Return it with figures that are as exact as somebody may see them."""
        return self if step <= 1 else replace(self, plan=self.plan.as_published(step))

    @property
    def editable(self) -> bool:
        """Whether audience and texts can still be changed."""
        return self.state in (DRAFT, PLANNED)


@dataclass(frozen=True, slots=True)
class BroadcastProgress:
    """How far a broadcast is, as exactly as somebody may see it.

    `percent` is 100 only when all is settled. `people`, `done` and `states` are None and empty for those who see no
    exact figures: while messages leave, each of these would show one person after the other.
    """

    broadcast: Broadcast
    percent: int
    finish: datetime | None
    begun: bool  # whether there is anything to tell
    people: int | None = None
    done: int | None = None
    states: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Uplift:
    """Who had not reported before, and how many of them did within 72 hours; of those reached, and of the others.

    It proves nothing: those who asked for reminders are not like those who did not.
    """

    reached: int
    reached_reported: int
    others: int
    others_reported: int
    complete: bool


@dataclass(frozen=True, slots=True)
class BroadcastLine:
    """One line of a report: how many people of a district or channel ended how."""

    name: str
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BroadcastReport:
    """What became of a broadcast: people, or with `step` above 1 per cent, rounded down to `percent_step`.

    `percent_step` is 0 where too few people were meant for any share to be shown.
    """

    broadcast: Broadcast
    states: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]
    by_district: tuple[BroadcastLine, ...]
    by_channel: tuple[BroadcastLine, ...]
    uplift: Uplift | None
    step: int
    percent_step: int = 0
    trial: TrialOutcome | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What somebody of a language and district reads on a channel, message by message."""

    channel: str
    language: str
    district: str
    replies: tuple[Reply, ...]


def broadcast_of(row: Row) -> Broadcast:
    trial = Trial(**orjson.loads(row["trial"])) if row["trial"] else None
    proof = orjson.loads(row["proof"]) if row["proof"] else None
    return Broadcast(
        number=row["id"],
        made_by=row["made_by"],
        audience=load_audience(row["audience"]),
        texts=orjson.loads(row["texts"]),
        ready=row["ready"],
        confirmed=bool(row["confirmed_by"]),
        state=row["state"],
        reason=row["reason"],
        plan=load_plan(row["plan"]),
        approved_by=row["approved_by"],
        starts_at=moment(row["starts_at"]) if row["starts_at"] else None,
        weekly_until=date.fromisoformat(row["weekly_until"]) if row["weekly_until"] else None,
        made_at=moment(row["made_at"]),
        began_at=moment(row["began_at"]) if row["began_at"] else None,
        ended_at=moment(row["ended_at"]) if row["ended_at"] else None,
        series=row["series"],
        uplift=Uplift(*proof) if proof and not trial else None,
        nameless=bool(row["names_gone_at"]),
        trial=trial,
        sides=TrialSides(*proof) if proof and trial else None,
    )


def maker_of(found: Broadcast) -> Actor:
    name = found.made_by
    return Actor(int(name.removeprefix(PERSON))) if name.startswith(PERSON) else Actor()
