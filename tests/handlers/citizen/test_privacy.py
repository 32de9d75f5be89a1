"""Export and erasure reach every table there is, whatever is added later; what is too old goes by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from bot.clock import stamp
from bot.message import Person
from bot.settings import Settings
from bot.store import Transaction, person_export
from tests.conftest import ON_BOTH_ENGINES, ROOT, FrozenClock, Talk

pytestmark = ON_BOTH_ENGINES

MARK = "zqx"
REPORTED = {
    "district": "vinh-tuong",
    "commune": "",
    "channel": "recorder",
    "source": "",
    "language": "vi",
    "product": "",
}
# Tables without any person: counts, content, keys, what is done by whom of the office.
OF_NOBODY = {"activity", "audit", "audit_head", "backups", "broadcast_tallies", "broadcast_texts", "broadcasts",
             "case_ratings", "choices", "credentials", "funnel", "invitations", "leases", "moves", "official_figures",
             "official_imports", "pictures", "reach_counts", "replicas", "revocations", "saved_replies", "simulations",
             "tallies", "usage", "walk_tallies"}  # fmt: skip
# Tables about people by another key: the person's own row, messages by address, messages of a conversation.
BY_ANOTHER_KEY = {"people", "inbox", "conversation_messages", "case_notes", "case_labels"}
# What each engine keeps for itself, and how it describes the rest.
OF_THE_ENGINE = {"_sqlite_migrations", "sqlite_sequence", "migrations", "locks"}
COLUMNS = {
    "sqlite": "SELECT m.name AS holder, c.name AS name, upper(c.type) AS type "
    "FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
    "postgresql": "SELECT table_name AS holder, column_name AS name, upper(data_type) AS type "
    "FROM information_schema.columns WHERE table_schema = 'public'",
}


async def tables(talk: Talk) -> dict[str, list[dict[str, Any]]]:
    """Every table with its columns, as the database itself describes them."""
    engine = talk.service.settings.database.partition(":")[0]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await talk.service.store.read(lambda tx: tx.all(COLUMNS[engine])):
        if row["holder"] not in OF_THE_ENGINE:
            found.setdefault(row["holder"], []).append({"name": row["name"], "type": row["type"]})
    return found


def of_people(found: dict[str, list[dict[str, Any]]]) -> set[str]:
    return {name for name, columns in found.items() if any(column["name"] == "person_id" for column in columns)}


async def test_every_table_is_known_to_hold_people_or_not(talk: Talk) -> None:
    found = await tables(talk)
    assert of_people(found) == set(person_export.REST) | set(person_export.SHOWN)
    unknown = set(found) - of_people(found) - OF_NOBODY - BY_ANOTHER_KEY
    assert not unknown, "say whether these are about people, and if so export and erase them"


def value_for(column: dict[str, Any], table: str, at: str) -> object:
    name = column["name"]
    if column["type"] != "TEXT":
        return 1
    if name == "reply":
        return json.dumps({"text": f"{MARK}-{table}-{name}"})
    if name == "state" and table == "dialogs":
        return json.dumps({"step": f"{MARK}-{table}"})
    if name == "day":
        return at[:10]
    if table == "reports" and name in REPORTED:
        return REPORTED[name]  # what is counted must be a thing that is counted
    if name in ("at", "since") or name.endswith(("_at", "_until", "_since", "_before")):
        return at
    return f"{MARK}-{table}-{name}"


async def fill(talk: Talk) -> None:
    """Put a row about the person in every table that has none yet."""
    found, at = await tables(talk), stamp(talk.service.clock())

    def work(tx: Transaction) -> None:
        row = tx.one("SELECT id FROM people WHERE address = :address", address=talk.person.address)
        assert row is not None
        insert("broadcasts", id=1)
        for table in sorted(of_people(found)):
            if tx.one(f"SELECT 1 FROM {table} WHERE person_id = :id", id=row["id"]) is None:
                insert(table, person_id=row["id"])

    def insert(table: str, **given: object) -> None:
        values = {column["name"]: value_for(column, table, at) for column in found[table] if column["name"] != "id"}
        values = {name: value for name, value in values.items() if name != "withdrawn_at"} | given
        if table == "conversations":
            values["officer_id"] = None
            values["closed_at"] = ""
        names = ", ".join(values)
        transactions[0].run(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in values)})", **values
        )

    transactions: list[Transaction] = []

    def run(tx: Transaction) -> None:
        transactions.append(tx)
        work(tx)

    await talk.service.store.write(run)


async def test_an_export_holds_something_of_every_table(talk: Talk) -> None:
    await talk.say("/menu")
    await fill(talk)
    await talk.say(choice="privacy:export")
    (file,) = [reply.file for reply in talk.replies if reply.file]
    copy = json.loads(file.content)
    own_words = {"reports": "report", "conversations": "messages_to_officers", "links": "linked_channels"}
    for table in person_export.SHOWN:
        key = own_words.get(table, table)
        assert key in copy, table
        if table not in ("links", "conversations"):  # one person alone is linked with nobody and wrote nothing yet
            assert copy[key], table
    assert set(copy["rest"]) == set(person_export.REST)
    written = file.content.decode()
    for table in person_export.REST:
        assert copy["rest"][table], table
    for secret in ("code_hash", "key_hash", "id_hash"):
        assert secret not in written


async def test_an_erasure_leaves_no_row_anywhere_and_gives_a_receipt(
    talk: Talk, another: Callable[[str], Talk], settings: Settings
) -> None:
    other = another("someone-else")
    await other.say("/menu")
    talk.person = Person(talk.person.channel, "citizen-to-go")
    await talk.say("/menu")
    await fill(talk)
    said = await talk.say(choice="privacy:erase")
    receipt = re.search(r"Mã xác nhận xóa: ([A-Z]{4}-[A-Z]{4})", said)
    assert receipt is not None, said

    def left(tx: Transaction) -> dict[str, int]:
        return {
            table: len(tx.all(f"SELECT 1 FROM {table} WHERE person_id NOT IN (SELECT id FROM people)"))
            + len(
                tx.all(f"SELECT 1 FROM {table} t JOIN people p ON p.id = t.person_id WHERE p.address = 'citizen-to-go'")
            )
            for table in names
        }

    names = of_people(await tables(talk))
    assert set((await talk.service.store.read(left)).values()) == {0}
    for table in names - {"dialogs"}:
        rows = await talk.service.store.read(lambda tx, table=table: tx.all(f"SELECT * FROM {table}"))  # type: ignore[misc]
        assert MARK not in repr([dict(row) for row in rows]), table
    audit = await talk.service.store.read(lambda tx: tx.all("SELECT actor, action, detail FROM audit"))
    assert [dict(row) for row in audit] == [{"actor": "citizen", "action": "erased", "detail": f"receipt {receipt[1]}"}]
    # the broadcast itself is not about the person, nor is how it ended for one more of a district, nor what is counted
    counted = "deliveries-(?:district|channel|state|reason)|reports-product"
    found = re.compile(rf"zqx-(?!broadcasts-|{counted})[a-z_-]+".encode())
    # A file of the bot's own where there is one; what PostgreSQL keeps in its files, docs/backup.md says.
    left_over = [found.findall(path.read_bytes()) for path in settings.data_folder.glob("bot.db*")]
    assert bool(left_over) == settings.database.startswith("sqlite")
    assert not any(left_over), left_over


async def test_who_was_never_known_gets_no_receipt(talk: Talk) -> None:
    assert "Mã xác nhận" not in await talk.say(choice="privacy:erase")


SILENT: list[tuple[str, list[str], bool]] = [
    ("asked once", ["quên mật khẩu thì làm sao"], False),
    ("reported", ["/baocai", "đồng ý", "vneid, vinh tuong"], True),
    ("wants reminders", ["/nhacnho", "[Có, hãy nhắc tôi"], True),
]


@pytest.mark.parametrize(("about", "said", "stays"), SILENT, ids=[row[0] for row in SILENT])
async def test_who_is_silent_for_long_is_forgotten(
    talk: Talk, clock: FrozenClock, about: str, said: list[str], stays: bool
) -> None:
    for text in said:
        await (talk.press(text[1:]) if text.startswith("[") else talk.say(text))

    async def known() -> bool:
        return bool(await talk.service.store.read(lambda tx: tx.all("SELECT 1 FROM people")))

    clock.forward(days=729)
    await talk.service.sweep()
    assert await known()
    clock.forward(days=2)
    await talk.service.sweep()
    assert await known() is stays
    rows = await talk.service.store.read(lambda tx: tx.all("SELECT 1 FROM dialogs"))
    assert rows == []  # a step left open is long over


def test_the_page_on_privacy_names_the_terms_that_hold(settings: Settings) -> None:
    page = (ROOT / "docs/privacy.md").read_text(encoding="utf-8")
    for key, value in re.findall(r"`privacy\.(\w+)` \((\d+)\)", page):
        assert getattr(settings.privacy, key) == int(value), key
    assert f"Câu hỏi {settings.privacy.question_days} ngày" in page
    assert f"im lặng {settings.privacy.silent_days} ngày" in page
    for path in re.findall(r"`((?:tests|handlers|bot)/[\w./]+)`", page):
        assert (ROOT / path).exists(), path
