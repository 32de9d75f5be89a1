"""Feed the readers of foreign input with ever other bytes: `make fuzz`, or `python bench/fuzz.py SECONDS`.

The first byte chooses the reader, the rest is what comes in. Whatever comes, a hook's parser must give a message or
nothing, both roads of Telegram the same, no proof that was made up may be believed, a file must be read or refused by
one error, and text must come out of cleaning, folding, redaction and marking as those modules promise.

Needs atheris, which `make fuzz` installs; what it finds is written to build/fuzz/ as a file that can be given again.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import tempfile
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import atheris

with atheris.instrument_imports(include=["bot"]):
    import orjson
    import yaml
    from openpyxl import Workbook

    from bot.channels.telegram.channel import TelegramChannel
    from bot.channels.telegram.updates import MessageReceived, Myself, read_any, read_plain, update_id_of
    from bot.channels.zalo.bot.channel import ZaloBotChannel
    from bot.channels.zalo.bot.updates import read_update as read_zalo_update
    from bot.channels.zalo.bot.updates import unwrap
    from bot.channels.zalo.oa.events import Verifier, read_event
    from bot.errors import ContentError
    from bot.library.regions import load_regions
    from bot.library.teach import _as_yaml
    from bot.message import IncomingMessage
    from bot.search.tokenizer import WordLists
    from bot.serialization import dump_message, load_message
    from bot.statistics.counts import OfficialFigure
    from bot.statistics.official_mapping import guess_mapping
    from bot.statistics.official_preview import preview_table
    from bot.statistics.table_reader import TableRefused, read_tables
    from bot.text.markup import escape, to_html, to_plain
    from bot.text.normalize import clean, fold, split_text, words
    from bot.text.redaction import redact
    from bot.yaml_document import read_document

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "fuzz"
GIVEN = Path(tempfile.gettempdir()) / f"fuzz-{os.getpid()}"
NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
ME = Myself(123456789, "so_suc_khoe_bot")
VERIFIER = Verifier(app_id="4", oa_id="2", secrets=[("own", "secret")])
DOOR: Any = SimpleNamespace(_connection=SimpleNamespace(hook_secret="a secret that only the platform was told"))
REGIONS = load_regions(ROOT / "content/regions/vinh-phuc.yaml")

# An identity number or a mobile number in the portions that people make, with anything between that is no part of a
# word; it stands by itself, so that it is no part of another figure. Written anew and not from bot/text/redaction.py.
_SIGN = r"[ .,/_()|*-]{0,2}"
PERSONAL = re.compile(
    r"(?<![0-9])(?<![0-9].)(?<![0-9]..)"
    r"(?:0[0-9]{2}~[0-9]{3}~[0-9]{3}~[0-9]{3}|0[35789][0-9]{2}~[0-9]{3}~[0-9]{3})(?!~[0-9])".replace("~", _SIGN)
)
# What phones make tappable, but for what only some would.
TAPPABLE = re.compile(r"://|\w\.[^\W\d_]|@\w")

# What Python says of an object that has not the form one took for granted: of a malformed update both roads say no
# more than this, which the channel catches. Anything else is a finding.
MALFORMED = (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError)


def telegram(raw: object) -> None:
    """The short road reads what python-telegram-bot reads, or leaves it to that; what is read can be stored."""
    if update_id_of(raw) is None:
        return
    assert isinstance(raw, dict)
    try:
        plain = read_plain(raw)
        event = read_any(raw, ME, now=NOON)
    except MALFORMED:
        return
    assert plain is None or plain == event, (plain, event)
    taken(event.message if isinstance(event, MessageReceived) else None)


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


def proofs(header: bytes) -> None:
    """What a stranger writes into the headers that prove a platform proves nothing, and breaks nothing."""
    value = header.decode("utf-8", "surrogateescape")  # as aiohttp hands headers over
    assert not TelegramChannel.knows(DOOR, value)
    assert not ZaloBotChannel.knows(DOOR, value)
    body, _, signature = header.partition(b"\n")
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError:
        raw = {}
    assert not VERIFIER.accepts(
        body, raw if isinstance(raw, dict) else {}, signature.decode("utf-8", "surrogateescape")
    )


def figures(content: bytes) -> None:
    """A table of the authorities, CSV or XLSX, is read and remarked on, or refused."""
    try:
        tables = read_tables(content, "a.csv")
    except TableRefused:
        return
    mapping = guess_mapping(tables, REGIONS, "a.csv")
    preview = preview_table(tables[mapping.sheet], mapping, REGIONS, _nothing_before, today=date(2026, 11, 23))
    assert preview.lines or preview.stopped
    assert all(figure.phones >= 0 for figure in preview.figures)


def _nothing_before(place: str, day: date) -> OfficialFigure | None:
    return None


def words_file(content: bytes) -> None:
    """A YAML file of the content is read or refused, and so are the lists of words in it."""
    GIVEN.write_bytes(content)
    try:
        found = read_document(GIVEN)
    except ContentError:
        return
    try:
        read = WordLists.from_mapping(found.value)
    except ValueError:
        return
    assert WordLists.from_mapping(read.to_mapping()) == read


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
    assert not PERSONAL.search(unicodedata.normalize("NFKC", found.text)), found.text
    assert fold(fold(tidy)) == fold(tidy)
    words(tidy)
    assert "<script" not in to_html(escape(tidy)).lower()
    assert "<a" not in to_html(escape(tidy))
    assert not TAPPABLE.search(to_plain(escape(tidy)))
    to_plain(tidy)
    assert yaml.safe_load(f"- {_as_yaml(tidy)}") == [tidy]
    assert all(len(part) <= 50 for part in split_text(tidy, 50))


JSON: dict[bytes, Callable[[object], None]] = {b"t": telegram, b"z": zalo_bot, b"o": zalo_oa}
BYTES: dict[bytes, Callable[[bytes], None]] = {b"h": proofs, b"c": figures, b"y": words_file}


def one_input(data: bytes) -> None:
    """Give one input to the reader that its first byte names."""
    kind, rest = data[:1], data[1:]
    if kind in BYTES:
        BYTES[kind](rest)
    elif kind in JSON:
        try:
            raw = orjson.loads(rest)
        except orjson.JSONDecodeError:
            return
        JSON[kind](raw)
    else:
        text(rest.decode("utf-8", "replace"))


TABLES = [
    [["date", "district", "phones"], ["2026-11-22", "yen-lac", "1200"]],
    [["ngày", "huyện", "số máy"], ["22/11/2026", "Yên Lạc", "1.200"], ["22/11/2026", "toàn tỉnh", "67.750"]],
    [["date", "district", "phones"], ["=1+1", "nowhere", "-5"]],
]
WORDS = [
    "abbreviations:\n  ko: không\nnever_decoded: [vneid]\n",
    "in_context:\n  mk:\n    near: [quên]\n    then: mật khẩu\n    else: mình\n",
    "synonyms:\n  phone: [điện thoại, đt]\n",
    "a: &a [x]\nb: *a\n",
]


def plant() -> Path:
    """Lay out real payloads as the first inputs."""
    seeds = WORK / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    for kind, folder in (("t", "telegram"), ("z", "zalo_bot"), ("o", "zalo_oa")):
        for path in sorted((ROOT / "tests" / "payloads" / folder).glob("*.json")):
            payload = json.loads(path.read_text(encoding="utf-8"))
            raw = payload.get("update", payload.get("event", payload))
            (seeds / f"{folder}-{path.stem}").write_bytes(kind.encode() + json.dumps(raw).encode())
    texts = (
        "quên mật khẩu",
        "mã OTP 482913",
        "số 0912 345 678",
        "cccd 026199001234",
        "**a** [b](c)",
        "(0912) 345/678",
        "026.199.001.234",
        "０９１２，３４５，６７８",
        "10/10/2021 08:30",
        "evil.example/x @a tg://b",
    )
    for number, said in enumerate(texts):
        (seeds / f"text-{number}").write_bytes(b"x" + said.encode())
    for number, rows in enumerate(TABLES):
        table = "\n".join(map(",".join, rows))
        (seeds / f"figures-{number}.csv").write_bytes(b"c" + table.encode())
        book = Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        content = io.BytesIO()
        book.save(content)
        (seeds / f"figures-{number}.xlsx").write_bytes(b"c" + content.getvalue())
    for number, said in enumerate(WORDS):
        (seeds / f"words-{number}").write_bytes(b"y" + said.encode())
    for number, header in enumerate((b"mac=" + b"0" * 64, b'{"timestamp":"1","oa_id":"2"}\nmac=' + b"f" * 64, b"\xff")):
        (seeds / f"proof-{number}").write_bytes(b"h" + header)
    return seeds


def main() -> None:
    """Run for some seconds."""
    seconds = sys.argv[1] if len(sys.argv) > 1 else "600"
    seeds, corpus = plant(), WORK / "corpus"
    corpus.mkdir(exist_ok=True)
    options = [sys.argv[0], str(corpus), str(seeds), f"-max_total_time={seconds}", "-max_len=4096", "-timeout=5",
               f"-artifact_prefix={WORK}/", "-print_final_stats=1", "-rss_limit_mb=2048"]  # fmt: skip
    atheris.Setup(options, one_input)
    try:
        atheris.Fuzz()
    finally:
        GIVEN.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
