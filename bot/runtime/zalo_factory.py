"""Both Zalo channels, made from settings and catalogues; and the way to the admins when one of them is in danger."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from pydantic import SecretStr

from bot.channels import Channel
from bot.channels.alerts import Alarm
from bot.channels.media import PictureShelf
from bot.channels.quota import Meter
from bot.channels.zalo.bot.api import Connection
from bot.channels.zalo.bot.channel import RECEIVED, SENT, ZaloBot
from bot.channels.zalo.oa.channel import Rules, ZaloOA
from bot.channels.zalo.oa.events import Verifier
from bot.channels.zalo.oa.tokens import App, Tokens
from bot.channels.zalo.transport import Transport
from bot.clock import Clock
from bot.errors import BotError, Problem, SettingsError
from bot.i18n.catalogue import Catalogue, mark
from bot.message import Pace
from bot.settings import Settings, variable_name
from bot.store import Store, Transaction

BOT_HOOK, OA_HOOK = "/hooks/zalo-bot", "/hooks/zalo-oa"
_CONNECTIONS = 32

Report = Callable[[str, str | None], None]


def open_zalo(
    settings: Settings,
    *,
    store: Store,
    catalogues: Mapping[str, Catalogue],
    secret: bytes,
    too_fast: str,
    clock: Clock,
    report: Report,
) -> Iterator[Channel]:
    """Make the Zalo channels that have their secrets; none connects yet. Raises SettingsError."""
    if settings.zalo_bot.token is not None:
        yield _open_bot(settings, store, catalogues, secret, too_fast, clock, report)
    if settings.zalo_oa.app_id is not None and settings.zalo_oa.app_secret is not None:
        yield _open_oa(settings, store, catalogues, too_fast, clock, report)


def oa_app(settings: Settings) -> App:
    """Return the app of the Official Account; raises BotError when its secrets are not set."""
    oa = settings.zalo_oa
    if oa.app_id is None or oa.app_secret is None:
        names = " and ".join(variable_name(("zalo_oa", key)) for key in ("app_id", "app_secret"))
        raise BotError(f"Set {names} first; both stand in the console of developers.zalo.me.")
    return App(
        id=oa.app_id.get_secret_value(),
        secret=oa.app_secret.get_secret_value(),
        oauth_base=oa.oauth_base,
        refresh_token=_value(oa.refresh_token),
    )


def _open_bot(
    settings: Settings,
    store: Store,
    catalogues: Mapping[str, Catalogue],
    secret: bytes,
    too_fast: str,
    clock: Clock,
    report: Report,
) -> ZaloBot:
    bot, public_url = settings.zalo_bot, settings.web.public_url
    assert bot.token is not None  # the caller looked
    polls = bot.mode == "polling"
    if not polls and not public_url:
        sentence = (
            "zalo_bot.mode is webhook, so that Zalo must know where to call: set web.public_url "
            f"({variable_name(('web', 'public_url'))}), or take mode polling."
        )
        raise SettingsError([Problem("config.yaml", 0, sentence)])
    given = _value(bot.webhook_secret)
    alarm = _alarm(settings, store, catalogues, clock, ZaloBot.name)

    def warn(tx: Transaction, used: int) -> None:
        sentence = mark("The Zalo bot has used {used} of this month's {budget} messages.")
        alarm.ring(tx, sentence, used=used, budget=bot.monthly_messages)

    return ZaloBot(
        store,
        connection=Connection(
            token=bot.token.get_secret_value(),
            api_base=bot.api_base,
            polls=polls,
            hook_url=f"{public_url}{BOT_HOOK}" if public_url else "",
            hook_secret=given or hmac.new(secret, b"zalo bot webhook", hashlib.sha256).hexdigest(),
            poll_seconds=bot.poll_seconds,
            answer_seconds=bot.answer_seconds,
            mentioned_as=bot.name,
        ),
        pace=_pace(settings, ZaloBot.name),
        pictures=PictureShelf(store, public_url=public_url, hours=bot.picture_hours, clock=clock),
        meter=Meter(
            store,
            ZaloBot.name,
            zone=settings.zone,
            clock=clock,
            budget=bot.monthly_messages,
            budgeted=(SENT, RECEIVED) if bot.counts_incoming else (SENT,),
            alarm=warn,
        ),
        budget=bot.monthly_messages,
        counts_incoming=bot.counts_incoming,
        too_fast=too_fast,
        clock=clock,
        report=partial(report, ZaloBot.name),
        report_sending=partial(report, f"{ZaloBot.name} sending"),
        alarm=alarm,
    )


def _open_oa(
    settings: Settings,
    store: Store,
    catalogues: Mapping[str, Catalogue],
    too_fast: str,
    clock: Clock,
    report: Report,
) -> ZaloOA:
    oa, app = settings.zalo_oa, oa_app(settings)
    transport = Transport(connections=_CONNECTIONS, seconds=oa.answer_seconds)
    alarm = _alarm(settings, store, catalogues, clock, ZaloOA.name)
    secrets = [("the webhook's own secret", _value(oa.oa_secret)), ("the app's secret", app.secret)]
    return ZaloOA(
        store,
        rules=Rules(
            api_base=oa.api_base,
            buttons=oa.buttons,
            button_template=oa.button_template,
            window=oa.window,
            quiet_minutes=oa.quiet_minutes,
        ),
        # The keys have a line of their own in /readyz, beside what else may be wrong with the channel.
        tokens=Tokens(
            store, app=app, transport=transport, clock=clock, report=partial(report, f"{ZaloOA.name} keys"), alarm=alarm
        ),
        transport=transport,
        verifier=Verifier(app_id=app.id, oa_id=oa.oa_id, secrets=secrets),
        set_up=bool(_value(oa.oa_secret)),
        meter=Meter(store, ZaloOA.name, zone=settings.zone, clock=clock),
        pace=_pace(settings, ZaloOA.name),
        too_fast=too_fast,
        zone=settings.zone,
        clock=clock,
        report=partial(report, ZaloOA.name),
        alarm=alarm,
    )


def _alarm(settings: Settings, store: Store, catalogues: Mapping[str, Catalogue], clock: Clock, channel: str) -> Alarm:
    return Alarm(store, channel, catalogues=catalogues, default_language=settings.default_language, clock=clock)


def _pace(settings: Settings, name: str) -> Pace:
    pace = settings.limits.zalo_bot if name == ZaloBot.name else settings.limits.zalo_oa
    return Pace(
        bulk_per_second=pace.bulk_per_second,
        chat_per_second=pace.chat_per_second,
        crowd_per_minute=pace.group_per_minute,
    )


def _value(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
