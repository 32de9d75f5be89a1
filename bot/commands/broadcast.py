"""broadcast: messages to many people, planned, released and watched from the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, datetime
from pathlib import Path

import click

from bot.broadcasts import Actor, Broadcast
from bot.broadcasts.presentation import (
    audience_words,
    plan_words,
    progress_words,
    report_words,
    state_words,
    text_words,
)
from bot.broadcasts.trials import USUAL_HOURS, USUAL_PERCENT
from bot.clock import now
from bot.commands.context import DAY, CommandContext, day, pass_context
from bot.commands.progress import OPENING, progress
from bot.errors import BotError, NotAllowed
from bot.i18n.catalogue import Catalogue
from bot.runtime.build import Service, open_service
from bot.store.audiences import ANY, REPORTS, Audience
from bot.text.dates import read
from bot.text.markup import to_plain

OPERATOR = Actor()
NUMBER = click.argument("number", type=click.IntRange(1, 2**63 - 1))


@click.group()
def broadcast() -> None:
    """Send a broadcast people who asked for reminders.

    \b
    The way of a broadcast:
      python -m bot broadcast plan --text message.txt --district vinh-tuong
      python -m bot broadcast send 1
      python -m bot broadcast report 1

    `plan` counts who gets it and sends nothing. `send` releases it; the running bot (`run`) sends it, never in the
    quiet hours of config.yaml. Above reminders.approve_above people an officer must approve it (/nhantin or the desk).
    """


@broadcast.command("list")
@pass_context
def list_(context: CommandContext) -> None:
    """List the newest broadcasts with number, state and audience."""

    async def work(service: Service) -> str:
        found = await service.broadcasts.latest(OPERATOR)
        lines = [f"{one.number}\t{state_words(one, _english(service))}\t{_whom(service, one)}" for one in found]
        return "\n".join(["number\tstate\tto", *lines])

    _run(context, work)


@broadcast.command()
@click.option(
    "--text",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the text, UTF-8; {district} {reports} {share} {date} are filled in.",
)
@click.option(
    "--text-en",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the text for those who chose English; without it they get the other one.",
)
@click.option("--ready", help="A ready text instead: the name of a file in content/reminders.")
@click.option("--facts-hold", is_flag=True, help="You have checked the facts of a ready text marked `check`.")
@click.option("--district", "districts", multiple=True, help="Only people of this district (may be repeated).")
@click.option("--commune", "communes", multiple=True, help="Only people of this commune, by code (may be repeated).")
@click.option("--reports", type=click.Choice(REPORTS), default=ANY, show_default=True, help="Who has reported or not.")
@click.option("--channel", default="", help="Only people on this channel, such as telegram.")
@click.option("--language", default="", help="Only people who chose this language: vi or en.")
@click.option("--source", default="", help="Only people who came by the poster with this code.")
@pass_context
def plan(
    context: CommandContext,
    text: Path | None,
    text_en: Path | None,
    ready: str | None,
    facts_hold: bool,
    districts: tuple[str, ...],
    communes: tuple[str, ...],
    reports: str,
    channel: str,
    language: str,
    source: str,
) -> None:
    """Make a broadcast and count who gets it; sends nothing. Prints its number, the text and the figures."""
    if (text is None) == (ready is None):
        raise BotError("Name the text with either --text FILE or --ready NAME.")
    if communes and len(districts) != 1:
        raise BotError("--commune: name the one district of these communes with --district.")
    audience = Audience(
        districts=districts,
        communes=tuple(f"{districts[0]}/{commune}" for commune in communes),
        reports=reports,
        channel=channel,
        language=language,
        source=source,
    )
    written = {name: _read(path) for name, path in (("vi", text), ("en", text_en)) if path is not None}

    async def work(service: Service) -> str:
        number = await service.broadcasts.draft(OPERATOR, audience)
        try:
            if written:
                await service.broadcasts.write(OPERATOR, number, written)
            if ready is not None:
                await service.broadcasts.take_ready(OPERATOR, number, ready, confirmed=facts_hold)
            found = await service.broadcasts.plan(OPERATOR, number)
        except NotAllowed:
            await service.broadcasts.discard(OPERATOR, number)
            raise
        return f"{await _describe(service, found)}\n\nSend it with: python -m bot broadcast send {number}"

    _run(context, work)


@broadcast.command()
@NUMBER
@pass_context
def show(context: CommandContext, number: int) -> None:
    """Show text, audience and figures of broadcast NUMBER, or how far it is."""
    _run(context, lambda service: _show(service, number))


@broadcast.command()
@NUMBER
@click.option("--at", help='When, in local time, such as "2026-12-01 08:30" or "8h thứ năm"; now by default.')
@click.option("--weekly-until", type=DAY, callback=day, help="Every week on that weekday, the last time on this day.")
@pass_context
def send(context: CommandContext, number: int, at: str | None, weekly_until: date | None) -> None:
    """Release broadcast NUMBER: now, at a time, or every week. The running bot sends it."""
    begin = _moment(at, now().astimezone(context.settings.zone)) if at is not None else None

    async def work(service: Service) -> str:
        await service.broadcasts.release(OPERATOR, number, at=begin, weekly_until=weekly_until)
        return await _show(service, number)

    _run(context, work)


@broadcast.command()
@NUMBER
@click.option("--percent", type=click.IntRange(0, 50), default=USUAL_PERCENT, show_default=True, help="0: nobody.")
@click.option("--hours", type=int, default=USUAL_HOURS, show_default=True, help="How long reports are counted.")
@pass_context
def hold(context: CommandContext, number: int, percent: int, hours: int) -> None:
    """Hold back a random share of planned broadcast NUMBER, to measure whether it works.

    For at least 500 people who have not reported. The result stands in `report` once the hours are over, not earlier.
    """
    _step(context, number, lambda service: service.broadcasts.hold_back(OPERATOR, number, percent, hours))


@broadcast.command("follow-up")
@NUMBER
@pass_context
def follow_up(context: CommandContext, number: int) -> None:
    """Plan the text of broadcast NUMBER for those whom it held back; possible once its result is known."""

    async def work(service: Service) -> str:
        following = await service.broadcasts.follow_up(OPERATOR, number)
        found = await service.broadcasts.plan(OPERATOR, following)
        return f"{await _describe(service, found)}\n\nSend it with: python -m bot broadcast send {following}"

    _run(context, work)


@broadcast.command()
@NUMBER
@pass_context
def approve(context: CommandContext, number: int) -> None:
    """Approve broadcast NUMBER of an officer; look at it first with `show`."""
    _step(context, number, lambda service: service.broadcasts.approve(OPERATOR, number))


@broadcast.command()
@NUMBER
@pass_context
def pause(context: CommandContext, number: int) -> None:
    """Send nothing more of broadcast NUMBER until `resume`; what is on its way this second still arrives."""
    _step(context, number, lambda service: service.broadcasts.pause(OPERATOR, number))


@broadcast.command()
@NUMBER
@pass_context
def resume(context: CommandContext, number: int) -> None:
    """Go on with broadcast NUMBER where it paused."""
    _step(context, number, lambda service: service.broadcasts.resume(OPERATOR, number))


@broadcast.command()
@NUMBER
@pass_context
def stop(context: CommandContext, number: int) -> None:
    """End broadcast NUMBER for good, and what was still to come of its series."""
    _step(context, number, lambda service: service.broadcasts.stop(OPERATOR, number))


@broadcast.command()
@NUMBER
@pass_context
def again(context: CommandContext, number: int) -> None:
    """Send broadcast NUMBER again to those who certainly got nothing; not to those who perhaps did."""
    _step(context, number, lambda service: service.broadcasts.again(OPERATOR, number))


@broadcast.command()
@NUMBER
@click.option("--unknown", is_flag=True, help="List whom it may or may not have reached: person, channel, reason.")
@pass_context
def report(context: CommandContext, number: int, unknown: bool) -> None:
    """Say what became of broadcast NUMBER: in all, by reason, channel and district, and what was reported since."""

    async def work(service: Service) -> str:
        if unknown:
            rows = await service.broadcasts.unknown(OPERATOR, number)
            return "\n".join(["person\tchannel\treason", *(f"{one}\t{channel}\t{why}" for one, channel, why in rows)])
        return report_words(
            await service.broadcasts.report(OPERATOR, number),
            service.regions,
            _english(service),
            zone=service.settings.zone,
            channel_title=str,
        )

    _run(context, work)


def _moment(text: str, at: datetime) -> datetime:
    """Return the moment that `--at` names. Raise click.BadParameter if it is not clear."""
    moments = read(text, at).moment.moments(at)
    if not moments:
        sentence = 'is not one day and one hour, such as "2026-12-01 08:30" or "8h thứ năm".'
        raise click.BadParameter(f"{text!r} {sentence}", param_hint="--at")
    return moments[0]


def _step(context: CommandContext, number: int, step: Callable[[Service], Awaitable[object]]) -> None:
    async def work(service: Service) -> str:
        await step(service)
        return await _show(service, number)

    _run(context, work)


def _run(context: CommandContext, work: Callable[[Service], Awaitable[str]]) -> None:
    """Do something beside the running bot, and print what it says."""

    async def run() -> str:
        async with _opened(context) as service:
            try:
                return await work(service)
            except NotAllowed as refusal:
                raise BotError(str(refusal)) from None

    print(to_plain(context.run(run())))


@asynccontextmanager
async def _opened(context: CommandContext) -> AsyncIterator[Service]:
    async with AsyncExitStack() as opened:
        with progress(OPENING):
            service = await opened.enter_async_context(open_service(context.settings, context.routes, sends=False))
        yield service


async def _show(service: Service, number: int) -> str:
    found = await service.broadcasts.find(OPERATOR, number)
    if found.state in ("running", "paused", "stopped", "done"):
        return progress_words(await service.broadcasts.progress(OPERATOR, number), _english(service))
    return await _describe(service, found)


async def _describe(service: Service, found: Broadcast) -> str:
    english, zone = _english(service), service.settings.zone
    lines = [
        f"Broadcast {found.number}: {state_words(found, english)}",
        f"To: {_whom(service, found)}",
        text_words(found, found.ready, service.settings.operator.trusted_hosts, english),
    ]
    if found.state != "draft":
        cost, finish = await service.broadcasts.cost(found), service.broadcasts.finish(found)
        smallest = service.broadcasts.smallest_effect(found)
        lines.append(plan_words(found, cost, finish, 1, english, zone=zone, channel_title=str, smallest=smallest))
    if found.starts_at and not found.editable:
        lines.append(f"Begins at {english.minute(found.starts_at, zone)}.")
    if service.broadcasts.needs_approval(found):
        lines.append("A second officer must approve it: in the chat with /nhantin, or on the desk.")
    return "\n".join(lines)


def _whom(service: Service, found: Broadcast) -> str:
    return audience_words(found.audience, service.regions, _english(service), str)


def _english(service: Service) -> Catalogue:
    return service.catalogues.get("en") or service.catalogues[service.settings.default_language]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BotError(f"{path}: is not UTF-8 text.") from None
