"""For machines that watch: alive, ready, figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

import bot
from bot.clock import moment, stamp
from bot.errors import StoreError
from bot.metrics import BOUNDS, Metrics
from bot.runtime.build import Service
from bot.store import Row, Transaction, backups, gauges
from bot.web.keys import SERVICE

log = structlog.get_logger()


# The last good content still serves, a missing backup harms nobody today, a clock that was set is seen to, deleted text
# that stays in the log is read by nobody who may not read the rest; with two secrets a session holds at half of the
# processes, and none of them is the wrong one.
_SERVES_ALL_THE_SAME = frozenset(("content", "backup", "clock", "scrub", "secret"))


async def alive(request: web.Request) -> web.Response:
    """Say that the process answers."""
    return web.json_response({"alive": True})


async def ready(request: web.Request) -> web.Response:
    """Say whether citizens can be served, naming each part that cannot."""
    service = request.app[SERVICE]
    trouble = dict(service.trouble)
    if service.closing.is_set():
        trouble["process"] = "The bot is stopping."
    if service.inbox.trouble:
        trouble["intake"] = service.inbox.trouble
    try:
        await service.store.read(lambda tx: tx.one("SELECT 1 AS one"))
    except StoreError as error:
        trouble["store"] = str(error)
    parts: dict[str, object] = {
        "channels": sorted(service.channels),
        "articles": len(service.content_store.knowledge.library.articles),
    }
    newest = service.backups.newest
    parts["backup_age_hours"] = newest and round((service.clock() - newest).total_seconds() / 3600, 1)
    blocking = set(trouble) - _SERVES_ALL_THE_SAME
    status = 503 if blocking else 200
    return web.json_response({"ready": not blocking, "trouble": trouble, **parts}, status=status)


async def metrics(request: web.Request) -> web.Response:
    """Give Prometheus the figures."""
    service = request.app[SERVICE]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Given([*_counted(service.metrics), *_present(service), *await _stored(service)]))
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Given(Collector):
    """Figures that are at hand."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        """List them."""
        yield from self._families


def _counted(metrics: Metrics) -> Iterator[Metric]:
    for count in metrics.counts():
        sums = CounterMetricFamily(count.name, count.help, labels=count.labels)
        for labels, value in sorted(count.values.items()):
            sums.add_metric(labels, value)
        yield sums
    for timing in metrics.timings():
        durations = HistogramMetricFamily(timing.name, timing.help, labels=timing.labels)
        for labels, spread in sorted(timing.spreads.items()):
            buckets, below = [], 0
            for bound, number in zip((*BOUNDS, float("inf")), spread.numbers, strict=True):
                below += number
                buckets.append(("+Inf" if bound == float("inf") else str(bound), float(below)))
            durations.add_metric(labels, buckets, spread.seconds)
        yield durations


def _present(service: Service) -> Iterator[Metric]:
    version = GaugeMetricFamily("bot_version", "The version that runs", labels=("version",))
    version.add_metric((bot.__version__,), 1)
    yield version
    yield _gauge("bot_messages_waiting", "Messages taken in and not yet delivered", service.inbox.waiting)
    yield _gauge("bot_replicas", "Processes that serve from the same records, this one among them",
                 service.membership.others + 1)  # fmt: skip
    yield _gauge("bot_articles", "Articles in use", len(service.content_store.knowledge.library.articles))
    trouble = GaugeMetricFamily("bot_trouble", "1 for each part that /readyz names", labels=("part",))
    for part in sorted({*service.trouble, *(["intake"] if service.inbox.trouble else [])}):
        trouble.add_metric((part,), 1)
    yield trouble
    channels = GaugeMetricFamily("bot_channel", "1 for each channel that is on", labels=("channel",))
    for name in sorted(service.channels):
        channels.add_metric((name,), 1)
    yield channels


async def _stored(service: Service) -> list[Metric]:
    """What stands in the records now; nothing when they cannot be read, which /readyz says."""
    now = service.clock()
    month = now.astimezone(service.settings.zone).strftime("%Y-%m")

    def work(tx: Transaction) -> list[Metric]:
        return [
            *_labelled("bot_pushes_waiting", "Messages that wait for people who did not just write", ("channel",),
                       gauges.pushes(tx)),
            _gauge("bot_oldest_message_seconds", "Age of the oldest message that is not delivered; 0 when all are",
                   gauges.oldest_unfinished(tx, at=now)),
            *_labelled("bot_quota_used", "What a channel used up this month, or what its platform says is left",
                       ("channel", "kind"), gauges.used(tx, month=month)),
            _backup(tx, now),
            *_labelled("bot_lease_seconds", "Seconds for which a lease is still held; below 0: nobody holds it",
                       ("lease",), gauges.leases(tx, at=now)),
        ]  # fmt: skip

    try:
        return [_flag("bot_store", "1 when the records can be read", True), *await service.store.read(work)]
    except StoreError as error:
        log.warning("figures without those of the records", reason=str(error), at=stamp(now))
        return [_flag("bot_store", "1 when the records can be read", False)]


def _backup(tx: Transaction, now: datetime) -> Metric:
    """The age of the newest backup; without a value where none was ever made."""
    age = GaugeMetricFamily("bot_backup_age_seconds", "Age of the newest backup that was verified", labels=())
    if (latest := backups.latest(tx)) is not None:
        age.add_metric((), (now - moment(latest["made_at"])).total_seconds())
    return age


def _labelled(
    name: str, help_: str, labels: tuple[str, ...], rows: Iterable[Row | Mapping[str, object]]
) -> Iterator[Metric]:
    family = GaugeMetricFamily(name, help_, labels=labels)
    for row in rows:
        family.add_metric([str(row[label]) for label in labels], float(str(row["value"])))
    yield family


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value=value)


def _flag(name: str, help_: str, value: bool) -> Metric:
    return _gauge(name, help_, int(value))
