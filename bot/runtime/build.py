"""Everything opened in the right order, and closed in reverse."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import structlog

from bot import access, clock
from bot.backup.move import refuse_unfinished
from bot.backup.revocations import Journal
from bot.backup.schedule import BackupSchedule
from bot.broadcasts import Broadcasts
from bot.broadcasts.progress import ProgressNotifier
from bot.broadcasts.scheduler import BroadcastScheduler
from bot.channels import Channel
from bot.channels.protocol import Measured
from bot.channels.terms import terms_of
from bot.channels.titles import CHANNEL_TITLES
from bot.channels.webchat import WebChatChannel
from bot.clock import Clock, local_day, stamp
from bot.cluster.membership import HEARTBEAT_SECONDS, Membership
from bot.conversation.context import Context, Route
from bot.conversation.dispatcher import Dispatcher
from bot.conversation.inbox import Inbox
from bot.conversation.person_queue import PersonQueues
from bot.conversation.unit_of_work import GUESS_TIME
from bot.delivery.outbox import Outbox
from bot.delivery.scheduled import KEPT, ScheduledMessages
from bot.errors import ContentError, StoreError, StoreUnavailable
from bot.exports.screens import Screens
from bot.helpdesk import cases
from bot.helpdesk.cases import HelpDesk
from bot.i18n.catalogue import Catalogue, load_catalogues
from bot.library.knowledge import INDEX_FILE, ContentStore
from bot.library.regions import Regions, load_regions
from bot.message import Capabilities, ChannelState
from bot.metrics import Metrics
from bot.reminders.scheduled_reports import ScheduledReports
from bot.reminders.summary import Summaries
from bot.reminders.texts import ReminderTexts
from bot.runtime.telegram_factory import open_platforms, pace_of
from bot.settings import Settings, can_change, changed, changed_keys
from bot.statistics.activity import count_up
from bot.statistics.official import forget_drafts
from bot.store import (
    Store,
    Transaction,
    appointments,
    chat_events,
    choices,
    handoffs,
    leases,
    links,
    messages,
    open_store,
    people,
    pictures,
    questions,
    revocations,
)

log = structlog.get_logger()

CONTENT_FOLDER = "content folder"  # in the audit: whoever may write there
SECRET_FILE = "secret"  # noqa: S105 - the name of a file
_OTHER_SECRET = "Another process on these records has another BOT_SECRET; give all of them the same."  # noqa: S105
_TITLES = {name: CHANNEL_TITLES[name] for name in ("telegram", "zalo_oa", "zalo_bot")}
_CONTENT_PAUSE, _SWEEP_PAUSE, _PUSH_PAUSE, _BROADCAST_PAUSE, _BACKUP_PAUSE = 2.0, 30.0, 0.5, 1.0, 60.0
_LOOK_PAUSE = 0.3  # how soon what another process stored for this one is found
_LEDGER_PAUSE, _REVOCATION_PAUSE, _REACH_PAUSE = 600.0, 2.0, 60.0
_UNSCRUBBED_SECONDS = 600.0  # for so long deleted text may stay in the log while others read
_RETRY_PAUSE = 5.0  # so soon it is seen that all is well again
_SET_BY, _TELL_SECONDS = 60.0, 600.0  # by how much a clock may go wrong unnoticed, and how long it is told
_LEASE_REMEMBERED = timedelta(hours=1)  # for so long it can be seen that nobody holds what somebody should
_STOP_SECONDS = 4.0  # for what is under way; with the web server's own time a stop stays below 10


class ClockWatch:
    """Notices when the clock of the machine is set, by a reckoning of time that cannot be set."""

    def __init__(self, clock: Clock, tick: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._tick = clock, tick
        self._before, self._told_at, self._sentence = (clock(), tick()), 0.0, ""

    def look(self) -> str | None:
        """Return a sentence for some minutes after the clock was set, None otherwise."""
        now, tick = self._clock(), self._tick()
        (then, before), self._before = self._before, (now, tick)
        by = (now - then).total_seconds() - (tick - before)
        if abs(by) > _SET_BY:
            way = "forward" if by > 0 else "back"
            self._told_at = tick
            self._sentence = f"The clock of this machine was set {way} by {abs(by):.0f} s; see that its time is right."
        return self._sentence if self._sentence and tick - self._told_at < _TELL_SECONDS else None


class HealthProblems(dict[str, str]):
    """What is wrong now, part by part, for /readyz."""

    def report(self, part: str, sentence: str | None) -> None:
        """Note what is wrong with a part; None when nothing is any more."""
        if sentence is None:
            self.pop(part, None)
        elif self.get(part) != sentence:
            self[part] = sentence
            log.error("trouble", part=part, reason=sentence)


@dataclass(slots=True)
class Service:
    """The running bot, without its web server."""

    settings: Settings
    store: Store
    content_store: ContentStore
    regions: Regions
    catalogues: Mapping[str, Catalogue]
    channels: dict[str, Channel]
    engine: Dispatcher
    membership: Membership
    inbox: Inbox
    outbox: Outbox
    broadcasts: Broadcasts
    broadcast_scheduler: BroadcastScheduler
    appointments: ScheduledMessages
    backups: BackupSchedule
    secret: bytes
    clock: Clock
    clock_watch: ClockWatch
    webchat: WebChatChannel
    journal: Journal
    screens: Screens
    closing: asyncio.Event = field(default_factory=asyncio.Event)  # set when the bot is asked to stop
    trouble: HealthProblems = field(default_factory=HealthProblems)
    metrics: Metrics = field(default_factory=Metrics)
    looked_through: date | None = None  # the day on which silent people were looked for last
    scrubbed: float = field(default_factory=time.monotonic)  # when nothing readable was left of what was deleted
    # Who else wants to know when the settings change.
    followers: list[Callable[[Settings], None]] = field(default_factory=list)

    def take_settings(self, new: Settings) -> tuple[list[str], list[str]]:
        """Go on with other settings; returns the keys that changed, and those that wait for a restart."""
        keys = changed_keys(self.settings, new)
        self.settings = changed(self.settings, new)
        limits = self.settings.limits
        self.inbox.limit(
            per_minute=limits.person_per_minute, longest_text=limits.longest_text, most_waiting=limits.most_waiting
        )
        for name, channel in self.channels.items():
            if (pace := pace_of(limits, name)) is not None:
                self.outbox.pace(name, replace(pace, is_group=channel.capabilities.pace.is_group))
        for follow in self.followers:
            follow(self.settings)
        return [key for key in keys if can_change(key)], [key for key in keys if not can_change(key)]

    @property
    def help_desk(self) -> HelpDesk:
        """The rules of talks between citizens and officers."""
        return HelpDesk(self.catalogues, self.settings, self.regions)

    async def keep_place(self) -> None:
        """Show the other processes that this one lives, and take over what those that are gone left behind."""
        fewer = await self.membership.heartbeat()
        self.outbox.share(self.membership.online)
        self.trouble.report("secret", _OTHER_SECRET if self.membership.has_secret_mismatch else None)
        if fewer:
            await self.inbox.recover()

    async def look(self) -> None:
        """Find what other processes stored for this one."""
        if self.membership.others:
            await self.inbox.look()
            await self.webchat.look()

    async def sweep(self) -> None:
        """Take up what was left unfinished; deletes what is older than it may be."""
        self.trouble.report("clock", self.clock_watch.look() or self.membership.clock_trouble)
        await self.inbox.recover()
        now, privacy = self.clock(), self.settings.privacy
        day = local_day(now, self.settings.zone)
        for_messages = stamp(now - timedelta(hours=privacy.message_hours))
        for_questions = stamp(now - timedelta(days=privacy.question_days))

        def work(tx: Transaction) -> None:
            if day != self.looked_through:  # before what is counted is deleted
                count_up(tx, now=now, zone=self.settings.zone)
            messages.forget_before(tx, for_messages)
            chat_events.forget_before(tx, for_messages)
            questions.forget_before(tx, for_questions)
            cases.close_idle(tx, at=now)
            self.help_desk.notices.tell_overdue(tx, at=now)
            cases.forget_before(tx, before=now - timedelta(days=privacy.question_days))
            choices.forget_before(tx, for_questions)
            appointments.forget_before(tx, stamp(now - KEPT))
            pictures.forget_expired(tx, stamp(now))
            links.forget_before(tx, stamp(now - GUESS_TIME), expired=stamp(now))
            handoffs.forget_expired(tx, stamp(now))
            leases.forget_before(tx, stamp(now - _LEASE_REMEMBERED))
            forget_drafts(tx, at=now)
            revocations.forget_before(tx, stamp(now - timedelta(days=privacy.revocation_days)))
            if day != self.looked_through:  # it reads everybody, so it is done once a day
                people.forget_dialogs(tx, for_questions)
                people.forget_silent(tx, stamp(now - timedelta(days=privacy.silent_days)))

        await self.store.write(work)
        self.looked_through = day
        self.inbox.trouble = ""  # also where no message comes because /readyz keeps them away
        await self.purge_deleted()

    async def purge_deleted(self) -> None:
        """Leave nothing readable of what was deleted; that somebody reads it meanwhile is told when it goes on."""
        try:
            await self.store.purge_deleted()
        except StoreUnavailable as error:
            if time.monotonic() - self.scrubbed > _UNSCRUBBED_SECONDS:
                self.trouble.report("scrub", str(error))
        else:
            self.scrubbed = time.monotonic()
            self.trouble.report("scrub", None)

    async def keep_revocations(self) -> None:
        """Write beside the database what people took back; raises StoreUnavailable."""
        await self.journal.keep(self.store, at=self.clock(), days=self.settings.privacy.revocation_days)

    async def forget_names(self) -> None:
        """Delete from the ledgers of messages to many whom they went to, once that was long ago."""
        await self.broadcasts.forget_names(self.settings.privacy.ledger_days)


@asynccontextmanager
async def open_service(
    settings: Settings,
    routes: Sequence[Route],
    *,
    now: Clock = clock.now,
    extra_channels: Sequence[Channel] = (),
    online: bool = False,
    sends: bool | None = None,
    observe: Callable[[Context], None] | None = None,
) -> AsyncIterator[Service]:
    """Open store, content and channels, take up unfinished messages, run the background work; raises BotError.

    Only `online`, the platforms that have a token are connected: a token has one owner, the running server. It also
    `sends` what is due to many, unless told otherwise.
    """
    catalogues = load_catalogues(settings.languages)
    regions = load_regions(settings.region)
    store = open_store(settings.database)
    try:
        await refuse_unfinished(store)
        content_store = ContentStore(settings.content, settings.data_folder / INDEX_FILE)
        webchat = WebChatChannel(store, clock=now)
        secret, trouble, metrics = bot_secret(settings), HealthProblems(), Metrics()
        platforms = (
            open_platforms(
                settings,
                store=store,
                routes=routes,
                catalogues=catalogues,
                secret=secret,
                clock=now,
                report=trouble.report,
            )
            if online
            else []
        )
        channels: dict[str, Channel] = {channel.name: channel for channel in (webchat, *extra_channels, *platforms)}
        membership = Membership(store, online=online, mark=_mark(secret))
        screens = Screens(lambda: content_store.knowledge.library, catalogues)
        outbox = Outbox(store, channels, clock=now, metrics=metrics, draw=screens.picture)
        sends = online if sends is None else sends
        others = [webchat.name, *(channel.name for channel in extra_channels if channel.capabilities.starts_talk)]
        terms = terms_of(settings, others)
        broadcasts = Broadcasts(
            store,
            settings=settings,
            regions=regions,
            catalogues=catalogues,
            terms=terms,
            capabilities=_capabilities_of(channels),
            sources=lambda: content_store.knowledge.sources,
            clock=now,
        )
        engine = Dispatcher(
            routes=routes,
            store=store,
            content_store=content_store,
            regions=regions,
            catalogues=catalogues,
            settings=settings,
            capabilities=_capabilities_of(channels),
            clock=now,
            channel_states=lambda: _states(channels, trouble),
            broadcasts=broadcasts,
            metrics=metrics,
            observe=observe,
        )
        lines = PersonQueues(
            store,
            answer=engine.answer,
            deliver=outbox.deliver,
            keeps_replies=lambda channel: channel == webchat.name,
            clock=now,
            metrics=metrics,
            membership=membership,
        )
        inbox = Inbox(
            lines,
            per_minute=settings.limits.person_per_minute,
            longest_text=settings.limits.longest_text,
            most_waiting=settings.limits.most_waiting,
            channels=tuple(channels),
        )
        progress_notifier = ProgressNotifier(
            store, outbox, broadcasts, catalogues=catalogues, default_language=settings.default_language, clock=now
        )
        names = [name for name in terms if name in channels and sends]
        broadcast_scheduler = BroadcastScheduler(
            store, outbox, broadcasts, progress_notifier, names, terms=terms, settings=settings, clock=now
        )
        summaries = Summaries(
            store,
            broadcasts,
            regions=regions,
            content_store=content_store,
            catalogues=catalogues,
            settings=settings,
            clock=now,
        )
        scheduled_reports = ScheduledReports(store, catalogues=catalogues, settings=settings, clock=now)
        texts = ReminderTexts(catalogues, settings)
        due = ScheduledMessages(
            store,
            outbox,
            capabilities={name: channels[name].capabilities for name in names},
            terms=terms,
            compose={
                appointments.ASKED: texts.asked,
                appointments.FOLLOW_UP: texts.follow_up,
                appointments.SUMMARY: summaries.compose,
                appointments.REPORT: scheduled_reports.compose,
            },
            plans=(summaries.plan, scheduled_reports.plan),
            quiet=settings.quiet,
            per_week=settings.reminders.per_week,
            clock=now,
        )
        service = Service(
            settings=settings,
            store=store,
            content_store=content_store,
            regions=regions,
            catalogues=catalogues,
            channels=channels,
            engine=engine,
            membership=membership,
            inbox=inbox,
            outbox=outbox,
            broadcasts=broadcasts,
            broadcast_scheduler=broadcast_scheduler,
            appointments=due,
            backups=BackupSchedule(store, settings, clock=now),
            secret=secret,
            clock=now,
            clock_watch=ClockWatch(now),
            webchat=webchat,
            journal=Journal(settings.data_folder),
            screens=screens,
            trouble=trouble,
            metrics=metrics,
            followers=[engine.use, broadcasts.use, summaries.use, scheduled_reports.use],
        )
        await membership.join()
        outbox.share(membership.online)
        await service.sweep()
        tasks = [
            _forever(service, "store", service.sweep, _SWEEP_PAUSE),
            _forever(service, "place", service.keep_place, HEARTBEAT_SECONDS),
            _forever(service, "pushes", outbox.send_pushes, _PUSH_PAUSE),
            _forever(service, "revocations", service.keep_revocations, _REVOCATION_PAUSE),
            _watch_content(service),
        ]
        if store.shared:
            tasks.append(_forever(service, "look", service.look, _LOOK_PAUSE))
        if online:
            tasks.append(_forever(service, "backup", service.backups.advance, _BACKUP_PAUSE))
        if sends:
            tasks.append(_forever(service, "broadcasts", broadcast_scheduler.advance, _BROADCAST_PAUSE))
            tasks.append(_forever(service, "reminders", due.advance, _BROADCAST_PAUSE))
            tasks.append(_forever(service, "ledgers", service.forget_names, _LEDGER_PAUSE))
            tasks.append(_forever(service, "reach", broadcasts.publish_day, _REACH_PAUSE))
        broadcast_scheduler.start()
        running = [asyncio.create_task(task) for task in tasks]
        listening = [asyncio.create_task(_listen(service, channel)) for channel in platforms]
        try:
            yield service
        finally:
            service.closing.set()
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
            # What was taken in still needs the channels.
            await asyncio.gather(inbox.close(seconds=_STOP_SECONDS), broadcast_scheduler.close())
            for channel in channels.values():
                await channel.close()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await due.close()
            with suppress(StoreError):  # the next start writes it
                await service.keep_revocations()
            with suppress(StoreError):
                await outbox.close()
                await membership.leave()
    finally:
        await store.close()


async def _forever(service: Service, part: str, work: Callable[[], Coroutine[Any, Any, None]], pause: float) -> None:
    """Run a piece of background work again and again; a failing database is reported and waited for."""
    failing = False
    while True:
        await asyncio.sleep(min(pause, _RETRY_PAUSE) if failing else pause)
        try:
            await work()
            failing = False
            service.trouble.report(part, None)
        except StoreError as error:
            failing = True
            service.trouble.report(part, str(error))


async def _listen(service: Service, channel: Channel) -> None:
    """Have a channel listen until it ends by itself; a mistake of ours is told and must not end it."""
    while True:
        try:
            await channel.listen(service.inbox.receive)
        except Exception as error:
            service.metrics.failures.add("listen")
            service.trouble.report(channel.name, f"Listening broke off ({type(error).__name__}) and is begun again.")
            log.error("listening broke off", channel=channel.name, exc_info=True)
            await asyncio.sleep(_RETRY_PAUSE)
        else:
            return


async def _watch_content(service: Service) -> None:
    async def report(error: ContentError | None) -> None:
        if error is None:
            service.trouble.pop("content", None)
            log.info("content loaded", articles=len(service.content_store.knowledge.library.articles))
            with suppress(StoreError):  # the store reports on itself
                await service.store.write(
                    lambda tx: access.write_audit(
                        tx,
                        actor=CONTENT_FOLDER,
                        action="content",
                        detail=service.content_store.diff.summary(),
                        at=service.clock(),
                    )
                )
        else:
            service.trouble["content"] = str(error.problems[0])
            for problem in error.problems:
                log.error("content kept as it was", problem=str(problem))

    await service.content_store.watch(report, pause=lambda: asyncio.sleep(_CONTENT_PAUSE))


def _capabilities_of(channels: Mapping[str, Channel]) -> Callable[[str], Capabilities]:
    plain = Capabilities(longest_text=1000)
    return lambda name: channels[name].capabilities if name in channels else plain


async def _states(channels: Mapping[str, Channel], trouble: Mapping[str, str]) -> list[ChannelState]:
    """Describe every channel that runs, and those that could."""
    states = []
    for name, title in {**_TITLES, **{name: channel.capabilities.title for name, channel in channels.items()}}.items():
        channel = channels.get(name)
        wrong = " ".join(sentence for part, sentence in trouble.items() if part.split()[0] == name)
        figures = await channel.state() if isinstance(channel, Measured) else ()
        states.append(ChannelState(name, title, channel is not None, wrong, figures))
    return states


def bot_secret(settings: Settings) -> bytes:
    """Return BOT_SECRET, or one of the bot's own, made on the first start and kept in the data folder."""
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    path = settings.data_folder / SECRET_FILE
    with suppress(FileExistsError):
        _write_once(path, secrets.token_hex(32))
    return path.read_text().encode()


def _mark(secret: bytes) -> str:
    """Tell one secret from another without giving it away."""
    return hmac.new(secret, b"mark of this secret", hashlib.sha256).hexdigest()[:12]


def _write_once(path: Path, text: str) -> None:
    """Write a file whole or not at all; raises FileExistsError, and leaves what is there."""
    if path.exists():
        raise FileExistsError(path)
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:  # readable by its owner only
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        os.link(file.name, path)  # an empty secret, left by a crash half-way, would let everybody forge a session
