"""The real bot, started as ../shared/bench/run_peers.py starts its peers: its variables become our settings.

    python bench/telegram_product.py --prepare       build the content and its search index once
    run_peers.py --add 'product_poll=poll:PYTHON bench/telegram_product.py' --add 'product_hook=hook:… --hook'

`--forgetful` searches every question anew: the bench asks the same 1,038 again and again, citizens do not.
Full duty: inbox, once-only intake, search, store, per-person order; the limits are off. Beside its own 90 articles it
knows the 80 of the bench's corpus, so that it answers what the peers answer.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("BENCH_CORPUS", ROOT.parent / "shared" / "bench"))
CONTENT = ROOT / "build" / "bench-content"
INDEX = ROOT / "build" / "bench-index"
TOPIC = "shop"


def prepare() -> None:
    """Write the content with the corpus in it, and its index."""
    sys.path[:0] = [str(ROOT), str(CORPUS)]
    from corpus import ENTRIES

    from bot.library.articles import load_library
    from bot.library.knowledge import INDEX_FILE, load_knowledge
    from bot.text.normalize import fold

    shutil.rmtree(CONTENT, ignore_errors=True)
    shutil.copytree(ROOT / "content", CONTENT)
    menu = yaml.safe_load((CONTENT / "menu.yaml").read_text(encoding="utf-8"))
    menu["topics"][TOPIC] = {"vi": "Cửa hàng", "en": "Shop"}
    (CONTENT / "menu.yaml").write_text(yaml.safe_dump(menu, allow_unicode=True), encoding="utf-8")
    folder = CONTENT / "articles" / TOPIC
    folder.mkdir()
    taken = {fold(q) for own in load_library(ROOT / "content").articles.values() for q in own.questions.vi}
    for entry in ENTRIES:
        entry["phrasings"] = [phrasing for phrasing in entry["phrasings"] if fold(phrasing) not in taken]
        (folder / f"{name(entry['id'])}.yaml").write_text(
            yaml.safe_dump(article(entry), allow_unicode=True), encoding="utf-8"
        )
    INDEX.mkdir(exist_ok=True)
    knowledge = load_knowledge(CONTENT, INDEX / INDEX_FILE)
    right = sum(knowledge.find(q).ids[:1] == (name(e["id"]),) for e in ENTRIES for q in e["phrasings"])
    print(f"{len(knowledge.library.articles)} articles, {right} of {sum(len(e['phrasings']) for e in ENTRIES)} found")


def name(number: int) -> str:
    """Name an article."""
    return f"{TOPIC}-{number}"


def article(entry: dict) -> dict:
    """Write an entry of the corpus as one of our articles: about as much text, four buttons."""
    number, text = entry["id"], entry["answer"].strip().replace("1900 1234", "của cửa hàng")
    return {
        "id": name(number),
        "topic": TOPIC,
        "product": "none",
        "status": "always",
        "checked_on": "2026-10-06",
        "title": {"vi": f"{entry['topic'].capitalize()} ({number})", "en": f"Entry {number}"},
        "answer": {"vi": text[:560], "en": text[:560]},
        "related": [name((number + 1) % 80), name((number + 2) % 80)],
        "sources": [{"ref": "bench", "url": "https://example.invalid", "date": "2026"}],
        "questions": {"vi": entry["phrasings"], "en": [f"shop entry {number}"]},
    }


def main() -> None:
    """Run the bot until it is stopped."""
    if "--prepare" in sys.argv:
        prepare()
        return
    data = Path(tempfile.mkdtemp(prefix="bench-bot-"))
    shutil.copy(next(INDEX.glob("*.npz")), data)
    hook, forgetful = "--hook" in sys.argv, "--forgetful" in sys.argv
    port = os.environ.get("BENCH_HOOK_PORT", "0") if hook else "0"
    settings = {
        "DATABASE": f"sqlite:///{data / 'bot.db'}",
        "CONTENT": str(CONTENT),
        "REGION": str(CONTENT / "regions" / "vinh-phuc.yaml"),
        "WEB__PORT": port,
        "WEB__PUBLIC_URL": f"http://127.0.0.1:{port}" if hook else "",
        "TELEGRAM__MODE": "webhook" if hook else "polling",
        "TELEGRAM__API_BASE": os.environ["BENCH_API"] + "/bot",
        "TELEGRAM__TOKEN": os.environ["BENCH_TOKEN"],
        "TELEGRAM__CONNECTIONS": "256",
        "LIMITS__PERSON_PER_MINUTE": "0",
        "LIMITS__TELEGRAM__BULK_PER_SECOND": "0",
        "LIMITS__TELEGRAM__CHAT_PER_SECOND": "0",
        "LIMITS__TELEGRAM__GROUP_PER_MINUTE": "0",
        "LOG__LEVEL": "warning",
    }
    os.environ.update({f"BOT_{key}": value for key, value in settings.items()})
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    sys.argv = ["bot", "run"]
    from bot.__main__ import entry
    from bot.reading import reader

    if forgetful:
        reader.MOST_REMEMBERED = 0
    try:
        entry()
    finally:
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
