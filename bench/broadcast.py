"""Broadcasts of the real product beside the peers of ../shared/bench, in one interleaved run: `make bench-broadcast`.

    python bench/broadcast.py                 the peers' run, then planning
    python bench/broadcast.py --send          the sender that run_broadcast.py starts; its variables become our settings
    python bench/broadcast.py --plan          planning of 100,000 people: seconds and memory
    python bench/broadcast.py --part free     only that part of run_broadcast.py

The product writes its ledger: it plans, claims, sends and notes everybody, in the file that a crash would leave.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import structlog

ROOT = Path(__file__).resolve().parent.parent
COPY, VENV = ROOT / "build" / "bench-peers", ROOT / "build" / "bench-venv"
PEERS = ("ptb_gather30", "aiogram_uv", "aiohttp_bare_uv")
MANY = 100_000
SHARE = 29 / 30  # of the platform's limit, as limits.telegram.bulk_per_second is set by default
TOKEN = "1:bench"  # of the stand-in


def main() -> None:
    """Prepare what is missing, then measure; or be the sender."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--peers", type=Path, default=ROOT.parent / "shared" / "bench", help="folder of run_broadcast.py"
    )
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--part", choices=["all", "free", "limit"], default="all")
    parser.add_argument("--send", action="store_true")
    parser.add_argument("--plan", action="store_true")
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    if chosen.send or chosen.plan:
        with tempfile.TemporaryDirectory(prefix="bench-broadcast-") as folder:
            _run(_send(Path(folder)) if chosen.send else _plan(Path(folder)))
        return
    shutil.copytree(chosen.peers, COPY, dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "u+w", str(COPY)], check=True)
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(COPY / "requirements.txt")], check=True)
    product = f"product={ROOT / '.venv/bin/python'} {ROOT / 'bench/broadcast.py'} --send"
    for part, only in (("free", (*PEERS, "product")), ("limit", ("product",))):
        if chosen.part in ("all", part):
            command = [str(python), "run_broadcast.py", "--part", part, "--only", ",".join(only), "--add", product]
            subprocess.run([*command, "--reps", str(chosen.reps), "--out", f"broadcast_{part}"], cwd=COPY, check=True)
    subprocess.run([sys.executable, __file__, "--plan"], check=True)


def _run(work) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # the first line is "ready"
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


def _settings(folder: Path, *, api: str, rate: float):
    from bot.library.knowledge import INDEX_FILE, load_knowledge
    from bot.settings import Settings

    kept = ROOT / "build" / INDEX_FILE
    load_knowledge(ROOT / "content", kept)
    shutil.copy(kept, folder / INDEX_FILE)
    return Settings(
        database=f"sqlite:///{folder / 'bot.db'}",
        data=str(folder),
        telegram={"token": TOKEN, "api_base": f"{api}/bot", "connections": 256},
        limits={"telegram": {"bulk_per_second": rate, "chat_per_second": 0, "group_per_minute": 0}},
        reminders={"quiet_from": "00:00", "quiet_until": "00:00", "approve_above": 10**9},
    )


async def _fill(service, first: int, count: int) -> None:
    from tests.support.broadcasts import add_person

    for begin in range(first, first + count, 5000):
        numbers = range(begin, min(begin + 5000, first + count))
        await service.store.write(
            lambda tx, numbers=numbers: [add_person(tx, str(n), channel="telegram") for n in numbers]
        )


async def _planned(service) -> int:
    from bot.broadcasts import Actor
    from bot.store.audiences import Audience

    number = await service.broadcasts.draft(Actor(), Audience(channel="telegram"))
    await service.broadcasts.write(Actor(), number, {"vi": "Mời bạn cài ứng dụng Sổ sức khỏe điện tử."})
    await service.broadcasts.plan(Actor(), number)
    return number


async def _send(folder: Path) -> None:
    """Be a sender of run_broadcast.py: ready, a line, everybody in a ledger, one line of JSON."""
    from bot.broadcasts import Actor
    from bot.runtime.build import open_service
    from handlers import ROUTES

    count, rate = int(os.environ["BENCH_N"]), float(os.environ.get("BENCH_RATE", "0"))
    settings = _settings(folder, api=os.environ["BENCH_API"], rate=rate * SHARE)
    async with open_service(settings, ROUTES, online=True) as service:
        await _fill(service, int(os.environ["BENCH_FIRST_CHAT"]), count)
        number = await _planned(service)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        used, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        await service.broadcasts.release(Actor(), number)
        while True:
            progress = await service.broadcasts.progress(Actor(), number)
            if progress.done == count:
                break
            await asyncio.sleep(0.02)
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        ok = progress.states.get("sent", 0)
        print(json.dumps({"ok": ok, "failed": count - ok, "seconds": seconds, "cpu_s": cpu, "errors": {}}), flush=True)


async def _plan(folder: Path) -> None:
    """Plan 100,000 people and print seconds and how much the process grew."""
    from bot.broadcasts import Actor
    from bot.runtime.build import open_service
    from handlers import ROUTES

    settings = _settings(folder, api="http://127.0.0.1:9", rate=0)
    async with open_service(settings, ROUTES) as service:
        await _fill(service, 30_000_000, 200)
        await _planned(service)  # what is loaded once is not part of it
        await _fill(service, 40_000_000, MANY - 200)
        _forget_peak()
        before, began, used = _memory(), time.perf_counter(), time.process_time()
        number = await _planned(service)
        cpu = time.process_time() - used
        seconds, grown = time.perf_counter() - began, (_memory("VmHWM") - before) / 2**20
        found = await service.broadcasts.progress(Actor(), number)
        print(
            f"planning {found.people:,} people: {seconds:.1f} s, {cpu:.1f} s of CPU, "
            f"at most {grown:.0f} MB more than before"
        )
        assert found.people == MANY


def _forget_peak() -> None:
    """Let the highest use of memory begin anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _memory(line: str = "VmRSS") -> int:
    """Return what the process holds, or held at most (VmHWM), in bytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{line}:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
