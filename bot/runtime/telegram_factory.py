"""The channels that have a token, made from settings, routes and catalogues."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence

from bot import access
from bot.channels import Channel
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.profile import Command, Profile
from bot.channels.telegram.receiving import TelegramConnection
from bot.clock import Clock
from bot.conversation.context import Route
from bot.errors import Problem, SettingsError
from bot.i18n.catalogue import Catalogue, mark
from bot.message import RateLimits
from bot.runtime.zalo_factory import open_zalo
from bot.settings import ChannelLimits, LimitSettings, Settings, variable_name
from bot.store import Store

TELEGRAM_HOOK = "/hooks/telegram"
TOO_FAST = mark("You are writing faster than I can read. Please wait a moment and try again.")
_DESCRIPTION = mark(
    "Hello. I am an automatic assistant (a machine, not a person) of {operator}. I help you open and use "
    "Sổ sức khỏe điện tử, the electronic health book in VNeID. It is free. Press START, or just type your question."
)
_TRIAL_DESCRIPTION = mark(
    "Hello. I am an automatic assistant on trial (a machine, not a person). I help you open and use Sổ sức khỏe "
    "điện tử, the electronic health book in VNeID. It is free. Press START, or just type your question."
)
_SHORT_DESCRIPTION = mark("Free automatic help with Sổ sức khỏe điện tử, the electronic health book in VNeID.")
_LONGEST_DESCRIPTION, _LONGEST_SHORT_DESCRIPTION = 512, 120
_ROLES = (access.CITIZEN, access.OFFICER, access.ADMIN)


def open_platforms(
    settings: Settings,
    *,
    store: Store,
    routes: Sequence[Route],
    catalogues: Mapping[str, Catalogue],
    secret: bytes,
    clock: Clock,
    report: Callable[[str, str | None], None],
) -> list[Channel]:
    """Make every channel that has a token; none connects yet. Raises SettingsError."""
    too_fast = catalogues[settings.default_language].t(TOO_FAST)
    zalo = open_zalo(
        settings, store=store, catalogues=catalogues, secret=secret, too_fast=too_fast, clock=clock, report=report
    )
    if settings.telegram.token is None:
        return list(zalo)
    telegram = TelegramChannel(
        store,
        connection=_telegram_connection(settings, secret),
        pace=_pace(settings.limits.telegram),
        profiles=telegram_profiles(settings, routes, catalogues),
        too_fast=too_fast,
        clock=clock,
        report=lambda sentence: report(TelegramChannel.name, sentence),
    )
    return [telegram, *zalo]


def telegram_profiles(
    settings: Settings, routes: Sequence[Route], catalogues: Mapping[str, Catalogue]
) -> list[Profile]:
    """Describe the bot in each language, the default one first."""
    profiles = []
    for language in settings.languages:
        t = catalogues[language].t
        name = settings.operator.name
        description = t(_DESCRIPTION, operator=name.in_language(language)) if name else t(_TRIAL_DESCRIPTION)
        profiles.append(
            Profile(
                language=language,
                description=description[:_LONGEST_DESCRIPTION],
                short_description=t(_SHORT_DESCRIPTION)[:_LONGEST_SHORT_DESCRIPTION],
                commands={role: tuple(_commands(routes, role, catalogues[language])) for role in _ROLES},
                in_groups=tuple(
                    command
                    for route in routes
                    if route.public
                    for command in _commands([route], access.CITIZEN, catalogues[language])
                ),
            )
        )
    return profiles


def _commands(routes: Sequence[Route], role: str, catalogue: Catalogue) -> Iterator[Command]:
    """List the first command of each route of a role: Vietnamese, or its English alias."""
    for route in routes:
        if route.role == role and route.commands and route.help:
            name = route.commands[-1 if catalogue.language == "en" else 0]
            yield Command(name.removeprefix("/"), catalogue.t(route.help))


def _telegram_connection(settings: Settings, secret: bytes) -> TelegramConnection:
    telegram, public_url = settings.telegram, settings.web.public_url
    assert telegram.token is not None  # the caller looked
    polls = telegram.mode == "polling"
    if not polls and not public_url:
        sentence = (
            "telegram.mode is webhook, so that Telegram must know where to call: set web.public_url "
            f"({variable_name(('web', 'public_url'))}), or take mode polling."
        )
        raise SettingsError([Problem("config.yaml", 0, sentence)])
    given = telegram.webhook_secret
    return TelegramConnection(
        token=telegram.token.get_secret_value(),
        api_base=telegram.api_base,
        polls=polls,
        hook_url=f"{public_url}{TELEGRAM_HOOK}" if public_url else "",
        hook_secret=given.get_secret_value() if given else _derived(secret, "telegram webhook"),
        hook_connections=telegram.webhook_connections,
        connections=telegram.connections,
        answer_seconds=telegram.answer_seconds,
    )


def _derived(secret: bytes, purpose: str) -> str:
    """Make a secret for one purpose out of the bot's own, the same at every start."""
    return hmac.new(secret, purpose.encode(), hashlib.sha256).hexdigest()


def pace_of(limits: LimitSettings, channel: str) -> RateLimits | None:
    """Return how fast a channel may write; None for one without limits."""
    pace = getattr(limits, channel, None)
    return _pace(pace) if isinstance(pace, ChannelLimits) else None


def _pace(pace: ChannelLimits) -> RateLimits:
    return RateLimits(
        bulk_per_second=pace.bulk_per_second,
        chat_per_second=pace.chat_per_second,
        group_per_minute=pace.group_per_minute,
    )
