"""The web chat: its page, its messages, and what reaches it later."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import uuid
from typing import Any

import orjson
from aiohttp import web

import bot
from bot.channels.webchat import NAME
from bot.errors import Flooded, Overloaded
from bot.exports.screens import Theme
from bot.i18n.catalogue import Catalogue, mark
from bot.message import IncomingMessage, Outcome, Person, Reply
from bot.runtime.build import Service
from bot.serialization import load_outcome
from bot.store import messages
from bot.text.markup import to_html, to_plain
from bot.web import screens
from bot.web.keys import ALL_MESSAGES, LISTENERS, NEW_SESSIONS, SERVICE, TEMPLATES
from bot.web.session import ForgedError, WebSession, keep_session, new_session, read_session

LANGUAGE_COOKIE = "lang"
_LONGEST_CHOICE = 200
_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_HEARTBEAT_SECONDS = 20.0
_OVERLOAD_SECONDS = 5.0
_MOST_TABS = 8  # of one session that may listen at once
_LINK_ATTRIBUTES = ' target="_blank" rel="noopener noreferrer"'


async def page(request: web.Request) -> web.Response:
    """Serve the chat in the visitor's language."""
    service, catalogue = request.app[SERVICE], catalogue_of(request)
    others = [language for language in service.settings.languages if language != catalogue.language]
    html = (
        request.app[TEMPLATES]
        .get_template("chat.html")
        .render(lang=catalogue.language, other_lang=others[0] if others else "", version=bot.__version__, t=catalogue.t)
    )
    response = web.Response(text=html, content_type="text/html")
    try:
        session = read_session(request, service.secret)
    except ForgedError:
        session = None
    if session is None:
        # Before the first message, so that one whose answer is lost can be repeated under the same session.
        keep_session(response, new_session(), service.secret, secure=request.secure, talks=False)
    if request.query.get("lang") == catalogue.language:
        response.set_cookie(LANGUAGE_COOKIE, catalogue.language, max_age=365 * 24 * 3600, samesite="Lax", httponly=True)
    return response


async def post(request: web.Request) -> web.Response:
    """Take a message and answer with its replies; a repeated id gets the same replies and is done once."""
    service, catalogue = request.app[SERVICE], catalogue_of(request)
    session = _session(request)
    person = Person(NAME, session.name)
    message = _message(await _json(request), person, service)
    if not session.talks and (wait := request.app[NEW_SESSIONS].take()):
        return _flooded(catalogue, wait)
    if wait := request.app[ALL_MESSAGES].take():
        return _flooded(catalogue, wait)
    try:
        ticket = await service.inbox.receive(message)
    except Flooded as flood:
        return _flooded(catalogue, flood.retry_after)
    except Overloaded:
        return _flooded(catalogue, _OVERLOAD_SECONDS)
    # Shielded: a browser that hangs up must not cancel what others may wait for.
    outcome = await asyncio.shield(ticket.done)
    response = web.json_response(body=orjson.dumps(_shown(outcome, message.id)))
    keep_session(response, person.address, service.secret, secure=request.secure)
    return response


async def events(request: web.Request) -> web.StreamResponse:
    """Stream what reaches this session later, from the last event the browser saw."""
    service = request.app[SERVICE]
    person, listeners = Person(NAME, _session(request, needed=True).name), request.app[LISTENERS]
    if listeners[person.address] >= _MOST_TABS or listeners.total() >= service.settings.web.event_streams:
        return _flooded(catalogue_of(request), _OVERLOAD_SECONDS)
    listeners[person.address] += 1
    try:
        return await _stream(request, person)
    finally:
        listeners[person.address] -= 1
        if not listeners[person.address]:
            del listeners[person.address]


async def _stream(request: web.Request, person: Person) -> web.StreamResponse:
    service = request.app[SERVICE]
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    await response.write(b"retry: 3000\n\n")
    seen = _last_event(request)
    while not service.closing.is_set():
        for number, reply in await service.webchat.events(person, after=seen):
            seen = number
            data = orjson.dumps(_shown_reply(reply, ""))
            await response.write(b"id: %d\nevent: reply\ndata: %s\n\n" % (number, data))
        await service.webchat.wait(person.address, _HEARTBEAT_SECONDS)
        await response.write(b": still here\n\n")
    return response


