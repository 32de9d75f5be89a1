"""The keys of an Official Account: renewed by one process at a time, stored before they are used, never written down
anywhere else.

A refresh token works once. Should its answer be lost on the way, the account is locked out until an admin of the
account consents again (`python -m bot zalo-oa login`).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import urlencode

import structlog

from bot.channels.alerts import AdminAlerts
from bot.channels.zalo.errors import ACCOUNT, ErrorAction, code_of
from bot.channels.zalo.transport import ApiResponse, CallError, ZaloTransport
from bot.clock import Clock, moment, stamp
from bot.cluster.lease import Lease
from bot.errors import BotError, StoreError, Unreachable
from bot.i18n.catalogue import mark
from bot.store import Row, Store, Transaction, credentials

log = structlog.get_logger()

CREDENTIAL = "zalo_oa"
LOGIN_COMMAND = "python -m bot zalo-oa login"
LOGIN_HINT = f"run: {LOGIN_COMMAND}"
_RENEW_AFTER, _ALARM_AFTER = timedelta(hours=20), timedelta(hours=24)  # of 25
_MARGIN = timedelta(minutes=5)
_USUAL_LIFETIME = 90_000
_LEASE_SECONDS, _LEASE_PAUSE, _MOST_LEASE_TRIES = 60.0, 0.5, 60
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The app that the Official Account allowed to speak for it."""

    id: str
    secret: str
    oauth_base: str
    refresh_token: str = ""

    @property
    def seed(self) -> str:
        """A mark of the refresh token in the settings, so that a newer one there is noticed."""
        return hashlib.sha256(self.refresh_token.encode()).hexdigest()[:16]


class ConsentNeeded(BotError):
    """Zalo gives no keys; only a new consent helps."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token, the refresh token for the next one, and how long the first lives."""

    access: str
    refresh: str
    seconds: int


