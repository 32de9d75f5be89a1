"""How long citizens wait for an answer while a message to many is under way: `make bench-broadcast` runs it last.

    PYTHONPATH=. .venv/bin/python bench/broadcast_replies.py [--reps 3] [--seconds 20] [--pace 110 --rate 60]

The real bot polls the stand-in of ../shared/bench, citizens write at random moments, and in turn nothing else goes on
or a broadcast runs: at the default pace, of which the answers leave half; at one of 110, of which they leave 50; and
without a limit. Compare within a row: other work on the machine changes from minute to minute.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "build" / "bench-peers"
PEOPLE, FIRST = 60_000, 40_000_000
CITIZENS_FROM = 1000
PACES = [(29.0, 15.0), (110.0, 60.0), (0.0, 150.0)]  # messages to many and updates, each a second
TEXTS = ["quên mật khẩu thì làm sao", "cài trên máy Samsung thế nào", "/menu", "/tiendo", "giá vàng hôm nay"]


def main() -> None:
    """Measure each pace, with and without a broadcast in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, default=ROOT.parent / "shared" / "bench", help="folder of harness.py")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--rate", type=float, default=15.0, help="updates a second, with --pace")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--pace", type=float, help="only this, messages a second; 0 for no limit")
    chosen = parser.parse_args()
    shutil.copytree(chosen.peers, COPY, dirs_exist_ok=True)
    sys.path[:0] = [str(ROOT), str(COPY)]
    for pace, rate in PACES if chosen.pace is None else [(chosen.pace, chosen.rate)]:
        _measure(pace, chosen.reps, rate, int(rate * chosen.seconds))


def _measure(pace: float, reps: int, rate: float, updates: int) -> None:
    from harness import Fake

    from tests.support.processes import RunningBot

    fake = Fake(pin=False)
    with tempfile.TemporaryDirectory(prefix="bench-replies-") as folder:
        bot = RunningBot(
            Path(folder),
            BOT_TELEGRAM__TOKEN="1:bench",
            BOT_TELEGRAM__API_BASE=f"{fake.url}/bot",
            BOT_LIMITS__PERSON_PER_MINUTE="0",
            BOT_LIMITS__TELEGRAM__BULK_PER_SECOND=str(pace),
            BOT_LIMITS__TELEGRAM__CHAT_PER_SECOND="0",
            BOT_LIMITS__TELEGRAM__GROUP_PER_MINUTE="0",
            BOT_REMINDERS__QUIET_FROM="00:00",
            BOT_REMINDERS__QUIET_UNTIL="00:00",
            BOT_REMINDERS__APPROVE_ABOVE="1000000000",
            BOT_LOG__LEVEL="warning",
        )
        asyncio.run(_prepare(Path(folder)))
        text = Path(folder) / "text.txt"
        text.write_text("Mời bạn cài ứng dụng Sổ sức khỏe điện tử.", encoding="utf-8")
        bot.command("broadcast", "plan", "--text", str(text))
        bot.start()
        try:
            waits: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
            _wait_for(fake, rate, updates)  # what is loaded once is not part of it
            for rep in range(reps):
                waits["without"].append(_wait_for(fake, rate, updates))
                bot.command("broadcast", "resume" if rep else "send", "1")
                waits["with"].append(_wait_for(fake, rate, updates))
                bot.command("broadcast", "pause", "1")
                print(f"pace {pace:g}, {rep + 1}:", *(f"{name} {runs[-1]}" for name, runs in waits.items()), flush=True)
            for part in ("p50", "p99"):
                without, beside = (statistics.median(run[part] for run in runs) for runs in waits.values())
                ratio = statistics.median(
                    one[part] / other[part] for one, other in zip(waits["with"], waits["without"], strict=True)
                )
                print(f"pace {pace:g}, {part}: {without:.1f} ms, beside a broadcast {beside:.1f} ms, ratio {ratio:.2f}")
        finally:
            bot.stop()
            fake.close()


def _wait_for(fake, rate: float, updates: int) -> dict[str, float]:
    """Have citizens write and return how long they waited, in milliseconds."""
    fake.call("_reset")
    load = {"n": updates, "chats": 500, "first_chat": CITIZENS_FROM, "mode": "poll", "rate": rate, "texts": TEXTS}
    fake.call("_load", load)
    found = fake.call(f"_wait?replies={updates}&timeout=120", timeout=150)
    said = found["due_ms"]
    return {"p50": round(said["p50"], 1), "p99": round(said["p99"], 1), "of many": found["sends"] - updates}


async def _prepare(folder: Path) -> None:
    """Put everybody into the records, and the index beside them."""
    from bot.library.knowledge import INDEX_FILE, load_knowledge
    from bot.store import open_store
    from tests.support.broadcasts import add_person

    kept = ROOT / "build" / INDEX_FILE
    load_knowledge(ROOT / "content", kept)
    shutil.copy(kept, folder / INDEX_FILE)
    store = open_store(f"sqlite:///{folder / 'bot.db'}")
    for begin in range(FIRST, FIRST + PEOPLE, 5000):
        numbers = range(begin, begin + 5000)
        await store.write(lambda tx, numbers=numbers: [add_person(tx, str(n), channel="telegram") for n in numbers])
    await store.close()


if __name__ == "__main__":
    main()
