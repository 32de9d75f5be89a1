"""A Zalo Official Account as a channel: the one for citizens at scale.

Zalo brings events by webhook and is answered when they are in the inbox. Choices are numbered lines always; buttons can
be added to them by a setting, because only a real account can tell whether it may have any.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import aiohttp
import structlog

from bot.channels.alerts import AdminAlerts
from bot.channels.protocol import Receive
from bot.channels.quota import NOW, UsageMeter
from bot.channels.rate_limit import Buckets
from bot.channels.zalo.errors import ACCOUNT, ErrorAction, call_error, code_of, oa_error, trouble_of
from bot.channels.zalo.oa.attachments import Uploads, as_buttons
from bot.channels.zalo.oa.cooldown import Cooldowns
from bot.channels.zalo.oa.events import (
    NAME,
    Notice,
    Receipts,
    Verifier,
    is_platforms_own_id,
    read_event,
)
from bot.channels.zalo.oa.tokens import Tokens
from bot.channels.zalo.speech import LONGEST_TEXT, as_texts, file_in_words, nfc_length, plain, with_alternative
from bot.channels.zalo.transport import ApiResponse, CallError, ZaloTransport
from bot.clock import Clock, local_day
from bot.errors import DeliveryError, Flooded, Gone, Rejected, StoreError, Throttled, Unreachable
from bot.i18n.catalogue import mark
from bot.message import Capabilities, ChannelMetric, IncomingMessage, Person, RateLimits, Receipt, Reply, Window
from bot.store import Store, Transaction, reach, usage

log = structlog.get_logger()

SENT = "sent"
_FRESH_PAUSE = 30.0
_SETUP_PAUSE = 300.0  # after which a wrong set-up is tried again
_MOST_KEPT = 10_000

Report = Callable[[str | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingRules:
    """What the account may do, and what a message costs; all of it is the vendor's to change."""

    api_base: str
    window: Window
    buttons: bool = False
    button_template: str = ""
    quiet_minutes: int = 60