class Tokens:
    """Hands out the access token that is valid now."""

    def __init__(
        self,
        store: Store,
        *,
        app: App,
        transport: ZaloTransport,
        clock: Clock,
        report: Callable[[str | None], None],
        alerts: AdminAlerts,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        """Read nothing yet.

        `report` is told when the keys are in danger, and None when they are not any more; `alarm` reaches the admins.
        """
        self._store, self._app, self._transport, self._clock = store, app, transport, clock
        self._report, self._alerts, self._sleep = report, alerts, sleep
        self._lease = Lease(store, f"{CREDENTIAL}:token", seconds=_LEASE_SECONDS, clock=clock)
        self._alone = asyncio.Lock()
        self._access, self._expires_at = "", ""
        self._refused = ""  # a token that Zalo does not take any more, whatever its time says
        self._unsaved: tuple[Pair, datetime] | None = None  # the only copy of a pair that could not be stored yet
        self._tried_dead = False  # a dead key is tried once a start, should the app's secret have been the mistake

    async def current(self) -> str:
        """Return an access token that should be valid; raises Unreachable, StoreError."""
        if self._access and stamp(self._clock()) < self._expires_at:
            return self._access
        return await self.renew(refused="")

    async def renew(self, *, refused: str, early: bool = False) -> str:
        """Return an access token other than the refused one; many callers renew once.

        With `early`, the refused one still serves should there be no other. Raises Unreachable, StoreError.
        """
        async with self._alone:
            row = await self._row()
            if row is not None and self._usable(row, refused):
                return self._take(row)
            if refused and not early:
                self._refused = refused
            for _ in range(_MOST_LEASE_TRIES):
                if await self._lease.hold():
                    break
                await self._sleep(_LEASE_PAUSE)
                row = await self._row()
                if row is not None and self._usable(row, refused):
                    return self._take(row)
            else:
                raise Unreachable("Another process has been renewing Zalo's keys for too long.", code="token")
            try:
                row = await self._row()
                if row is not None and self._usable(row, refused):
                    return self._take(row)
                return await self._renew(row)
            finally:
                await self._lease.give_back()

    async def keep_fresh(self) -> None:
        """Renew in good time; to be called again and again. Raises Unreachable, StoreError."""
        row = await self._row()
        if row is None or row["dead"] or self._unsaved is not None or self._is_superseded(row):
            await self.renew(refused="")
            return
        self._take(row)
        age = self._clock() - moment(row["obtained_at"])
        if age < _RENEW_AFTER:
            return
        try:
            await self.renew(refused=row["access"], early=True)
        except (Unreachable, StoreError):
            if age >= _ALARM_AFTER:
                await self._alerts.sound(
                    mark(
                        "The Official Account's keys have not been renewed for {hours} hours; see the state of "
                        "the assistant."
                    ),
                    once=row["obtained_at"],
                    hours=int(_ALARM_AFTER.total_seconds() // 3600),
                )
            raise

    async def _row(self) -> Row | None:
        return await self._store.read(lambda tx: credentials.find(tx, CREDENTIAL))

    def _usable(self, row: Row, refused: str) -> bool:
        lives = row["access"] and stamp(self._clock()) < row["expires_at"]
        return bool(lives) and row["access"] not in (refused, self._refused) and not self._is_superseded(row)

    def _is_superseded(self, row: Row) -> bool:
        """Tell whether the settings hold a newer refresh token than the one the stored pair descends from."""
        return bool(self._app.refresh_token) and row["seed"] != self._app.seed

    def _take(self, row: Row) -> str:
        if row["access"] != self._access:
            self._access, self._expires_at = row["access"], row["expires_at"]
        self._report(f"{row['dead']} Messages still leave until {row['expires_at']}." if row["dead"] else None)
        return self._access

    async def _renew(self, row: Row | None) -> str:
        if self._unsaved is not None and row is not None and row["obtained_at"] > stamp(self._unsaved[1]):
            self._unsaved = None  # another process was given newer ones
        if self._unsaved is None:
            self._unsaved = await self._ask(row), self._clock()
        pair, obtained_at = self._unsaved
        try:
            await keep_pair(self._store, self._app, pair, obtained_at=obtained_at)
        except StoreError as error:
            self._report(f"New keys of Zalo wait for the database; stopping the bot now would lose them. {error}")
            raise
        self._unsaved = None
        self._access = pair.access
        self._expires_at = _expiry(pair, obtained_at)
        self._report(None)
        log.info("keys renewed", channel=CREDENTIAL)
        return self._access

    async def _ask(self, row: Row | None) -> Pair:
        superseded = row is not None and self._is_superseded(row)
        refresh = row["refresh"] if row is not None and not superseded else self._app.refresh_token
        dead = row is not None and bool(row["dead"]) and not superseded
        if not refresh or (dead and self._tried_dead):
            self._fail(row, f"Zalo's Official Account gives no keys any more; {LOGIN_HINT}.")
        asked = {"refresh_token": refresh, "app_id": self._app.id, "grant_type": "refresh_token"}
        try:
            return await ask_for_pair(self._transport, self._app, asked)
        except ConsentNeeded as refusal:
            self._tried_dead = True
            why = f"{refusal} To give a new consent, {LOGIN_HINT}."
            await self._store.write(lambda tx: self._bury(tx, why, known=dead))
            self._fail(row, why)
        except Unreachable as error:
            self._fail(row, str(error), code=error.code)

    def _bury(self, tx: Transaction, why: str, *, known: bool) -> None:
        credentials.bury(tx, CREDENTIAL, seed=self._app.seed, why=why, at=stamp(self._clock()))
        if not known:
            self._alerts.ring(
                tx,
                mark(
                    "Zalo gives the Official Account no keys any more; whoever runs the server must give a new consent."
                ),
            )

    def _fail(self, row: Row | None, trouble: str, *, code: str = "token") -> NoReturn:
        """Say what is wrong, and until when the present token still serves."""
        lives = row is not None and self._usable(row, self._refused)
        self._report(f"{trouble} Messages still leave until {row['expires_at']}." if row and lives else trouble)
        raise Unreachable(trouble, code=code)


async def keep_pair(store: Store, app: App, pair: Pair, *, obtained_at: datetime) -> None:
    """Store a pair durably; only then may it be used."""
    await store.write(
        lambda tx: credentials.keep(
            tx,
            CREDENTIAL,
            access=pair.access,
            refresh=pair.refresh,
            seed=app.seed,
            obtained_at=stamp(obtained_at),
            expires_at=_expiry(pair, obtained_at),
        )
    )


def _expiry(pair: Pair, obtained_at: datetime) -> str:
    return stamp(obtained_at + timedelta(seconds=pair.seconds) - _MARGIN)


async def ask_for_pair(transport: ZaloTransport, app: App, asked: Mapping[str, str]) -> Pair:
    """Ask Zalo for a new pair; raises ConsentNeeded when only a person can help, Unreachable when trying again may."""
    try:
        answer = await transport.post(
            f"{app.oauth_base}/v4/oa/access_token", form=asked, headers={"secret_key": app.secret}
        )
    except CallError as error:
        raise Unreachable(f"Zalo's keys cannot be renewed: {error}.", code="oauth") from None
    return _read_pair(answer)


def _read_pair(answer: ApiResponse) -> Pair:
    access, refresh = answer.body.get("access_token"), answer.body.get("refresh_token")
    if isinstance(access, str) and access and isinstance(refresh, str) and refresh:
        return Pair(access, refresh, code_of(answer.body, "expires_in") or _USUAL_LIFETIME)
    code = code_of(answer.body, "error")
    if not answer.body or answer.status >= _SERVER_ERROR or ACCOUNT.get(code) is ErrorAction.RATE:
        raise Unreachable(f"Zalo's keys cannot be renewed (status {answer.status}).", code="oauth")
    name = str(answer.body.get("error_name") or "no reason given")[:80]
    raise ConsentNeeded(f"Zalo gives the Official Account no keys ({code}: {name}).")


# -- a new consent -----------------------------------------------------------------------------------------------


def verifier_of(secret: bytes, app_id: str) -> str:
    """Return the PKCE verifier: always the same for one bot, because the console keeps its challenge."""
    digest = hmac.new(secret, b"zalo consent " + app_id.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def challenge_of(verifier: str) -> str:
    """Return what the console and the link are given in the verifier's place."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def consent_link(app: App, *, verifier: str, redirect_url: str, state: str) -> str:
    """Return the page on which an admin of the Official Account consents."""
    asked = {
        "app_id": app.id,
        "redirect_uri": redirect_url,
        "code_challenge": challenge_of(verifier),
        "state": state,
    }
    return f"{app.oauth_base}/v4/oa/permission?{urlencode(asked)}"


def exchange(app: App, *, code: str, verifier: str) -> Mapping[str, str]:
    """Return what to ask for with the code of a consent."""
    return {"code": code, "app_id": app.id, "grant_type": "authorization_code", "code_verifier": verifier}
