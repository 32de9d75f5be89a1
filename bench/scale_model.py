"""A nation on paper: what 100 million citizens and a broadcast to 10 million would take, from what was measured here.

    .venv/bin/python bench/scale_model.py [--bot-ms 6.8 --postgres-ms 2.7 …]

Measured are only two figures: CPU a message takes in a bot and in PostgreSQL, the worst of what bench/scale.py left in
build/scale.json; without it, the worst that docs/scale.md tells. Everything else is arithmetic on stated assumptions:
work arrives at random (Poisson), a core serves one message after another, and waiting is that of a queue with one line
and many servers (Erlang C). Nobody has run this on such machines.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

MEASURED = Path(__file__).resolve().parent.parent / "build" / "scale.json"
DAY, HOUR = 86_400.0, 3_600.0
SENDING_HOURS = 12.0  # of a day, between the quiet hours
FOR_MANY = 1 / 3  # of a token's pace where three processes or more write by it
# Messages a second: Telegram's general limit, its paid broadcasts, an Official Account of Zalo as the settings have it.
PACES = (
    ("Telegram, one token", 29.0),
    ("Telegram, 34 tokens", 34 * 29.0),
    ("Telegram, paid, one token", 1_000.0),
    ("Telegram, paid, 34 tokens", 34_000.0),
    ("Zalo OA, one account", 1.5),
    ("Zalo OA, 34 accounts", 34 * 1.5),
)


@dataclass(frozen=True)
class Cost:
    """What a message took in one round of bench/scale.py: milliseconds of CPU."""

    processes: int
    bot_ms: float
    postgres_ms: float


# docs/scale.md, 2026-11-26: the worst of four runs, four processes on two crowded cores.
TOLD = Cost(4, 6.8, 2.7)


def keep(rounds: Sequence[Cost], *, cores: int | None) -> None:
    """Leave what was measured for the model."""
    MEASURED.parent.mkdir(exist_ok=True)
    told = {"day": date.today().isoformat(), "cores": cores, "rounds": [asdict(cost) for cost in rounds]}
    MEASURED.write_text(json.dumps(told, indent=1) + "\n")


def worst() -> tuple[Cost, str]:
    """Return the worst of what was measured last, and where that is from."""
    if not MEASURED.exists():
        return TOLD, "told in docs/scale.md, 2026-11-26; make bench-scale measures anew"
    kept = json.loads(MEASURED.read_text())
    rounds = [Cost(**cost) for cost in kept["rounds"]]
    most = max(cost.processes for cost in rounds)
    cost = Cost(most, max(cost.bot_ms for cost in rounds), max(cost.postgres_ms for cost in rounds))
    return cost, f"build/{MEASURED.name} of {kept['day']}, up to {most} processes on {kept['cores']} cores"


@dataclass(frozen=True)
class Nation:
    """How much is written."""

    people: float = 100e6
    active: float = 0.10  # of them who write on a busy day
    messages: float = 6.0  # each of those
    busiest: float = 0.15  # of a day's messages in the busiest hour
    burst: float = 4.0  # times as many for some minutes, after the evening news

    @property
    def hour(self) -> float:
        """Messages a second in the busiest hour."""
        return self.people * self.active * self.messages * self.busiest / HOUR

    @property
    def peak(self) -> float:
        """Messages a second in a burst."""
        return self.hour * self.burst


def waiting(rate: float, seconds: float, servers: int) -> float:
    """Return the probability that a message has to wait at all (Erlang C); 1 where they cannot keep up."""
    offered = rate * seconds
    if servers <= offered:
        return 1.0
    blocked = 1.0  # Erlang B, step by step, which never overflows
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def wait_of(rate: float, seconds: float, servers: int, share: float) -> float:
    """Return the wait in seconds that so many of all messages do not exceed; infinite where they cannot keep up."""
    spare = servers / seconds - rate
    if spare <= 0:
        return math.inf
    must_wait = waiting(rate, seconds, servers)
    return 0.0 if must_wait <= 1 - share else math.log(must_wait / (1 - share)) / spare


def cores_for(rate: float, seconds: float, *, most: float, share: float = 0.99) -> int:
    """Return the fewest cores, each at most 70 % busy, with which a share of messages waits at most so many seconds."""
    servers = max(1, math.ceil(rate * seconds / 0.7))
    while wait_of(rate, seconds, servers, share) > most:
        servers += 1
    return servers


def wave(nation: Nation, *, recipients: float, pace: float, share: float, each: float, delay: float) -> float:
    """Return the most messages a second while a broadcast leaves, and people answer it after some time on average."""
    lasts = recipients / pace
    return pace * share * each * (1 - math.exp(-lasts / delay)) + nation.hour


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cost, source = worst()
    parser.add_argument("--bot-ms", type=float, help="CPU of a bot for a message, in the place of the measured one")
    parser.add_argument("--postgres-ms", type=float, help="CPU of PostgreSQL for a message, likewise")
    parser.add_argument("--database-cores", type=int, default=16, help="of one PostgreSQL machine")
    parser.add_argument("--recipients", type=float, default=10e6)
    parser.add_argument("--answering", type=float, default=0.1, help="share of those written to who write back")
    parser.add_argument("--each", type=float, default=3.0, help="messages of each who writes back")
    parser.add_argument("--minutes", type=float, default=30.0, help="until they do, on average")
    given = parser.parse_args()
    bot_ms = cost.bot_ms if given.bot_ms is None else given.bot_ms
    postgres_ms = cost.postgres_ms if given.postgres_ms is None else given.postgres_ms
    if given.bot_ms is not None or given.postgres_ms is not None:
        source += ", but for what was given"
    nation, bot, database = Nation(), bot_ms / 1000, postgres_ms / 1000
    print(f"measured: a message takes {bot_ms:.1f} ms of a bot's core and {postgres_ms:.1f} ms of PostgreSQL's")
    print(f"          ({source})")
    print(f"assumed: {nation.people:,.0f} people, of whom {nation.active:.0%} write on a busy day,")
    print(f"{nation.messages:.0f} messages each, {nation.busiest:.0%} of these in its busiest hour;")
    print(f"{nation.burst:.0f} times as many for minutes\n")
    print("load                       messages/s  bot cores  of them busy  p99 wait ms  database cores  databases")
    for name, rate in (("busiest hour", nation.hour), ("burst", nation.peak)):
        show(name, rate, bot, database, given.database_cores)
    print(f"\n{given.recipients:,.0f} written to           messages/s  days of 12 h  answers/s  bot cores")
    for name, pace in PACES:
        pace *= FOR_MANY
        most = wave(nation, recipients=given.recipients, pace=pace, share=given.answering, each=given.each,
                    delay=given.minutes * 60)  # fmt: skip
        days = given.recipients / pace / HOUR / SENDING_HOURS
        answers, cores = most - nation.hour, cores_for(most, bot, most=0.05)
        print(f"{name:29} {pace:12,.1f} {days:13,.2f} {answers:10,.0f} {cores:10}")


def show(name: str, rate: float, bot: float, database: float, size: int) -> None:
    """Print one line of the first table."""
    cores, needed = cores_for(rate, bot, most=0.05), cores_for(rate, database, most=0.05)
    print(
        f"{name:26} {rate:10,.0f} {cores:10} {rate * bot / cores:13.0%} {wait_of(rate, bot, cores, 0.99) * 1000:12.1f} "
        f"{needed:15} {math.ceil(needed / size):10}"
    )


if __name__ == "__main__":
    main()
