"""run: the bot as a server. chat: the same bot in the terminal."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import click
import structlog
from aiohttp import web

from bot import clock
from bot.channels.console import ConsoleChannel
from bot.commands.context import CommandContext, pass_context
from bot.errors import BotError, SettingsError
from bot.logs import set_up_logs
from bot.runtime.build import Service, open_service
from bot.settings import LogSettings, Settings, load_settings
from bot.web.app import make_app
from bot.web.hooks import take_short_way

log = structlog.get_logger()

# What switches each channel on.
_SWITCHES = {
    "telegram": "BOT_TELEGRAM__TOKEN",
    "zalo_bot": "BOT_ZALO_BOT__TOKEN",
    "zalo_oa": "BOT_ZALO_OA__APP_ID and BOT_ZALO_OA__APP_SECRET",
}

_FIRST_HANDED_OVER = 3  # where systemd puts the socket that it listens on
_LINGERING_SECONDS = 2.0  # for the rest of a request that is refused, so that the refusal can be read
_HANDLERS_SECONDS = 2.0  # for requests under way at a stop
_LET_IN_SECONDS = 0.1  # for who was let in a moment before it and has not spoken yet
_GARBAGE = 50_000  # objects made before the collector looks for circles


@click.command()
@pass_context
def run(context: CommandContext) -> None:
    """Start the bot: the web chat and every channel that has a token."""
    set_up_logs(context.settings.log, context.settings.secrets)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the settings are being read: nobody need end for that
    with suppress(ImportError):  # faster where it exists; the bot needs it nowhere
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(context))
        return
    context.run(_serve(context))


@click.command()
@click.option("--as", "name", default="console", help="Talk as this person; each name has a conversation of its own.")
@pass_context
def chat(context: CommandContext, name: str) -> None:
    """Talk to the bot in the terminal. End with Ctrl-D or /thoat."""
    set_up_logs(LogSettings(level="error"))
    context.run(_chat(context, name))


async def _chat(context: CommandContext, name: str) -> None:
    console = ConsoleChannel(address=name, clock=clock.now)
    async with open_service(context.settings, context.routes, extra_channels=[console]) as service:
        await console.listen(service.inbox.receive)


async def _serve(context: CommandContext) -> None:
    settings = context.settings
    async with open_service(settings, context.routes, online=True) as service:
        runner = web.AppRunner(
            make_app(service),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=_HANDLERS_SECONDS,
            keepalive_timeout=settings.web.idle_seconds,
            lingering_time=_LINGERING_SECONDS,
        )
        stopped = _heed_signals(lambda: _reload(context, service))
        await runner.setup()
        assert runner.server is not None  # set up a moment ago
        take_short_way(runner.server, service)
        site = _site(runner, settings)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            where = f"{settings.web.host}:{settings.web.port}"
            raise BotError(f"web.port: cannot listen on {where}: {error.strerror or error}.") from None
        _settle()
        _announce(service, runner)
        await stopped.wait()
        log.info("stopping", messages=service.inbox.waiting)
        service.closing.set()
        await service.webchat.close()
        await site.stop()
        await asyncio.sleep(_LET_IN_SECONDS)
        await runner.cleanup()
    log.info("stopped")


def _site(runner: web.AppRunner, settings: Settings) -> web.BaseSite:
    """Listen where the settings say, or on the socket that systemd (or an earlier process) hands over.

    Such a socket outlives the process, so that whoever calls during a restart waits a moment and is not refused.
    """
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        return web.SockSite(runner, socket.socket(fileno=_FIRST_HANDED_OVER))
    return web.TCPSite(runner, settings.web.host, settings.web.port, reuse_address=True)


def _reload(context: CommandContext, service: Service) -> None:
    """Read the settings again; broken ones change nothing."""
    try:
        settings = load_settings(context.config)
    except SettingsError as error:
        for problem in error.problems:
            log.error("settings kept as they were", problem=str(problem))
        return
    taken, waiting = service.take_settings(settings)
    set_up_logs(service.settings.log, settings.secrets)
    for key in waiting:
        log.warning("setting needs a restart", key=key)
    log.info("settings read again", changed=taken)


def _settle() -> None:
    """Spare the garbage collector what was loaded to stay, and let it come less often: messages leave little behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE, 20, 100)


def _announce(service: Service, runner: web.AppRunner) -> None:
    """Say where the bot can be reached, on standard output, as soon as it can."""
    host, port = runner.addresses[0][:2]
    shown = f"[{host}]" if ":" in str(host) else host
    print(f"Web chat: http://{shown}:{port}", file=sys.stdout, flush=True)
    if not service.settings.operator.name:
        log.warning("operator.name is not set", effect="the assistant calls itself a trial")
    for name, secrets in _SWITCHES.items():
        if name not in service.channels:
            log.info("channel off", channel=name, hint=f"set {secrets} to switch it on")


def _heed_signals(reload: Callable[[], None]) -> asyncio.Event:
    """From now on stop when asked to, and read the settings again; returns what is set at a stop."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    with suppress(NotImplementedError):  # Windows
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, stopped.set)
        loop.add_signal_handler(signal.SIGHUP, reload)
    return stopped
