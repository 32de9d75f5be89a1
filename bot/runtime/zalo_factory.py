"""Both Zalo channels, made from settings and catalogues; and the way to the admins when one of them is in danger."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from pydantic import SecretStr

from bot.channels import Channel
from bot.channels.alerts import AdminAlerts
from bot.channels.media import MediaStore
from bot.channels.quota import UsageMeter
from bot.channels.zalo.bot.api import ZaloBotConnection
from bot.channels.zalo.bot.channel import RECEIVED, SENT, ZaloBotChannel
from bot.channels.zalo.oa.channel import SendingRules, ZaloOAChannel
from bot.channels.zalo.oa.events import Verifier
from bot.channels.zalo.oa.tokens import App, Tokens
from bot.channels.zalo.transport import ZaloTransport
from bot.clock import Clock
from bot.errors import BotError, Problem, SettingsError
from bot.i18n.catalogue import Catalogue, mark
from bot.message import RateLimits
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
) -> ZaloBotChannel:
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
    alerts = _alerts(settings, store, catalogues, clock, ZaloBotChannel.name)

    def warn(tx: Transaction, used: int) -> None:
        sentence = mark("The channel Zalo (bot) has used {used} of this month's {budget} messages.")
        alerts.ring(tx, sentence, used=used, budget=bot.monthly_messages)

    return ZaloBotChannel(
        store,
        connection=ZaloBotConnection(
            token=bot.token.get_secret_value(),
            api_base=bot.api_base,
            polls=polls,
            hook_url=f"{public_url}{BOT_HOOK}" if public_url else "",
            hook_secret=given or hmac.new(secret, b"zalo bot webhook", hashlib.sha256).hexdigest(),
            poll_seconds=bot.poll_seconds,
            answer_seconds=bot.answer_seconds,
            mentioned_as=bot.name,
        ),
        pace=_pace(settings, ZaloBotChannel.name),
        pictures=MediaStore(store, public_url=public_url, hours=bot.picture_hours, clock=clock),
        usage_meter=UsageMeter(
            store,
            ZaloBotChannel.name,
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
        report=partial(report, ZaloBotChannel.name),
        report_sending=partial(report, f"{ZaloBotChannel.name} sending"),
        alerts=alerts,
    )


def _open_oa(
    settings: Settings,
    store: Store,
    catalogues: Mapping[str, Catalogue],
    too_fast: str,
    clock: Clock,
    report: Report,
) -> ZaloOAChannel:
    oa, app = settings.zalo_oa, oa_app(settings)
    transport = ZaloTransport(connections=_CONNECTIONS, seconds=oa.answer_seconds)
    alerts = _alerts(settings, store, catalogues, clock, ZaloOAChannel.name)
    secrets = [("the webhook's own secret", _value(oa.oa_secret)), ("the app's secret", app.secret)]
    return ZaloOAChannel(
        store,
        rules=SendingRules(
            api_base=oa.api_base,
            buttons=oa.buttons,
            button_template=oa.button_template,
            window=oa.window,
            quiet_minutes=oa.quiet_minutes,
        ),
        # The keys have a line of their own in /readyz, beside what else may be wrong with the channel.
        tokens=Tokens(
            store,
            app=app,
            transport=transport,
            clock=clock,
            report=partial(report, f"{ZaloOAChannel.name} keys"),
            alerts=alerts,
        ),
        transport=transport,
        verifier=Verifier(app_id=app.id, oa_id=oa.oa_id, secrets=secrets),
        set_up=bool(_value(oa.oa_secret)),
        usage_meter=UsageMeter(store, ZaloOAChannel.name, zone=settings.zone, clock=clock),
        pace=_pace(settings, ZaloOAChannel.name),
        too_fast=too_fast,
        zone=settings.zone,
        clock=clock,
        report=partial(report, ZaloOAChannel.name),
        alerts=alerts,
    )


def _alerts(
    settings: Settings, store: Store, catalogues: Mapping[str, Catalogue], clock: Clock, channel: str
) -> AdminAlerts:
    return AdminAlerts(store, channel, catalogues=catalogues, default_language=settings.default_language, clock=clock)


def _pace(settings: Settings, name: str) -> RateLimits:
    pace = settings.limits.zalo_bot if name == ZaloBotChannel.name else settings.limits.zalo_oa
    return RateLimits(
        bulk_per_second=pace.bulk_per_second,
        chat_per_second=pace.chat_per_second,
        group_per_minute=pace.group_per_minute,
    )


def _value(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
