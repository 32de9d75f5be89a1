"""One request at the desk: who asks, what they may see, and the page they get; forms come from our own pages only."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote, unquote, urlsplit

import aiohttp_jinja2
from aiohttp import web
from multidict import MultiDict, MultiMapping

import bot
from bot import access
from bot.access.desk_sessions import Member, find_member
from bot.access.names import officer_names
from bot.broadcasts import Actor
from bot.channels.titles import CHANNEL_TITLES
from bot.clock import local_day
from bot.errors import NotAllowed
from bot.helpdesk.cases import HelpDesk
from bot.helpdesk.models import Officer, Waiting
from bot.i18n.catalogue import NAMES, Catalogue, mark
from bot.runtime.build import Service
from bot.statistics import counts
from bot.web.chat import LANGUAGE_COOKIE, catalogue_of
from bot.web.keys import SERVICE, TEMPLATES

COOKIE, RETURN_COOKIE, PATH = "desk", "desk-return", "/desk"
RETURN_SECONDS = 30 * 60
UPLOAD_SECONDS = 60.0
FOREIGN_FORM = mark(
    "This form did not come from the desk, or is too old. Please go back, reload the page and try again."
)
NOBODY = mark("You are not signed in, or your time at the desk is over. Type /desk in the chat for a new link.")
TOO_LARGE = mark("The file is larger than {megabytes} MB.")
NO_PAGE = mark("This page does not exist.")
Page = Callable[["PageContext"], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class PageContext:
    """What a page of the desk works with."""

    request: web.Request
    service: Service
    catalogue: Catalogue
    member: Member
    form: MultiMapping[str]

    @property
    def at(self) -> datetime:
        """The present moment."""
        return self.service.clock()

    @property
    def today(self) -> date:
        """The day where the citizens live."""
        return local_day(self.at, self.service.settings.zone)

    @property
    def step(self) -> int:
        """How coarse the counts are that this person may see."""
        return counts.step_for(self.member.grants, self.service.settings.privacy.small_count)

    @property
    def help_desk(self) -> HelpDesk:
        """The rules of talks between citizens and officers."""
        return HelpDesk(self.service.catalogues, self.service.settings, self.service.regions)

    @property
    def officer(self) -> Officer:
        """This person, as the one who answers citizens."""
        return Officer(self.member.id, self.member.grants)

    @property
    def actor(self) -> Actor:
        """This person, as the one who does something to a broadcast."""
        return Actor(self.member.id)

    def channel_title(self, name: str) -> str:
        """Return what a channel is called, to be translated."""
        channel = self.service.channels.get(name)
        return (channel.capabilities.title if channel else "") or CHANNEL_TITLES.get(name, name)

    def place_name(self, district: str) -> str:
        """Name a district; the province for none."""
        known = self.service.regions.districts.get(district)
        return known.title(self.catalogue.language) if known else self.t("place unknown")

    async def waiting(self) -> Waiting:
        """Count the citizens' messages that wait in this person's scope."""
        return await self.service.store.read(lambda tx: self.help_desk.waiting(tx, self.officer, at=self.at))

    def t(self, sentence: str, /, **values: object) -> str:
        """Translate a sentence."""
        return self.catalogue.t(sentence, **values)

    def allows(self, action: access.Action, district: str = "") -> bool:
        """Tell whether this person may do something, in a district or the whole province."""
        return access.refusal(self.member.grants, action, district) is None

    def require(self, action: access.Action, district: str = "") -> None:
        """Go on only if this person may do something; answers 403 with why."""
        if (sentence := access.refusal(self.member.grants, action, district)) is not None:
            raise web.HTTPForbidden(reason=sentence)

    def scope(self, action: access.Action) -> frozenset[str] | None:
        """Return the districts in which this person may do something; None for the whole province."""
        return access.scopes(self.member.grants, action.role)

    async def audit(self, action: str, detail: str) -> None:
        """Add a line to the audit, before anything leaves."""
        actor = f"person {self.member.id}"
        await self.service.store.write(
            lambda tx: access.write_audit(tx, actor=actor, action=action, detail=detail, at=self.at)
        )

    def go(self, address: str) -> web.Response:
        """Send the browser to a page of the desk, so that reloading it repeats nothing."""
        return web.Response(status=303, headers={"Location": f"{PATH}/{address}"})

    async def refuse(self, status: int, sentence: str, **values: object) -> web.Response:
        """Answer with a page of one sentence, which is translated, and the way to all other pages."""
        return await self.show("refused.html", status=status, sentence=self.t(sentence, **values))

    async def show(self, template: str, *, status: int = 200, **values: object) -> web.Response:
        """Render a page."""
        simulated = await counts.are_simulated(self.service.store)
        names = await self.service.store.read(officer_names)
        shared = {
            **frame(self.request, self.catalogue),
            "visit": self,
            "sees_audit": self.allows(access.READ_AUDIT),
            "manages_roles": self.allows(access.MANAGE_ROLES),
            "c": self.catalogue,
            "waiting": await self.waiting(),
            "officer_name": lambda number: names.of(number, self.catalogue),
            "zone": self.service.settings.zone,
            "token": form_token(self.service.secret, self.member.session),
            "simulated": self.t(counts.SIMULATED) if simulated else "",
        }
        return aiohttp_jinja2.render_template(
            f"desk/{template}", self.request, {**shared, **values}, app_key=TEMPLATES, status=status
        )


def frame(request: web.Request, catalogue: Catalogue) -> dict[str, object]:
    """Return what every page has, also without a session."""
    others = [language for language in request.app[SERVICE].settings.languages if language != catalogue.language]
    return {
        "visit": None,
        "simulated": "",
        "waiting": None,
        "t": catalogue.t,
        "lang": catalogue.language,
        "other_lang": others[0] if others else "",
        "language_names": NAMES,
        "version": bot.__version__,
        "path": request.path,
    }


def page(
    action: access.Action, work: Page, *, auto_refresh: bool = False, largest_body: int = 0
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make a handler of a page that only who may do something somewhere gets to see.

    A page with `auto_refresh` is asked for without anybody's doing and keeps no session alive. A form that uploads a
    file may have `largest_body` bytes, which are read only once it is known who sends them.
    """

    async def handler(request: web.Request) -> web.StreamResponse:
        service, catalogue = request.app[SERVICE], catalogue_of(request)
        form: MultiDict[str] = MultiDict()
        posted = request.method == "POST"
        if posted and not is_same_origin(request):
            return refused(request, 403, catalogue.t(FOREIGN_FORM))
        async with AsyncExitStack() as files:
            if posted and not largest_body:
                form = await _read_form(request, files)
            session = request.cookies.get(COOKIE, "")
            used = not auto_refresh
            member = await find_member(service.store, session, at=service.clock(), used=used) if session else None
            if member is None:
                return _signed_out(request, catalogue, form, come_back=used)
            context = PageContext(request, service, catalogue, member, form)
            if access.refusal([access.Grant(g.role) for g in member.grants], action) is not None:
                return await context.refuse(403, access.NO_ROLE[action.role])
            if posted and largest_body:
                request = request.clone(client_max_size=largest_body)
                try:
                    form = await _read_form(request, files)
                except web.HTTPRequestEntityTooLarge:
                    return await context.refuse(413, TOO_LARGE, megabytes=largest_body // 1_000_000)
                context = PageContext(request, service, catalogue, member, form)
            if posted:
                expected = form_token(service.secret, session)
                if not hmac.compare_digest(form.get("token", "").encode(), expected.encode()):
                    return await _ask_again(context)
            return await _answer(context, work)

    return handler


async def _read_form(request: web.Request, files: AsyncExitStack) -> MultiDict[str]:
    """Return the texts of a form, empty if it is none; its files stay open until `files` is closed."""
    form: MultiDict[str] = MultiDict()
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            posted = await request.post()
    except (ValueError, TimeoutError):  # no form, or one that does not end
        return form
    for name, value in posted.items():
        if isinstance(value, str):
            form.add(name, value)
        elif isinstance(value, web.FileField):
            files.callback(value.file.close)
    return form


async def _answer(context: PageContext, work: Page) -> web.StreamResponse:
    """Do what a page does; what may not be done is said with the way to all other pages."""
    try:
        response = await work(context)
    except web.HTTPForbidden as error:
        return await context.refuse(403, error.reason)
    except web.HTTPNotFound:
        return await context.refuse(404, NO_PAGE)
    except NotAllowed as refusal:
        return await context.refuse(409, str(refusal))
    language = context.catalogue.language
    if context.request.query.get("lang") == language:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=365 * 24 * 3600, samesite="Lax", httponly=True)
    return response


