"""The real bot beside its peers on Telegram, interleaved in one run: `make bench-telegram`.

Three runs of run_peers.py: a backlog, the API 50 ms away, latency at 200 updates a second. The peers live in
../shared/bench (copied into build/, because results are written beside them) with a virtual environment of their own.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY, VENV = ROOT / "build" / "bench-peers", ROOT / "build" / "bench-venv"
PRODUCT = f"{ROOT / '.venv/bin/python'} {ROOT / 'bench/telegram_product.py'}"
PEERS = ("ptb_default", "aiogram_poll", "aiogram_hook", "telebot_poll", "floor_poll_uv", "floor_hook_uv")


def main() -> None:
    """Prepare what is missing, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, default=ROOT.parent / "shared" / "bench", help="folder of run_peers.py")
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--part", choices=["backlog", "distant", "latency"], action="append", help="only this part")
    chosen = parser.parse_args()
    shutil.copytree(chosen.peers, COPY, dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "u+w", str(COPY)], check=True)
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(COPY / "requirements.txt")], check=True)
    subprocess.run([str(ROOT / ".venv/bin/python"), str(ROOT / "bench/telegram_product.py"), "--prepare"], check=True)
    products = {"product_poll": f"poll:{PRODUCT}", "product_hook": f"hook:{PRODUCT} --hook"}
    parts = {
        "backlog": (PEERS, ["--reps", str(chosen.reps), "--no-latency"]),
        "distant": (("floor_poll_uv", "floor_hook_uv"), ["--reps", "2", "--delay-ms", "50", "--no-latency"]),
        "latency": (("ptb_default", "floor_poll_uv", "floor_hook_uv"), ["--reps", "0", "--rate", "200"]),
    }
    for part, (peers, options) in parts.items():
        if chosen.part and part not in chosen.part:
            continue
        print(f"\n{part}", flush=True)
        added = [word for name, command in products.items() for word in ("--add", f"{name}={command}")]
        only = ",".join((*peers, *products))
        command = [str(python), "run_peers.py", "--only", only, *options, "--out", f"product_{part}", *added]
        subprocess.run(command, cwd=COPY, check=True)


if __name__ == "__main__":
    main()
