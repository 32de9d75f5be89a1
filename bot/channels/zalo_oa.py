"""A Zalo Official Account as a channel: the one for citizens at scale.

Zalo brings events by webhook and is answered when they are in the inbox. Choices are numbered lines always; buttons can
be added to them by a setting, because only a real account can tell whether it may have any.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

import aiohttp
import structlog

from bot.channels.channel import Receive
from bot.channels.meter import NOW, Meter
from bot.channels.zalo_errors import ASSET, CLOSED, LOST, PAYLOAD, SETUP, TOKEN, call_error, code_of, oa_error
from bot.channels.zalo_oa_events import (
    CHOICE_MARK,
    NAME,
    Notice,
    Receipts,
    Verifier,
    is_platforms_own_id,
    read_event,
)
from bot.channels.zalo_oa_tokens import Tokens
from bot.channels.zalo_speech import LONGEST_TEXT, as_texts, file_in_words, nfc_length, plain, with_alternative
from bot.channels.zalo_transport import Answer, CallError, Transport
from bot.clock import Clock, stamp
from bot.errors import DeliveryError, Flooded, Gone, Rejected, StoreError, Unreachable
from bot.i18n import mark
from bot.limits import Buckets
from bot.message import Attachment, Button, Figure, IncomingMessage, Pace, Person, Receipt, Reply, Traits
from bot.store import Store, Transaction, reach, usage

log = structlog.get_logger()

SENT = "sent"
LARGEST_PICTURE, LARGEST_FILE = 1_000_000, 5_000_000
_UPLOADED_FILES = (".pdf", ".doc", ".docx", ".csv")
_MOST_BUTTONS, _LONGEST_TITLE, _LONGEST_PAYLOAD = 5, 100, 1000
_UPLOAD_LIFETIME = timedelta(days=6)  # of seven
_FRESH_PAUSE = 30.0
_SETUP_PAUSE = 300.0  # after which a wrong set-up is tried again
_MOST_KEPT = 10_000

Report = Callable[[str | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the account may do, and what a message costs; all of it is the vendor's to change."""

    api_base: str
    answer_seconds: float = 15.0
    buttons: bool = False
    button_template: str = ""
    free_hours: int = 48
    free_messages: int = 8
    paid_days: int = 7
    quiet_minutes: int = 60


