"""Feed the readers of foreign input with ever other bytes: `make fuzz`, or `python bench/fuzz.py SECONDS`.

The first byte chooses the reader, the rest is what comes in. Whatever comes, a hook's parser must give a message or
nothing, and text must come out of cleaning, folding, redaction and marking as the promises of those modules say. Needs
atheris, which `make fuzz` installs; what it finds is written to build/fuzz/ as a file that can be given again.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bot"]):
    import orjson

    from bot.channels.telegram_updates import Myself, read_update, update_id_of
    from bot.channels.zalo.events import Verifier, read_event
    from bot.channels.zalo.updates import read_update as read_zalo_update
    from bot.channels.zalo.updates import unwrap
    from bot.markup import escape, to_html, to_plain
    from bot.message import IncomingMessage
    from bot.redaction import redact
    from bot.text import clean, fold, split_text, words
    from bot.wire import dump_message, load_message

# An identity number or a mobile number that stands by itself.
PERSONAL = re.compile(r"(?<![0-9])(?:[0-9]{12}|0[35789][0-9]{8})(?![0-9])")
ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "fuzz"
NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
ME = Myself(123456789, "so_suc_khoe_bot")
VERIFIER = Verifier(app_id="4", oa_id="2", secrets=[("own", "secret")])


def telegram(raw: object) -> None:
    """The channel catches what the library throws at a malformed update; nothing else may escape."""
    if update_id_of(raw) is None:
        return
    assert isinstance(raw, dict)
    try:
        read_update(raw, ME, now=NOON)
    except (RecursionError, MemoryError):
        raise
    except Exception:
        return


def zalo_bot(raw: object) -> None:
    """A reader that must not throw."""
    update = unwrap(raw)
    if update is not None:
        taken(read_zalo_update(update, account="1", now=NOON))


def zalo_oa(raw: object) -> None:
    """A reader that must not throw, and a signature that must not fit."""
    if isinstance(raw, dict):
        assert not VERIFIER.accepts(b"other bytes", raw, str(raw.get("mac", "")))
        event = read_event(raw, now=NOON)
        taken(event if isinstance(event, IncomingMessage) else None)


def taken(message: IncomingMessage | None) -> None:
    """What is taken can be stored and read again."""
    if message is not None:
        body = dump_message(message)
        assert load_message(body, person=message.person, message_id=message.id).text == message.text


def text(said: str) -> None:
    """What the modules of text promise."""
    tidy = clean(said)
    assert clean(tidy) == tidy
    found = redact(tidy)
    assert not PERSONAL.search(found.text), found.text
    assert fold(fold(tidy)) == fold(tidy)
    words(tidy)
    assert "<script" not in to_html(escape(tidy)).lower()
    assert "<a" not in to_html(escape(tidy))
    to_plain(tidy)
    assert all(len(part) <= 50 for part in split_text(tidy, 50))


READERS = (telegram, zalo_bot, zalo_oa)


def one_input(data: bytes) -> None:
    """Give one input to the reader that its first byte names."""
    kind, rest = data[:1], data[1:]
    if kind in (b"t", b"z", b"o"):
        try:
            raw = orjson.loads(rest)
        except orjson.JSONDecodeError:
            return
        READERS[(b"t", b"z", b"o").index(kind)](raw)
    else:
        text(rest.decode("utf-8", "replace"))


def plant() -> Path:
    """Lay out real payloads as the first inputs."""
    seeds = WORK / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    for kind, folder in (("t", "telegram"), ("z", "zalo_bot"), ("o", "zalo_oa")):
        for path in sorted((ROOT / "tests" / "payloads" / folder).glob("*.json")):
            payload = json.loads(path.read_text(encoding="utf-8"))
            raw = payload.get("update", payload.get("event", payload))
            (seeds / f"{folder}-{path.stem}").write_bytes(kind.encode() + json.dumps(raw).encode())
    texts = ("quên mật khẩu", "mã OTP 482913", "số 0912 345 678", "cccd 026199001234", "**a** [b](c)")
    for number, said in enumerate(texts):
        (seeds / f"text-{number}").write_bytes(b"x" + said.encode())
    return seeds


def main() -> None:
    """Run for some seconds."""
    seconds = sys.argv[1] if len(sys.argv) > 1 else "600"
    seeds, corpus = plant(), WORK / "corpus"
    corpus.mkdir(exist_ok=True)
    options = [sys.argv[0], str(corpus), str(seeds), f"-max_total_time={seconds}", "-max_len=4096", "-timeout=5",
               f"-artifact_prefix={WORK}/", "-print_final_stats=1", "-rss_limit_mb=2048"]  # fmt: skip
    atheris.Setup(options, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