class ZaloOAChannel:
    """One Official Account."""

    name = NAME

    def __init__(
        self,
        store: Store,
        *,
        rules: SendingRules,
        tokens: Tokens,
        transport: ZaloTransport,
        verifier: Verifier,
        set_up: bool,
        usage_meter: UsageMeter,
        pace: RateLimits,
        too_fast: str,
        zone: tzinfo,
        clock: Clock,
        report: Report,
        alerts: AdminAlerts,
        tick: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        """Prepare everything, connect to nothing yet.

        `set_up` tells that the webhook's own secret is known, `too_fast` is what flooding people read; `report` is told
        what is wrong with the channel, or None; `alarm` reaches the admins.
        """
        self._store, self._rules, self._tokens, self._transport = store, rules, tokens, transport
        self._verifier, self._usage_meter, self._zone, self._clock = verifier, usage_meter, zone, clock
        self._set_up, self._too_fast, self._report, self._alerts = set_up, too_fast, report, alerts
        self._tick, self._sleep = tick, sleep
        self.capabilities = Capabilities(
            longest_text=LONGEST_TEXT,
            title=mark("Zalo"),
            measure=nfc_length,
            buttons=False,
            starts_talk=False,
            window=rules.window,
            quiet_minutes=rules.quiet_minutes,
            pace=pace,
        )
        self._receive: Receive | None = None
        self._closed = False
        self._set_up_wrong_until = 0.0
        self._matched = ""
        self._decorates = rules.buttons
        self._flood_warnings = Buckets(1)
        self._quoted: OrderedDict[str, None] = OrderedDict()
        self._uploads = Uploads(self._upload, clock=clock)
        self._holds = Cooldowns(clock)
        self._tasks: set[asyncio.Task[None]] = set()

    # -- in ---------------------------------------------------------------------------------------------------

    async def listen(self, receive: Receive) -> None:
        """Take what the webhook brings until cancelled; meanwhile keep the keys fresh."""
        self._receive = receive
        while True:
            try:
                await self._tokens.keep_fresh()
            except Unreachable as error:
                log.warning("keys not renewed", channel=NAME, code=error.code)
            except StoreError as error:
                log.error("database unavailable", channel=NAME, reason=str(error))
            except Exception as error:
                # A mistake of ours must not let the keys grow old until nobody can renew them.
                log.error("keys not looked at", channel=NAME, error=type(error).__name__, exc_info=True)
            await self._sleep(_FRESH_PAUSE)

    @property
    def listening(self) -> bool:
        """Whether events can be taken."""
        return self._receive is not None and not self._closed

    def knows(self, body: bytes, raw: Mapping[str, Any], signature: str) -> bool:
        """Tell whether a webhook request was signed by Zalo for this account."""
        accepted = self._verifier.accepts(body, raw, signature)
        if accepted and self._verifier.matched != self._matched:
            self._matched = self._verifier.matched
            log.info("webhook signature", channel=NAME, matched=self._matched)
        return accepted

    @property
    def is_set_up(self) -> bool:
        """Whether the secret that signs is known, so that what it did not sign is no event of Zalo's."""
        return self._set_up or bool(self._matched)

    async def take(self, raw: Mapping[str, Any]) -> None:
        """Take one event; returns when it is safe. Raises StoreError."""
        event = read_event(raw, now=self._clock())
        if isinstance(event, IncomingMessage):
            await self._hand_in(event)
        elif isinstance(event, Receipts):
            self._usage_meter.count(event.kind, event.count)
        elif isinstance(event, Notice):
            await self._alerts.sound(
                mark("Zalo reports {event}; please look at the Official Account's console."),
                once=f"{event.event} {event.at}",
                event=event.event,
            )
        else:
            log.debug("event ignored", channel=NAME, event_name=str(raw["event_name"])[:60])

    async def _hand_in(self, message: IncomingMessage) -> None:
        assert self._receive is not None  # nothing is taken before listen
        try:
            await self._receive(message)
        except Flooded:
            if not self._flood_warnings.take(message.person):
                self._spawn(self._say(message.person, {"text": self._too_fast}, answering=True))

    # -- out --------------------------------------------------------------------------------------------------

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        """Deliver one reply, quoting the message it answers; pictures by upload, in words where that fails."""
        if self._closed:
            raise Unreachable("The channel is closed.", code="channel-off")
        if self._tick() < self._set_up_wrong_until:
            raise Unreachable("Zalo wants the Official Account or the app set up differently.", code="set-up")
        self._holds.check(to.address, answering=bool(answering))
        text = plain(reply.text)
        attachment = await self._uploads.picture(reply.image) if reply.image else None
        if reply.image and attachment is None:
            text = with_alternative(reply)
        if reply.file:
            uploaded = await self._uploads.file(reply.file)
            if uploaded is not None:
                await self._say(to, {"attachment": uploaded}, answering=bool(answering))
            else:
                text = "\n\n".join(filter(None, (text, file_in_words(reply.file))))
        receipt = Receipt()
        parts = as_texts(text) if text else [""] if attachment else []
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            message: dict[str, Any] = {"text": part} if part else {}
            if last and attachment is not None:
                message["attachment"] = attachment
            elif last and self._decorates and reply.buttons:
                message["attachment"] = as_buttons(reply.buttons, template_type=self._rules.button_template)
            try:
                receipt = await self._answer(to, message, answering)
            except Rejected as error:
                if "attachment" not in message:
                    raise
                receipt = await self._answer(to, await self._without_trouble(reply, message, error), answering)
        return receipt

    async def _without_trouble(
        self, reply: Reply, message: Mapping[str, Any], error: DeliveryError
    ) -> Mapping[str, Any]:
        """Make a refused message again: its picture uploaded afresh, or without the decoration that is not taken."""
        text = message.get("text", "")
        if not reply.image:
            self._decorates = False
            log.warning("buttons refused, none from now on", channel=NAME, code=error.code)
            return {"text": text}
        if isinstance(reply.image, bytes) and trouble_of(error) is ErrorAction.ASSET:
            self._uploads.forget(reply.image)
            if (picture := await self._uploads.picture(reply.image)) is not None:
                return {**message, "attachment": picture}
        return {"text": "\n\n".join(filter(None, (text, plain(reply.alt)))) or "…"}

    async def state(self) -> tuple[ChannelMetric, ...]:
        """Tell what was sent this month, and who can be written to for nothing, for money, not at all."""
        figures = await self._usage_meter.figures()
        now = self._clock()
        prices = await self._store.read(lambda tx: reach.prices(tx, NAME, self._rules.window, now=now))
        shown = [
            ChannelMetric(mark("Messages this month"), figures.get(SENT, 0)),
            ChannelMetric(mark("People the assistant can write to free of charge"), prices[reach.FREE]),
            ChannelMetric(mark("People the assistant can write to for a fee"), prices[reach.PAID]),
            ChannelMetric(mark("People who must write first"), prices[reach.CLOSED]),
        ]
        if "quota_total" in figures:
            left = figures.get("quota_remain", 0)
            shown.append(ChannelMetric(mark("Left of the package's messages"), left, figures["quota_total"]))
        return tuple(shown)

    async def close(self) -> None:
        """Let go of connections."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._usage_meter.flush()
        await self._transport.close()

    async def _answer(self, to: Person, message: Mapping[str, Any], answering: str) -> Receipt:
        """Send a message; the first one that answers another quotes it."""
        quotes = bool(answering) and is_platforms_own_id(answering) and answering not in self._quoted
        if quotes:
            self._quoted[answering] = None
            if len(self._quoted) > _MOST_KEPT:
                self._quoted.popitem(last=False)
            try:
                return await self._say(to, {**message, "quote_message_id": answering}, answering=True)
            except Rejected:
                log.info("quoted message refused, sent without", channel=NAME)
            except DeliveryError:
                self._quoted.pop(answering, None)
                raise
        return await self._say(to, message, answering=bool(answering))

    async def _say(self, to: Person, message: Mapping[str, Any], *, answering: bool) -> Receipt:
        asked = {"recipient": {"user_id": to.address}, "message": message}
        try:
            body = await self._call("/v3.0/oa/message/cs", json=asked, answering=answering)
        except Gone as error:
            code = error.code
            await self._store.write(lambda tx: reach.close(tx, to, code=code))
            raise
        except Unreachable as error:
            if error.retry_after:
                self._holds.note(to.address, error, answering=answering)
            raise
        data = body.get("data")
        data = data if isinstance(data, dict) else {}
        if self._set_up_wrong_until:
            self._set_up_wrong_until = 0.0
            self._report(None)
        self._usage_meter.count(SENT, also=lambda tx: self._note(tx, to, data.get("quota")))
        return Receipt(str(data.get("message_id") or ""))

    def _note(self, tx: Transaction, to: Person, quota: object) -> None:
        reach.note_sent(tx, to)
        if isinstance(quota, dict):
            for kind in ("remain", "total"):
                usage.put(tx, NAME, period=NOW, kind=f"quota_{kind}", amount=code_of(quota, kind))

    async def _call(
        self,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        form: Callable[[], aiohttp.FormData] | None = None,
        answering: bool = True,
    ) -> Mapping[str, Any]:
        """Call the account's interface; renews the key once when it is refused. Raises DeliveryError, StoreError."""
        token = await self._tokens.current()
        answer = await self._post(path, token, json, form, answering)
        if ACCOUNT.get(code_of(answer.body, "error")) is ErrorAction.TOKEN:
            token = await self._tokens.renew(refused=token)
            answer = await self._post(path, token, json, form, answering)
        failure = oa_error(answer, now=self._clock(), zone=self._zone)
        if failure is not None:
            await self._look_at(failure)
            raise failure
        return answer.body

    async def _post(
        self,
        path: str,
        token: str,
        json: Mapping[str, Any] | None,
        form: Callable[[], aiohttp.FormData] | None,
        answering: bool,
    ) -> ApiResponse:
        url, headers = f"{self._rules.api_base}{path}", {"access_token": token}
        try:
            return await self._transport.post(url, json=json, form=form() if form else None, headers=headers)
        except CallError as error:
            raise call_error(error, answering=answering) from None

    async def _look_at(self, failure: DeliveryError) -> None:
        """Do what an error asks of more than the one message."""
        trouble, today = trouble_of(failure), local_day(self._clock(), self._zone)
        if trouble is ErrorAction.SETUP:
            self._set_up_wrong_until = self._tick() + _SETUP_PAUSE
            self._report(str(failure))
            await self._alerts.sound(
                mark("Zalo refuses to send ({code}): the Official Account or its app must be set up differently."),
                once=f"{today} {failure.code}",
                code=failure.code,
            )
        elif trouble is ErrorAction.MONEY:
            await self._alerts.sound(
                mark("The Official Account's quota or money is used up ({code}); broadcasts wait."),
                once=f"{today} {failure.code}",
                code=failure.code,
            )
        elif isinstance(failure, Throttled):
            log.warning("Zalo asks for a pause", channel=NAME, code=failure.code, reason=str(failure))
        elif trouble is ErrorAction.PAYLOAD or trouble is None:
            log.error("message refused", channel=NAME, code=failure.code)

    async def _upload(self, path: str, form: Callable[[], aiohttp.FormData]) -> Mapping[str, Any]:
        return await self._call(path, form=form)

    def _spawn(self, work: Awaitable[object]) -> None:
        """Run something nobody waits for."""
        task = asyncio.get_running_loop().create_task(_unimportant(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _unimportant(work: Awaitable[object]) -> None:
    try:
        await work
    except (DeliveryError, StoreError) as error:
        log.debug("not done", reason=type(error).__name__)
