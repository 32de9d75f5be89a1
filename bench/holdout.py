"""Does the interval of a held-back share cover the truth? Simulated people with a known effect, thousands of times.

Each run has a ledger of its own: every simulated person reports or not if told, and reports or not if held back, with
known probabilities. The product's own code draws who is held back (in a database, by a new seed) and makes the
interval from what each side then does. Said is how often it covers the true effect, and how often it leaves out 0,
which without an effect is a false alarm. Run with `make bench-holdout`; the runs are seeded, the figures the same.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bot.broadcasts.models import UNDECIDED, TrialSides
from bot.message import Person
from bot.statistics.newcombe import smallest_noticed
from bot.store import Store, Transaction, broadcasts, open_store, people, trials

AT = "2026-12-01T02:00:00.000Z"
PERCENT, USUAL = 10, 0.05
LEAST_COVERED, MOST_COVERED = 0.94, 0.98
_RUNS_AT_ONCE = 50  # in one transaction


@dataclass(frozen=True)
class Case:
    """So many people, and how much more of them report because they were told."""

    people: int
    effect: float


@dataclass
class Tally:
    """What came of the runs of a case."""

    runs: int = 0
    covered: int = 0
    more: int = 0
    concluded: int = 0


def fill(tx: Transaction, number: int) -> int:
    """Make a planned ledger of so many people; returns the number of the broadcast."""
    broadcast = broadcasts.add(tx, made_by="bench", audience="{}", at=AT)
    for one in range(number):
        person = people.remember(tx, Person("bench", str(one)), source="", at=AT)
        tx.run(
            """
            INSERT INTO deliveries (broadcast_id, person_id, channel, language)
            VALUES (:broadcast, :person, 'bench', 'vi')
            """,
            broadcast=broadcast,
            person=person,
        )
    return broadcast


def draw(tx: Transaction, broadcast: int, seeds: list[str]) -> list[list[int]]:
    """Return who is held back by each seed, as places in the ledger."""
    found = []
    for seed in seeds:
        trials.hold_back(tx, broadcast, seed=seed, percent=PERCENT)
        rows = tx.all("SELECT id FROM deliveries WHERE broadcast_id = :number AND state = 'held'", number=broadcast)
        found.append([row["id"] - 1 for row in rows])
    return found


def simulate(chance: random.Random, case: Case, held: list[int]) -> TrialSides:
    """Let everybody do what they would do on the side that they were put on."""
    would = [chance.random() for _ in range(case.people)]
    apart = set(held)
    held_reported = sum(would[one] < USUAL for one in held)
    told_reported = sum(will < USUAL + case.effect for one, will in enumerate(would) if one not in apart)
    return TrialSides(case.people - len(apart), told_reported, len(apart), held_reported)


async def measure(store: Store, case: Case, runs: int, seed: int) -> Tally:
    chance, tally = random.Random(f"{seed}/{case}"), Tally()
    broadcast = await store.write(lambda tx: fill(tx, case.people))
    while tally.runs < runs:
        seeds = [f"{chance.getrandbits(64):016x}" for _ in range(min(_RUNS_AT_ONCE, runs - tally.runs))]
        for held in await store.write(lambda tx: draw(tx, broadcast, seeds)):  # noqa: B023 - awaited at once
            sides = simulate(chance, case, held)
            found = sides.difference
            tally.runs += 1
            tally.covered += found.low <= case.effect <= found.high
            tally.more += found.low > 0
            tally.concluded += sides.verdict != UNDECIDED
    return tally


async def run(runs: int, seed: int, sizes: list[int]) -> bool:
    good = True
    for size in sizes:
        smallest = smallest_noticed(size - size * PERCENT // 100, size * PERCENT // 100, usual=USUAL)
        for effect in (0.0, round(smallest, 3)):
            case, begun = Case(size, effect), time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                store = open_store(f"sqlite:///{Path(folder) / 'bench.db'}")
                try:
                    tally = await measure(store, case, runs, seed)
                finally:
                    await store.close()
            covered = tally.covered / tally.runs
            good = good and LEAST_COVERED <= covered <= MOST_COVERED
            print(
                f"{size} people, {PERCENT} % held back, effect {100 * effect:.1f} points, {tally.runs} runs: "
                f"covered {100 * covered:.2f} %, concluded {100 * tally.concluded / tally.runs:.2f} %, "
                f"'more' {100 * tally.more / tally.runs:.2f} % ({time.perf_counter() - begun:.0f} s)",
                flush=True,
            )
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--people", type=int, nargs="*", default=[500, 5000])
    chosen = parser.parse_args()
    raise SystemExit(not asyncio.run(run(chosen.runs, chosen.seed, chosen.people)))