async def file(request: web.Request) -> web.Response:
    """Hand out a file that came with a reply, to the session it was meant for."""
    service = request.app[SERVICE]
    name = _session(request).name
    message_id = request.query.get("id", "")
    row = await service.store.read(lambda tx: messages.find(tx, channel=NAME, message_id=message_id))
    if row is not None and row["address"] == name:
        for reply in load_outcome(row["replies"]).replies:
            if reply.file is not None:
                headers = {"Content-Disposition": f'attachment; filename="{reply.file.name}"'}
                return web.Response(body=reply.file.content, content_type=reply.file.media_type, headers=headers)
    raise web.HTTPNotFound


def catalogue_of(request: web.Request) -> Catalogue:
    """Choose the language of a page: asked for, remembered, else the default."""
    service = request.app[SERVICE]
    for wanted in (request.query.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wanted and wanted in service.catalogues:
            return service.catalogues[wanted]
    return service.catalogues[service.settings.default_language]


def _session(request: web.Request, *, needed: bool = False) -> WebSession:
    try:
        session = read_session(request, request.app[SERVICE].secret)
    except ForgedError:
        raise web.HTTPForbidden(reason=mark("This chat session is not valid. Please open the page again.")) from None
    if session is None and needed:
        raise web.HTTPForbidden(reason=mark("Open the chat first."))
    return session or WebSession(new_session(), talks=False)


async def _json(request: web.Request) -> dict[str, Any]:
    # A form of another site cannot send this type, so no other site can speak for a visitor.
    if request.content_type != "application/json":
        raise web.HTTPBadRequest(reason=mark("The message must be JSON."))
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise web.HTTPBadRequest(reason=mark("The message must be JSON.")) from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(reason=mark("The message must be JSON."))
    return body


def _message(body: dict[str, Any], person: Person, service: Service) -> IncomingMessage:
    text, choice, message_id = body.get("text", ""), body.get("choice", ""), body.get("id") or uuid.uuid4().hex
    for value in (text, choice, message_id):
        if not isinstance(value, str):
            raise web.HTTPBadRequest(reason=mark("Send a text or a choice."))
    if bool(text.strip()) == bool(choice) or len(choice) > _LONGEST_CHOICE or not _MESSAGE_ID.fullmatch(message_id):
        raise web.HTTPBadRequest(reason=mark("Send a text or a choice."))
    # Bound to the session, so that nobody can read or take another's message id.
    bound = hashlib.sha256(f"{person.address} {message_id}".encode()).hexdigest()[:40]
    return IncomingMessage(person=person, id=bound, at=service.clock(), text=text, choice=choice)


def _flooded(catalogue: Catalogue, wait: float) -> web.Response:
    sentence = catalogue.t("You are writing faster than I can read. Please wait a moment and try again.")
    return web.json_response({"error": sentence}, status=429, headers={"Retry-After": str(int(wait) + 1)})


def _last_event(request: web.Request) -> int:
    given = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
    return int(given) if given.isdecimal() and len(given) < 19 else 0


def _shown(outcome: Outcome, message_id: str) -> dict[str, Any]:
    return {"replies": [_shown_reply(reply, message_id) for reply in outcome.replies], "erased": outcome.erased}


def _shown_reply(reply: Reply, message_id: str) -> dict[str, Any]:
    return {
        "text": to_plain(reply.text),
        "html": to_html(reply.text, link_attributes=_LINK_ATTRIBUTES),
        "buttons": [{"label": button.label, "choice": button.choice} for button in reply.buttons],
        "image": _address(reply.image, "light"),
        "image_dark": screens.address(reply.image, "dark") if isinstance(reply.image, str) else "",
        "alt": reply.alt,
        "file": {"name": reply.file.name, "url": f"/api/chat/file?id={message_id}"} if reply.file else None,
    }


def _address(image: bytes | str, theme: Theme) -> str:
    if isinstance(image, str):
        return screens.address(image, theme) or image
    return f"data:image/png;base64,{base64.b64encode(image).decode()}" if image else ""