class ZaloOA:
    """One Official Account."""

    name = NAME

    def __init__(
        self,
        store: Store,
        *,
        rules: Rules,
        tokens: Tokens,
        transport: Transport,
        verifier: Verifier,
        meter: Meter,
        pace: Pace,
        too_fast: str,
        zone: tzinfo,
        clock: Clock,
        report: Report,
        alert: Callable[[str, Mapping[str, object]], Awaitable[None]],
        tick: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        """Prepare everything, connect to nothing yet.

        `too_fast` is what flooding people read; `report` is told what is wrong with the channel, or None; `alert`
        passes a sentence on to the admins.
        """
        self._store, self._rules, self._tokens, self._transport = store, rules, tokens, transport
        self._verifier, self._meter, self._zone, self._clock = verifier, meter, zone, clock
        self._too_fast, self._report, self._alert = too_fast, report, alert
        self._tick, self._sleep = tick, sleep
        self.traits = Traits(
            longest_text=LONGEST_TEXT,
            title=mark("Zalo"),
            measure=nfc_length,
            buttons=False,
            starts_talk=False,
            windows=True,
            quiet_minutes=rules.quiet_minutes,
            pace=pace,
        )
        self._receive: Receive | None = None
        self._closed = False
        self._set_up_wrong_until = 0.0
        self._matched = ""
        self._decorates = rules.buttons
        self._told_off = Buckets(1)
        self._quoted: OrderedDict[str, None] = OrderedDict()
        self._uploads: OrderedDict[str, tuple[str, datetime]] = OrderedDict()
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

    async def take(self, raw: Mapping[str, Any]) -> None:
        """Take one event; returns when it is safe. Raises StoreError."""
        event = read_event(raw, now=self._clock())
        if isinstance(event, IncomingMessage):
            await self._hand_in(event)
        elif isinstance(event, Receipts):
            self._meter.count(event.kind, event.count)
        elif isinstance(event, Notice):
            self._spawn(self._alert(mark("Zalo reports {event}; please look at the Official Account's console."),
                                    {"event": event.event}))  # fmt: skip
        else:
            log.debug("event ignored", channel=NAME, event_name=str(raw["event_name"])[:60])

    async def _hand_in(self, message: IncomingMessage) -> None:
        assert self._receive is not None  # nothing is taken before listen
        try:
            await self._receive(message)
        except Flooded:
            if not self._told_off.take(message.person):
                self._spawn(self._say(message.person, {"text": self._too_fast}, answering=True))

    # -- out --------------------------------------------------------------------------------------------------

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        """Deliver one reply, quoting the message it answers; pictures by upload, in words where that fails."""
        if self._closed:
            raise Unreachable("The channel is closed.", code="channel-off")
        if self._tick() < self._set_up_wrong_until:
            raise Unreachable("Zalo wants the Official Account or the app set up differently.", code="set-up")
        text, attachment = plain(reply.text), await self._picture(reply)
        if reply.image and attachment is None:
            text = with_alternative(reply)
        if reply.file:
            uploaded = await self._file(reply.file)
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
                message["attachment"] = self._buttons(reply.buttons)
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
        if isinstance(reply.image, bytes) and code_of({"code": error.code}, "code") in ASSET:
            self._uploads.pop(hashlib.sha256(reply.image).hexdigest(), None)
            if (picture := await self._picture(reply)) is not None:
                return {**message, "attachment": picture}
        return {"text": "\n\n".join(filter(None, (text, plain(reply.alt)))) or "…"}

    async def state(self) -> tuple[Figure, ...]:
        """Tell what was sent this month, and who can be written to for nothing, for money, not at all."""
        figures = await self._meter.figures()
        now, rules = self._clock(), self._rules
        windows = await self._store.read(
            lambda tx: reach.windows(
                tx,
                NAME,
                free_since=stamp(now - timedelta(hours=rules.free_hours)),
                paid_since=stamp(now - timedelta(days=rules.paid_days)),
                free_messages=rules.free_messages,
            )
        )
        shown = [
            Figure(mark("Messages this month"), figures.get(SENT, 0)),
            Figure(mark("Can be written to free of charge"), windows["free"]),
            Figure(mark("Can be written to for a fee"), windows["paid"]),
            Figure(mark("Must write first"), windows["closed"]),
        ]
        if "quota_total" in figures:
            left = figures.get("quota_remain", 0)
            shown.append(Figure(mark("Left of the package's messages"), left, figures["quota_total"]))
        return tuple(shown)

    async def close(self) -> None:
        """Let go of connections."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._meter.flush()
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
            if code_of({"code": error.code}, "code") in CLOSED | LOST:
                code = error.code
                await self._store.write(lambda tx: reach.close(tx, to, code=code))
            raise
        data = body.get("data")
        data = data if isinstance(data, dict) else {}
        if self._set_up_wrong_until:
            self._set_up_wrong_until = 0.0
            self._report(None)
        self._meter.count(SENT, also=lambda tx: self._note(tx, to, data.get("quota")))
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
        if code_of(answer.body, "error") in TOKEN:
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
    ) -> Answer:
        url, headers = f"{self._rules.api_base}{path}", {"access_token": token}
        try:
            return await self._transport.post(url, json=json, form=form() if form else None, headers=headers)
        except CallError as error:
            raise call_error(error, answering=answering) from None

    async def _look_at(self, failure: DeliveryError) -> None:
        """Do what an error asks of more than the one message."""
        code = code_of({"code": failure.code}, "code")
        if code in SETUP:
            self._set_up_wrong_until = self._tick() + _SETUP_PAUSE
            self._report(str(failure))
            await self._alert(
                mark("Zalo refuses to send ({code}): the Official Account or its app must be set up differently."),
                {"code": failure.code},
            )
        elif code in PAYLOAD:
            log.error("message refused", channel=NAME, code=code)

    # -- pictures, files, buttons -----------------------------------------------------------------------------

    async def _picture(self, reply: Reply) -> Mapping[str, Any] | None:
        """Return a reply's picture as an attachment; None when it has none that Zalo takes."""
        if not reply.image:
            return None
        if isinstance(reply.image, str):
            return _media({"url": reply.image})
        if len(reply.image) > LARGEST_PICTURE:
            return None
        digest, now = hashlib.sha256(reply.image).hexdigest(), self._clock()
        number, uploaded_at = self._uploads.get(digest, ("", now))
        if not number or now - uploaded_at > _UPLOAD_LIFETIME:
            try:
                number = await self._upload(
                    "/v2.0/oa/upload/image", "picture.png", "image/png", reply.image, "attachment_id"
                )
            except Rejected as error:
                log.warning("picture refused, sent in words", channel=NAME, code=error.code)
                return None
            self._uploads[digest] = number, now
            if len(self._uploads) > _MOST_KEPT:
                self._uploads.popitem(last=False)
        return _media({"attachment_id": number})

    async def _file(self, file: Attachment) -> Mapping[str, Any] | None:
        """Return a file as an attachment; None when Zalo takes none of its kind."""
        if not file.name.lower().endswith(_UPLOADED_FILES) or len(file.content) > LARGEST_FILE:
            return None
        try:
            token = await self._upload("/v2.0/oa/upload/file", file.name, file.media_type, file.content, "token")
        except Rejected as error:
            log.warning("file refused, sent in words", channel=NAME, code=error.code)
            return None
        return {"type": "file", "payload": {"token": token}}

    async def _upload(self, path: str, name: str, media_type: str, content: bytes, key: str) -> str:
        def form() -> aiohttp.FormData:
            made = aiohttp.FormData()
            made.add_field("file", content, filename=name, content_type=media_type)
            return made

        data = (await self._call(path, form=form)).get("data")
        number = data.get(key) if isinstance(data, dict) else None
        if not number:
            raise Rejected("Zalo took an upload without giving its number.", code="upload")
        return str(number)

    def _buttons(self, buttons: tuple[Button, ...]) -> Mapping[str, Any]:
        """Add the first choices as buttons, beside the numbered lines."""
        shown = [
            {
                "title": button.label[:_LONGEST_TITLE],
                "type": "oa.query.hide",
                "payload": f"{CHOICE_MARK}{button.choice}",
            }
            for button in buttons[:_MOST_BUTTONS]
            if len(button.choice) + len(CHOICE_MARK) <= _LONGEST_PAYLOAD
        ]
        template = {"template_type": self._rules.button_template} if self._rules.button_template else {}
        return {"type": "template", "payload": {**template, "buttons": shown}}

    def _spawn(self, work: Awaitable[object]) -> None:
        """Run something nobody waits for."""
        task = asyncio.get_running_loop().create_task(_unimportant(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _media(where: Mapping[str, str]) -> Mapping[str, Any]:
    element = {"media_type": "image", **where}
    return {"type": "template", "payload": {"template_type": "media", "elements": [element]}}


async def _unimportant(work: Awaitable[object]) -> None:
    try:
        await work
    except (DeliveryError, StoreError) as error:
        log.debug("not done", reason=type(error).__name__)