async def not_found(page: PageContext) -> web.StreamResponse:
    """Say that an address leads nowhere."""
    return await page.refuse(404, NO_PAGE)


def _signed_out(
    request: web.Request, catalogue: Catalogue, form: MultiMapping[str], *, come_back: bool
) -> web.Response:
    """Ask to sign in; what was typed is kept on the page, and after signing in a page that was asked for comes back."""
    if request.method == "POST":
        return _keep_typed(request, catalogue, form)
    response = refused(request, 401, catalogue.t(NOBODY))
    if come_back:
        response.set_cookie(
            RETURN_COOKIE, quote(request.path_qs), max_age=RETURN_SECONDS, path=PATH, httponly=True, samesite="Strict"
        )
    return response


def _keep_typed(request: web.Request, catalogue: Catalogue, form: MultiMapping[str]) -> web.Response:
    values = {**frame(request, catalogue), **_typed(form), "signed_out": True, "token": ""}
    return aiohttp_jinja2.render_template("desk/again.html", request, values, app_key=TEMPLATES, status=401)


async def _ask_again(context: PageContext) -> web.Response:
    """Ask once more for a form of an earlier session; nothing of it was done."""
    return await context.show("again.html", status=403, signed_out=False, **_typed(context.form))


def _typed(form: MultiMapping[str]) -> dict[str, object]:
    """Return the fields of a form: those that somebody wrote, and the rest."""
    fields = [(name, value) for name, value in form.items() if name != "token"]
    return {
        "written": [(name, value) for name, value in fields if name.startswith("text")],
        "others": [(name, value) for name, value in fields if not name.startswith("text")],
    }


def return_address(request: web.Request) -> str:
    """Return the page of the desk that was asked for before signing in; the first one if there was none."""
    address = unquote(request.cookies.get(RETURN_COOKIE, ""))
    own = address.startswith(f"{PATH}/") and "//" not in address and "\\" not in address
    return address if own and not address.startswith(f"{PATH}/in?") else f"{PATH}/"


def refused(request: web.Request, status: int, sentence: str) -> web.Response:
    """Answer with a page of one sentence."""
    values = {**frame(request, catalogue_of(request)), "sentence": sentence}
    return aiohttp_jinja2.render_template("desk/refused.html", request, values, app_key=TEMPLATES, status=status)


def is_same_origin(request: web.Request) -> bool:
    """Tell whether a form was sent by a page of this very site, as far as the browser says."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def form_token(secret: bytes, session: str) -> str:
    """Return what the forms of a session carry."""
    return hmac.new(secret, b"desk form " + session.encode(), hashlib.sha256).hexdigest()


def number_in(text: str) -> int:
    """Read the number of a talk, broadcast or person; 0, which none of them has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
