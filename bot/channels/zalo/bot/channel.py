"""The Zalo Bot Platform as a channel: for a pilot, a demo, the officers' own talks; it has no buttons."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import structlog

from bot.channels.alerts import AdminAlerts
from bot.channels.media import MediaStore
from bot.channels.protocol import Receive
from bot.channels.quota import UsageMeter
from bot.channels.rate_limit import Buckets
from bot.channels.zalo.bot.api import TokenRefusedError, ZaloBotApi, ZaloBotConnection
from bot.channels.zalo.bot.receiving import Listening
from bot.channels.zalo.bot.updates import NAME, read_update
from bot.channels.zalo.errors import UNAUTHORISED, bot_error, call_error
from bot.channels.zalo.speech import LONGEST_TEXT, as_texts, file_in_words, nfc_length, plain, with_alternative
from bot.channels.zalo.transport import CallError
from bot.clock import Clock
from bot.cluster.lease import Lease
from bot.errors import DeliveryError, Flooded, Rejected, StoreError, Throttled, Unreachable
from bot.i18n.catalogue import mark
from bot.message import Capabilities, ChannelMetric, IncomingMessage, Person, RateLimits, Receipt, Reply
from bot.store import Store

log = structlog.get_logger()

SENT, RECEIVED = "sent", "received"
_LEASE_SECONDS = 20.0  # of one that died elsewhere; another process polls so much later
_FIRST_QUOTA_PAUSE, _LONGEST_QUOTA_PAUSE = 60.0, 3600.0
_ALARMING_QUOTA_PAUSE = 240.0  # by then it is not the rate of a minute

Report = Callable[[str | None], None]


class ZaloBotChannel:
    """One bot of the Zalo Bot Platform."""

    name = NAME

    def __init__(
        self,
        store: Store,
        *,
        connection: ZaloBotConnection,
        pace: RateLimits,
        pictures: MediaStore,
        usage_meter: UsageMeter,
        budget: int,
        counts_incoming: bool,
        too_fast: str,
        clock: Clock,
        report: Report,
        report_sending: Report,
        alerts: AdminAlerts,
    ) -> None:
        """Prepare everything, connect to nothing yet.

        `too_fast` is what flooding people read; `report` is told what is wrong with the channel, or None, and
        `report_sending` the same of its way out; `alarm` reaches the admins.
        """
        self._connection, self._clock = connection, clock
        self._pictures, self._usage_meter, self._budget = pictures, usage_meter, budget
        self._counts_incoming = counts_incoming
        self._report, self._report_sending, self._alerts, self._too_fast = report, report_sending, alerts, too_fast
        self.capabilities = Capabilities(
            longest_text=LONGEST_TEXT,
            title=mark("Zalo (bot)"),
            measure=nfc_length,
            buttons=False,
            pace=replace(pace, is_group=lambda address: address.startswith("zgr-")),
        )
        self._api = ZaloBotApi(connection)
        self._lease = Lease(store, f"{NAME}:{connection.account}", seconds=_LEASE_SECONDS, clock=clock)
        self._listening = Listening(
            self._api, connection=connection, lease=self._lease, take=self.take, report=self._report
        )
        self._receive: Receive | None = None
        self._off = ""  # why the channel has stopped for good
        self._closed = False
        self._quota_pause = _FIRST_QUOTA_PAUSE
        self._flood_warnings = Buckets(1)
        self._tasks: set[asyncio.Task[None]] = set()

    # -- in ---------------------------------------------------------------------------------------------------

    async def listen(self, receive: Receive) -> None:
        """Bring messages in until cancelled, or until Zalo refuses the token."""
        self._receive = receive
        try:
            await self._listening.run()
        except TokenRefusedError:
            await self._stop()

    async def take(self, raw: Mapping[str, Any]) -> bool:
        """Take one update that `unwrap` gave; returns when it is safe, and whether it is new. Raises StoreError."""
        message = read_update(
            raw,
            account=self._connection.account,
            mentioned_as=self._connection.mentioned_as,
            known_as=self._listening.known_as,
            now=self._clock(),
        )
        if message is None:
            log.info("update ignored", channel=NAME, event_name=str(raw["event_name"])[:60])
            return False
        return await self._hand_in(message)

    def knows(self, secret: str) -> bool:
        """Tell whether a webhook request brings the secret that only Zalo was told."""
        return hmac.compare_digest(secret.encode("utf-8", "replace"), self._connection.hook_secret.encode())

    @property
    def listening(self) -> bool:
        """Whether updates can be taken."""
        return self._receive is not None and not self._off and not self._closed

    async def _hand_in(self, message: IncomingMessage) -> bool:
        assert self._receive is not None  # nothing is taken before listen
        try:
            ticket = await self._receive(message)
        except Flooded:
            if not self._flood_warnings.take(message.person):
                self._spawn(self._say(message.person.address, self._too_fast))
            return True
        if ticket.fresh:
            self._usage_meter.count(RECEIVED)
        return ticket.fresh

    # -- out --------------------------------------------------------------------------------------------------

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        """Deliver one reply; a picture by an address of ours, in words where there is none."""
        if self._off or self._closed:
            raise Unreachable(self._off or "The channel is closed.", code="channel-off")
        text, chat = plain(reply.text), to.address
        receipt = Receipt()
        if reply.image:
            if await self._show(chat, reply, answering=bool(answering)):
                text = "" if nfc_length(text) <= LONGEST_TEXT else text
            else:
                text = with_alternative(reply)
        if reply.file:
            text = "\n\n".join(filter(None, (text, file_in_words(reply.file))))
        for part in as_texts(text) if text else ():
            receipt = await self._say(chat, part, answering=bool(answering))
        return receipt

    async def state(self) -> tuple[ChannelMetric, ...]:
        """Tell how much of the month's messages is used up."""
        figures = await self._usage_meter.figures()
        sent, received = figures.get(SENT, 0), figures.get(RECEIVED, 0)
        return (
            ChannelMetric(mark("Messages this month"), sent + received * self._counts_incoming, self._budget),
            ChannelMetric(mark("of these sent"), sent),
        )

    async def close(self) -> None:
        """Let go of connections, and of the right to poll."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._usage_meter.flush()
        try:
            await self._lease.give_back()
        except StoreError:
            log.warning("lease not given back", channel=NAME)
        await self._api.close()

    async def _say(self, chat: str, text: str, *, answering: bool = True) -> Receipt:
        return await self._deliver("sendMessage", {"chat_id": chat, "text": text}, answering=answering)

    async def _show(self, chat: str, reply: Reply, *, answering: bool) -> bool:
        """Send a picture; False when Zalo cannot fetch it from anywhere, so that words must do."""
        address = reply.image if isinstance(reply.image, str) else await self._pictures.address_of(reply.image)
        if not address:
            return False
        caption = plain(reply.text)
        said = {"caption": caption} if caption and nfc_length(caption) <= LONGEST_TEXT else {}
        try:
            await self._deliver("sendPhoto", {"chat_id": chat, "photo": address, **said}, answering=answering)
        except Rejected:
            log.warning("picture not fetched, sent in words", channel=NAME)
            return False
        return True

    async def _deliver(self, method: str, asked: Mapping[str, Any], *, answering: bool) -> Receipt:
        try:
            answer = await self._api.call(method, asked)
        except TokenRefusedError:
            await self._stop()
            raise Unreachable(self._off, code=str(UNAUTHORISED)) from None
        except CallError as error:
            raise call_error(error, answering=answering) from None
        failure = bot_error(answer, pause=self._quota_pause)
        if failure is not None:
            if isinstance(failure, Throttled):
                await self._note_quota(failure)
            raise failure
        if self._quota_pause > _ALARMING_QUOTA_PAUSE:
            self._report_sending(None)
        self._quota_pause = _FIRST_QUOTA_PAUSE
        self._usage_meter.count(SENT)
        result = answer.body.get("result")
        return Receipt(str(result.get("message_id") or "") if isinstance(result, dict) else "")

    async def _note_quota(self, failure: Throttled) -> None:
        """Wait longer each time; a refusal that lasts is the month's plan, which only a person can change."""
        self._quota_pause = min(self._quota_pause * 2, _LONGEST_QUOTA_PAUSE)
        if failure.retry_after < _ALARMING_QUOTA_PAUSE:
            return
        self._report_sending("Zalo goes on refusing messages (429); the month's messages seem to be used up.")
        await self._alerts.sound(
            mark("The channel Zalo (bot) cannot answer any more: Zalo says that this month's messages are used up."),
            once=f"{self._usage_meter.month} refused",
        )

    async def _stop(self) -> None:
        """Stop for good: no token becomes right again by trying."""
        if self._off:
            return
        self._off = (
            "Zalo refuses the bot's token; set BOT_ZALO_BOT__TOKEN to the one that Zalo Bot Creator sent, then restart."
        )
        self._report(self._off)
        try:
            await self._alerts.sound(
                mark(
                    "Zalo refuses the token of the channel Zalo (bot), so that it has stopped; a new token must be set."
                ),
                once=f"{self._clock():%Y-%m-%d} token",
            )
        except StoreError as error:
            log.error("admins not told", channel=NAME, reason=str(error))

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run something nobody waits for."""
        task = asyncio.get_running_loop().create_task(_unimportant(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _unimportant(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except DeliveryError as error:
        log.debug("not done", reason=type(error).__name__)
