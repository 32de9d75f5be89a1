"""What the bot says about itself: figures for Prometheus, and what is wrong, by name."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from bot.channels.telegram.updates import NAME as TELEGRAM
from bot.channels.zalo.bot.updates import NAME as ZALO_BOT
from bot.channels.zalo.oa.tokens import CREDENTIAL
from bot.clock import stamp
from bot.cluster.lease import Lease
from bot.conversation.context import Context, Route
from bot.errors import DeliveryError, Gone, Overloaded, StoreUnavailable, Throttled, Unreachable
from bot.message import IncomingMessage, Person, Receipt, Reply
from bot.metrics import BOUNDS, Metrics
from bot.runtime.build import Service, open_service
from bot.settings import Settings
from bot.store import Transaction, backups, messages, people, usage
from bot.web.app import make_app
from bot.web.health import _SERVES_ALL_THE_SAME as SERVES_ALL_THE_SAME
from handlers import ROUTES
from tests.conftest import ROOT, FrozenClock, OpenBot, Recorder, Talk
from tests.fakes.telegram import TOKEN, running_telegram, until

Client = TestClient[web.Request, web.Application]
Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def page_of(service: Service) -> str:
    """Return /metrics as it is written."""
    async with TestClient(TestServer(make_app(service))) as client:
        return await (await client.get("/metrics")).text()


async def scrape(service: Service) -> Figures:
    """Read /metrics as Prometheus does, which wants each figure once."""
    samples = [sample for family in text_string_to_metric_families(await page_of(service)) for sample in family.samples]
    figures = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}
    assert len(figures) == len(samples)
    return figures


def figure(figures: Figures, name: str, **labels: str) -> float:
    return figures.get((name, tuple(sorted(labels.items()))), 0.0)


async def leases_of(service: Service) -> dict[str, float]:
    """Return for how many seconds each lease is still held."""
    figures = await scrape(service)
    return {dict(labels)["lease"]: value for (name, labels), value in figures.items() if name == "bot_lease_seconds"}


async def test_a_walk_leaves_its_figures_and_nobodys_words(service: Service, talk: Talk) -> None:
    await talk.say("quên mật khẩu ứng dụng thì làm sao")
    await talk.say("tôi muốn mua xe máy của ông Nguyễn Văn Xương 0912345678")
    await talk.say("mã OTP của tôi là 482913")
    await talk.say("/menu")
    figures = await scrape(service)
    assert figure(figures, "bot_messages_total", channel="recorder", outcome="new") == 4
    assert figure(figures, "bot_verdicts_total", verdict="answer") == 1
    assert figure(figures, "bot_withheld_total", kind="otp") == 1
    assert figure(figures, "bot_sends_total", channel="recorder", lane="reply", outcome="sent") >= 4
    for step in ("read", "answer", "store", "deliver", "whole"):
        assert figure(figures, "bot_step_seconds_count", step=step) == 4, step
        assert figure(figures, "bot_step_seconds_bucket", step=step, le="+Inf") == 4, step
    assert figure(figures, "bot_store") == 1
    assert figure(figures, "bot_articles") == 126
    said = repr(figures)
    for private in ("citizen-1", "0912345678", "Xương", "482913", "mật khẩu"):
        assert private not in said


async def test_a_flood_is_counted(settings: Settings, clock: FrozenClock, recorder: Recorder) -> None:
    limits = settings.limits.model_copy(update={"person_per_minute": 2, "most_waiting": 1})
    limited = settings.model_copy(update={"limits": limits})
    async with open_service(limited, ROUTES, now=clock, extra_channels=[recorder]) as service:
        receipts = [
            service.inbox.receive(IncomingMessage(person=Person("recorder", who), id=who, at=clock(), text="/menu"))
            for who in ("a", "b", "c")
        ]
        ends = await asyncio.gather(*receipts, return_exceptions=True)
        assert [type(end).__name__ for end in ends] == ["Ticket", "Overloaded", "Overloaded"]
        figures = await scrape(service)
        assert figure(figures, "bot_messages_total", channel="recorder", outcome="overloaded") == 2


ENDS: list[tuple[DeliveryError | None, str]] = [
    (None, "sent"),
    (Throttled("slower", code="429", retry_after=0.0), "throttled"),
    (Unreachable("no way", code="connect"), "unreachable"),
    (Gone("blocked", code="403"), "gone"),
]


@pytest.mark.parametrize(("error", "outcome"), ENDS, ids=[end[1] for end in ENDS])
async def test_each_end_of_a_message_has_its_name(
    service: Service, recorder: Recorder, talk: Talk, error: DeliveryError | None, outcome: str
) -> None:
    ends = iter([error])

    async def send(to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        if (end := next(ends, None)) is not None:
            raise end
        return Receipt("1")

    recorder.send = send  # type: ignore[method-assign]
    await talk.say("/menu")
    figures = await scrape(service)
    assert figure(figures, "bot_sends_total", channel="recorder", lane="reply", outcome=outcome) == 1


async def test_a_handler_that_breaks_is_counted(
    settings: Settings, clock: FrozenClock, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    async def breaks(context: Context) -> None:
        raise ZeroDivisionError(context.message.text)

    routes = (Route("broken", breaks, commands=("/vo",)), *ROUTES)
    async with open_service(settings, routes, now=clock, extra_channels=[recorder]) as service:
        talk = Talk(service, recorder, Person(recorder.name, "citizen-1"))
        assert "đang gặp trục trặc" in await talk.say("/vo")
        assert figure(await scrape(service), "bot_failures_total", where="handler") == 1


@pytest.fixture
async def still(open_bot: OpenBot, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """A bot whose background work rests, so that it reports no trouble of its own."""

    async def rest(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("bot.runtime.build._forever", rest)
    async with open_bot() as service:
        yield service


async def test_readyz_names_each_part_that_is_wrong(still: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service = still

    async def ready() -> tuple[int, dict[str, str]]:
        async with TestClient(TestServer(make_app(service))) as client:
            response = await client.get("/readyz")
            return response.status, (await response.json())["trouble"]

    assert await ready() == (200, {})
    service.trouble.report("telegram", "Telegram refuses the token.")
    assert await ready() == (503, {"telegram": "Telegram refuses the token."})
    assert figure(await scrape(service), "bot_trouble", part="telegram") == 1
    service.trouble.report("telegram", None)

    async def gone(work: Callable[[Transaction], object]) -> object:
        raise StoreUnavailable("The disk is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(service.store, "read", gone)
        assert await ready() == (503, {"store": "The disk is gone."})
        assert figure(await scrape(service), "bot_store") == 0
    service.trouble["content"] = "content/menu.yaml:3: unknown key"
    assert await ready() == (200, {"content": "content/menu.yaml:3: unknown key"})  # the last good content serves
    service.closing.set()
    assert await ready() == (
        503,
        {"content": "content/menu.yaml:3: unknown key", "process": "The bot is stopping."},
    )


async def test_deleted_text_that_stays_in_the_log_is_told_when_it_goes_on(
    still: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = still
    monkeypatch.setattr("bot.store.sqlite.SCRUB_PAUSES", ())
    monkeypatch.setattr("bot.store.sqlite.SCRUB_PATIENCE", 0.05)
    with closing(sqlite3.connect(settings.data_folder / "bot.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM people").fetchall()
        at = stamp(service.clock())
        await service.store.write(lambda tx: people.remember(tx, Person("recorder", "a"), source="", at=at))
        await service.sweep()
        assert service.trouble == {}  # somebody reads now and then: no trouble
        service.scrubbed -= 601
        await service.sweep()
        assert "in use; deleted text stays" in service.trouble["scrub"]
        async with TestClient(TestServer(make_app(service))) as client:
            assert (await client.get("/readyz")).status == 200  # citizens are served all the same
        reader.execute("COMMIT")
    await service.sweep()
    assert service.trouble == {}


async def test_the_age_of_the_newest_backup(service: Service, clock: FrozenClock) -> None:
    assert "\nbot_backup_age_seconds " not in await page_of(service)  # no value before the first backup
    at = stamp(clock())
    await service.store.write(lambda tx: backups.note(tx, made_at=at, file="a.db", size=1))
    await service.backups.advance()  # the schedule has looked too
    clock.forward(hours=3)
    assert figure(await scrape(service), "bot_backup_age_seconds") == 3 * 3600


async def test_how_long_a_message_waits(still: Service, clock: FrozenClock) -> None:
    """It belongs to a process that is gone, so that nobody answers it meanwhile."""
    assert figure(await scrape(still), "bot_oldest_message_seconds") == 0
    for ago in (30, 150):
        at = stamp(clock() - timedelta(seconds=ago))
        person = Person("recorder", f"a{ago}")
        await still.store.write(
            lambda tx, at=at, person=person: messages.take(  # type: ignore[misc]
                tx, person=person, message_id=person.address, body="{}", at=at, owner="gone"
            )
        )
    clock.forward(seconds=90)
    assert figure(await scrape(still), "bot_oldest_message_seconds") == 240


async def test_what_a_channel_used_up_this_month(service: Service, clock: FrozenClock) -> None:
    def use(tx: Transaction) -> None:
        for month, amount in (("2026-10", 2900), ("2026-11", 7), ("2026-11", 5), ("2026-12", 1)):
            usage.add(tx, ZALO_BOT, period=month, kind="sent", amount=amount)
        usage.put(tx, "zalo_oa", period="now", kind="left", amount=480)

    await service.store.write(use)
    figures = await scrape(service)
    assert figure(figures, "bot_quota_used", channel=ZALO_BOT, kind="sent") == 12
    assert figure(figures, "bot_quota_used", channel="zalo_oa", kind="left") == 480
    clock.at = clock.at.replace(day=30, hour=17, minute=0)  # midnight in Vietnam: a new month
    assert figure(await scrape(service), "bot_quota_used", channel=ZALO_BOT, kind="sent") == 1


async def test_a_lease_counts_down_below_zero_and_is_forgotten_in_an_hour(service: Service, clock: FrozenClock) -> None:
    lease = Lease(service.store, f"{TELEGRAM}:4711", seconds=20, clock=clock)
    assert await lease.hold()
    assert await leases_of(service) == {"telegram:4711": 20}
    clock.forward(seconds=90)
    assert await leases_of(service) == {"telegram:4711": -70}
    clock.forward(seconds=3600 - 70)
    await service.sweep()
    assert await leases_of(service) == {"telegram:4711": -3600}  # seen for an hour
    clock.forward(seconds=1)
    await service.sweep()
    assert await leases_of(service) == {}
    assert await lease.hold()  # and whoever wants it has it again
    assert await leases_of(service) == {"telegram:4711": 20}


RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
OF_PROMETHEUS = {"up": {"job"}}


def wanted(rule: dict[str, Any]) -> dict[str, set[str]]:
    """Return the figures that a rule reads, each with the labels it expects of it."""
    expr = re.sub(r'"[^"]*"', '""', rule["expr"])
    by = {label.strip() for found in re.findall(r"\bby \(([^)]*)\)", expr) for label in found.split(",")}
    shown = set(re.findall(r"\$labels\.(\w+)", repr(rule["annotations"])))
    assert shown <= by or not by, rule["alert"]
    return {
        name: set(re.findall(r"(\w+)[!=]", matchers)) | by | shown
        for name, matchers in re.findall(r"\b(bot_\w+|up)\b(?:\{([^}]*)\})?", expr)
    }


async def test_every_figure_that_an_alert_reads_is_there_with_its_labels(
    service: Service, talk: Talk, clock: FrozenClock
) -> None:
    await talk.say("tôi muốn mua xe máy")
    for count in service.metrics.counts():
        count.add(*(f"any {label}" for label in count.labels))
    service.trouble["content"] = "content/menu.yaml:3: unknown key"
    at = stamp(clock())
    await service.store.write(lambda tx: backups.note(tx, made_at=at, file="a.db", size=1))
    await Lease(service.store, f"{TELEGRAM}:1", seconds=20, clock=clock).hold()
    there = {name: {label for label, _ in labels} for name, labels in await scrape(service)} | OF_PROMETHEUS
    assert len(RULES) > 10
    for rule in RULES:
        figures = wanted(rule)
        assert figures, rule["alert"]
        for name, labels in figures.items():
            assert name in there, f"{rule['alert']}: no {name}"
            assert labels <= there[name], f"{rule['alert']}: {name} has no {labels - there[name]}"


LEASES: list[tuple[str, bool]] = [
    (f"{TELEGRAM}:4711", True),
    (f"{ZALO_BOT}:4711", True),
    (f"{CREDENTIAL}:token", False),
    (f"pushes:{TELEGRAM}", False),
    ("appointments", False),
    ("broadcasts", False),
    (f"broadcasts:{ZALO_BOT}", False),
    ("backup", False),
]


def is_watched(lease: str) -> bool:
    """Tell whether the alert on leases is about one, as Prometheus matches names."""
    (pattern,) = [
        found for rule in RULES for found in re.findall(r'bot_lease_seconds\{lease=~"([^"]*)"\}', rule["expr"])
    ]
    return re.fullmatch(pattern, lease) is not None


@pytest.mark.parametrize(("name", "always"), LEASES, ids=[name for name, _ in LEASES])
def test_the_alert_on_leases_is_about_those_that_are_held_always(name: str, always: bool) -> None:
    assert is_watched(name) is always


async def test_a_bot_that_polls_holds_the_lease_of_the_alert(settings: Settings) -> None:
    async with running_telegram() as fake:
        polling = settings.telegram.model_validate({"api_base": fake.api_base, "token": TOKEN})
        polls = settings.model_copy(update={"telegram": polling})
        async with open_service(polls, ROUTES, online=True) as service:
            await until(lambda: fake.polls > 0)
            held = await leases_of(service)
    assert [lease for lease, seconds in held.items() if is_watched(lease) and seconds > 0] == [
        f"{TELEGRAM}:{TOKEN.partition(':')[0]}"
    ]


def test_nobody_is_called_at_night_while_citizens_are_served() -> None:
    patterns = {
        rule["labels"]["severity"]: re.findall(r'bot_trouble\{part(!?=?~)"([^"]*)"\}', rule["expr"])
        for rule in RULES
        if "bot_trouble" in rule["expr"]
    }
    ((pages, but_for),) = patterns["page"]
    ((tickets, care),) = patterns["ticket"]
    assert (pages, tickets) == ("!~", "=~")
    assert set(but_for.split("|")) == SERVES_ALL_THE_SAME
    assert {*care.split("|"), "backup"} == SERVES_ALL_THE_SAME


def test_durations_fall_into_their_ranges() -> None:
    steps = Metrics().steps
    for seconds in (0.0, 0.0005, 0.00051, 29.9, 31.0):
        steps.note(seconds, "whole")
    numbers = steps.spreads[("whole",)].numbers
    assert len(numbers) == len(BOUNDS) + 1
    assert (numbers[0], numbers[1], numbers[-2], numbers[-1]) == (2, 1, 1, 1)


async def test_an_overload_is_an_error_of_the_store_for_platforms() -> None:
    assert isinstance(Overloaded(), StoreUnavailable)  # hooks answer 503, and the platform brings it again
