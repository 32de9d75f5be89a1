"""Databases of every earlier version, with rows in every table: brought up to date, they hold all that they held."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
import pytest

from bot import access
from bot.backup.backup import back_up
from bot.backup.restore import restore
from bot.errors import StoreError
from bot.message import IncomingMessage, Person
from bot.runtime.build import open_service
from bot.serialization import dump_message
from bot.settings import Settings
from bot.store import Store, Transaction, applied_migrations, open_store, tallies
from bot.store.introspection import tables_of
from bot.store.migrations import MIGRATIONS
from handlers import ROUTES
from tests.conftest import NOON, FrozenClock, Recorder, Talk, eventually, new_database
from tests.support.engines import Engine, PostgresServer

VERSIONS = list(MIGRATIONS)
AT, LATER = "2026-10-31T16:59:59.999Z", "2026-11-01T02:00:00.000Z"
WAITING = IncomingMessage(person=Person("recorder", "citizen-1"), id="waiting-1", text="quên mật khẩu", at=NOON)

Values = dict[str, object]
Tables = Mapping[str, tuple[str, ...]]  # table → columns
Content = dict[str, list[tuple[Any, ...]]]  # table → rows, in an order of their own


def chained() -> list[Values]:
    """The lines of an audit, each with the hash of all before it."""
    before, lines = "", []
    for number, action in enumerate(("invite", "grant", "broadcast"), 1):
        line = (AT, "person 2", action, "officer yen-lac")
        before = hashlib.sha256("\x1f".join((before, *line)).encode()).hexdigest()
        lines.append({"id": number, "at": AT, "actor": line[1], "action": action, "detail": line[3], "hash": before})
    return lines


# Version → what can stand in its new tables, as that version wrote it.
ROWS: dict[str, dict[str, list[Values]]] = {
    "m001_foundation": {
        "people": [
            {"id": 1, "channel": "recorder", "address": "citizen-1", "language": "vi", "source": "vinh-tuong",
             "created_at": AT, "seen_at": LATER, "gone_at": None},
            {"id": 2, "channel": "webchat", "address": "citizen-2", "language": "en", "source": "",
             "created_at": AT, "seen_at": AT, "gone_at": None},
            {"id": 7, "channel": "zalo_oa", "address": "citizen-7", "language": "", "source": "",
             "created_at": AT, "seen_at": AT, "gone_at": LATER},
        ],
        "inbox": [
            {"id": 4, "channel": "recorder", "message_id": "told-1", "address": "citizen-1", "received_at": AT,
             "stage": 2, "body": "", "replies": ""},
            {"id": 5, "channel": "recorder", "message_id": WAITING.id, "address": "citizen-1",
             "received_at": "2026-11-23T05:00:00.000Z", "stage": 0, "body": dump_message(WAITING), "replies": ""},
        ],
        "dialogs": [{"person_id": 2, "state": '{"step": "district"}', "updated_at": AT}],
        "reports": [
            {"person_id": 1, "district": "yen-lac", "commune": "dong-van", "channel": "recorder",
             "source": "vinh-tuong", "day": "2026-10-31", "reported_at": AT},
            {"person_id": 2, "district": "yen-lac", "commune": "", "channel": "webchat", "source": "",
             "day": "2026-11-01", "reported_at": LATER},
            {"person_id": 7, "district": "tam-dao", "commune": "", "channel": "zalo_oa", "source": "",
             "day": "2025-12-31", "reported_at": AT},
        ],
        "report_history": [{"id": 3, "person_id": 1, "change": "made", "district": "yen-lac", "commune": "dong-van",
                            "at": AT}],
        "consents": [{"id": 6, "person_id": 1, "purpose": "reminders", "wording": "Tôi đồng ý", "given_at": AT,
                      "withdrawn_at": LATER}],
        "questions": [{"id": 9, "person_id": 1, "channel": "recorder", "language": "vi", "text": "quen mat khau",
                       "article": "quen-mat-khau", "verdict": "answer", "score": 0.93, "helped": 0, "at": AT}],
        "roles": [{"person_id": 2, "role": "officer", "scope": "yen-lac", "granted_at": AT}],
        "invitations": [{"code_hash": "c1", "role": "officer", "scope": "yen-lac", "created_at": AT,
                         "expires_at": LATER, "used_at": AT}],
        "audit": chained(),
        "help_requests": [
            {"id": 1, "person_id": 1, "text": "Máy của tôi bị treo", "state": "answered", "at": AT,
             "answered_at": LATER},
            {"id": 2, "person_id": 1, "text": "Lại bị treo", "state": "open", "at": LATER, "answered_at": None},
            {"id": 8, "person_id": 7, "text": "Xin “chào” % :x", "state": "open", "at": LATER, "answered_at": None},
        ],
        "pushes": [{"id": 2, "person_id": 2, "reply": '{"text": "Chào"}', "at": AT}],
        "chat_events": [{"id": 2, "person_id": 2, "reply": '{"text": "Chào"}', "at": AT}],
    },
    "m002_telegram": {"choices": [{"key": "k1", "choice": "article:quen-mat-khau", "offered_at": AT}]},
    "m003_zalo": {
        "leases": [{"name": "old", "holder": "host:1:a:b", "expires_at": AT}],
        "credentials": [{"name": "zalo_oa", "access": "a", "refresh": "r", "previous_access": "b",
                         "previous_refresh": "s", "seed": "e", "obtained_at": AT, "expires_at": LATER, "dead": ""}],
        "reach": [{"person_id": 7, "interacted_at": AT, "sent_since": 3, "closed": "-230", "quiet_until": LATER}],
        "usage": [{"channel": "zalo_oa", "period": "2026-10", "kind": "paid", "amount": 2**40}],
        "pictures": [{"key": "p1", "content": "iVBORw0KGgo=", "media_type": "image/png", "expires_at": LATER}],
        "links": [{"person_id": 1, "circle": "one", "linked_at": AT}],
        "link_codes": [{"code_hash": "l1", "person_id": 2, "expires_at": LATER}],
        "link_guesses": [{"id": 2, "person_id": 2, "at": AT}],
    },
    "m010_tallies": {
        "tallies": [{"view": "district", "unit": "day", "span": "2026-10-31", "district": "yen-lac", "name": "",
                     "reports": 1}],
        "funnel": [{"unit": "day", "span": "2026-10-31", "step": "came", "channel": "recorder", "source": "",
                    "people": 3}],
        "official_figures": [{"day": "2026-10-31", "district": "yen-lac", "phones": 45_000, "imported_at": AT}],
    },
    "m060_simulations": {"simulations": [{"id": 1, "seed": 7, "people": 0, "made_at": AT}]},
    "m061_desk": {
        "desk_links": [{"key_hash": "d1", "person_id": 2, "expires_at": LATER}],
        "desk_sessions": [{"id_hash": "s1", "person_id": 2, "seen_at": AT, "expires_at": LATER}],
    },
    "m040_broadcasts": {
        "broadcasts": [{"id": 3, "series": 0, "made_by": "person 2", "audience": '{"districts": ["yen-lac"]}',
                        "texts": '{"vi": "Chào bạn"}', "state": "done", "plan": "{}", "made_at": AT,
                        "changed_at": LATER, "began_at": AT, "ended_at": LATER}],
        "broadcast_texts": [{"broadcast_id": 3, "language": "vi", "district": "yen-lac", "text": "Chào bạn"}],
        "deliveries": [{"id": 5, "broadcast_id": 3, "person_id": 1, "channel": "recorder", "language": "vi",
                        "district": "yen-lac", "paid": 0, "state": "sent", "reason": "", "tries": 1, "holder": "h",
                        "at": LATER}],
        "broadcast_watchers": [{"broadcast_id": 3, "person_id": 2, "message": "77", "shown": 100}],
    },
    "m050_conversations": {
        "conversations": [{"id": 4, "person_id": 1, "kind": "data", "district": "yen-lac", "question": "",
                           "officer_id": 2, "opened_at": AT, "due_at": LATER, "waiting_since": "", "spoke_at": LATER,
                           "closed_at": ""}],
        "conversation_messages": [{"id": 6, "conversation_id": 4, "author": "officer", "officer_id": 2,
                                   "text": "Chào bạn", "at": LATER}],
    },
    "m070_backups": {
        "moves": [{"table_name": "people", "source": "sqlite:///old.db", "last_key": "[7]", "finished": 1}],
        "backups": [{"id": 2, "made_at": AT, "file": "bot-20261031-165959.db", "bytes": 81_920}],
    },
    "m051_audit_head": {"audit_head": [{"name": "newest", "hash": chained()[-1]["hash"]}]},
    "m053_appointments": {
        "appointments": [{"id": 3, "person_id": 1, "kind": "asked", "due_at": LATER, "send_at": LATER,
                          "state": "sent", "reason": "", "tries": 0, "holder": "h", "at": AT}],
    },
    "m071_replicas": {"replicas": [{"name": "host:1:a:b", "beat": 5, "online": 1, "mark": "m"}]},
    "m080_ledger_terms": {
        "broadcast_tallies": [{"broadcast_id": 3, "district": "yen-lac", "channel": "recorder", "state": "sent",
                               "reason": "", "people": 1}],
    },
    "m081_revocations": {"revocations": [{"subject": "person", "number": 9, "since": AT, "at": LATER}]},
    "m200_walk_tallies": {
        "walk_tallies": [{"guide": "otp", "step": "wait", "what": "standing", "day": "2026-10-31", "walks": 2}],
    },
    "m201_handoffs": {
        "handoffs": [{"code_hash": "h1", "person_id": 2, "guide": "otp", "step": "wait", "expires_at": LATER,
                      "stopped_at": ""}],
    },
    "m220_reach_counts": {
        "reach_counts": [{"day": "2026-10-31", "district": "yen-lac", "view": "", "name": "", "people": 40, "paid": 3}],
    },
    "m221_officers": {"officers": [{"person_id": 2, "name": "Nguyễn Thị Lan", "named_at": AT}]},
    "m250_official_imports": {
        "official_imports": [{"id": 3, "state": "taken", "made_by": "person 2", "file": "a.xlsx", "content": "",
                              "mapping": "{}", "figures": '[["2026-10-31", "yen-lac", 45000, null, null]]',
                              "made_at": AT, "taken_at": AT}],
    },
    "m311_report_orders": {
        "report_orders": [{"person_id": 2, "every": "quarter", "made_by": "person 2", "made_at": AT}],
    },
    "m251_activity": {
        "activity": [{"day": "2026-10-31", "subject": "asked", "name": "forgot-password", "district": "", "times": 3}],
    },
    "m301_case_notes": {
        "case_notes": [{"id": 4, "conversation_id": 4, "officer_id": 2, "text": "Đã gọi xã", "at": AT}],
        "case_labels": [{"conversation_id": 4, "label": "máy treo"}],
    },
    "m302_saved_replies": {
        "saved_replies": [{"id": 3, "title": "Bật lại máy", "text": "Bạn thử bật lại máy.", "changed_at": AT}],
    },
    "m303_case_ratings": {
        "case_ratings": [{"day": "2026-10-31", "district": "yen-lac", "rating": "good", "times": 2}],
    },
}  # fmt: skip

# The migration that moved something, what is asked of the newest version, what is answered for a database from before.
READ: list[tuple[str, str, list[tuple[object, ...]]]] = [
    ("m010_tallies", "SELECT person_id, language FROM reports ORDER BY person_id", [(1, "vi"), (2, "en"), (7, "")]),
    ("m010_tallies", "SELECT DISTINCT steps FROM people", [(0,)]),
    ("m010_tallies", "SELECT view, COUNT(*), SUM(reports) FROM tallies WHERE unit = 'year' GROUP BY view ORDER BY view",
     [("channel", 3, 3), ("commune", 3, 3), ("district", 2, 3), ("language", 3, 3), ("product", 2, 3),
      ("source", 3, 3)]),
    ("m010_tallies", "SELECT span, district, name, reports FROM tallies WHERE view = 'commune' AND unit = 'month' "
     "ORDER BY span, name",
     [("2025-12", "tam-dao", "", 1), ("2026-10", "yen-lac", "dong-van", 1), ("2026-11", "yen-lac", "", 1)]),
    ("m010_tallies", "SELECT span, name FROM tallies WHERE view = 'language' AND unit = 'day' ORDER BY span",
     [("2025-12-31", ""), ("2026-10-31", "vi"), ("2026-11-01", "en")]),
    ("m050_conversations", "SELECT person_id, kind, district, officer_id, opened_at, due_at, waiting_since, spoke_at, "
     "closed_at FROM conversations ORDER BY id",
     [(1, "help", "yen-lac", None, AT, AT, "", AT, LATER),
      (1, "help", "yen-lac", None, LATER, LATER, LATER, LATER, ""),
      (7, "help", "tam-dao", None, LATER, LATER, LATER, LATER, "")]),
    ("m050_conversations", "SELECT c.person_id, c.opened_at, m.author, m.officer_id, m.text, m.at "
     "FROM conversation_messages m JOIN conversations c ON c.id = m.conversation_id ORDER BY m.id",
     [(1, AT, "citizen", None, "Máy của tôi bị treo", AT), (1, LATER, "citizen", None, "Lại bị treo", LATER),
      (7, LATER, "citizen", None, "Xin “chào” % :x", LATER)]),
    ("m050_conversations", "SELECT not_before, about FROM pushes", [("", "")]),
    ("m051_audit_head", "SELECT name, hash FROM audit_head", [("newest", chained()[-1]["hash"])]),
    ("m052_feedback", "SELECT reason FROM questions", [("",)]),
    ("m071_replicas", "SELECT DISTINCT owner FROM inbox", [("",)]),
    ("m310_trials", "SELECT COUNT(*) FROM broadcasts WHERE trial <> ''", [(0,)]),
]  # fmt: skip

COLUMNS = {
    "sqlite": "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
    "postgresql": "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
}
SCHEMA = {
    "sqlite": ["SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"],
    "postgresql": [
        "SELECT table_name, ordinal_position, column_name, data_type, collation_name, is_nullable, column_default, "
        "is_identity FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    ],
}
OF_THE_ENGINE = {"_sqlite_migrations", "sqlite_sequence", "migrations", "locks"}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A database of each engine without any table."""
    return new_database(request, tmp_path, PostgresServer.empty)


@pytest.fixture
def fresh(empty: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Engine:
    """A database that never was of an earlier version."""
    if empty.name == "sqlite":
        return Engine("sqlite", f"sqlite:///{tmp_path / 'fresh.db'}")
    server: PostgresServer = request.getfixturevalue("postgres")
    return Engine("postgresql", server.fresh())


@dataclass(frozen=True)
class Look:
    """What another program sees of a database, over one connection."""

    engine: str
    connection: Any

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.connection.execute(statement).fetchall()]

    def columns(self) -> Tables:
        """Name the columns of each table."""
        found: dict[str, tuple[str, ...]] = {}
        for table, column in self.rows(COLUMNS[self.engine]):
            if table not in OF_THE_ENGINE:
                found[table] = (*found.get(table, ()), column)
        return found

    def content(self, tables: Tables) -> Content:
        """Read tables whole, of each the columns that are named."""
        return {
            table: sorted(self.rows(f"SELECT {', '.join(names)} FROM {table}"), key=repr)
            for table, names in tables.items()
        }

    def schema(self) -> list[list[tuple[Any, ...]]]:
        """Say how everything is defined."""
        return [self.rows(statement) for statement in SCHEMA[self.engine]]


@contextmanager
def looking(engine: Engine) -> Iterator[Look]:
    with engine.looking_on() as other:
        yield Look(engine.name, other)


@pytest.fixture(scope="module")
def newest() -> dict[str, list[list[tuple[Any, ...]]]]:
    """How everything is defined where there never was an earlier version, by engine; filled as it is asked for."""
    return {}


def open_as(engine: Engine, migrations: Mapping[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> Store:
    """Open a database with a program that knows other migrations."""
    with monkeypatch.context() as patch:
        for module in ("sqlite", "postgres"):
            patch.setattr(f"bot.store.{module}.MIGRATIONS", MappingProxyType(dict(migrations)))
        return open_store(engine.url)


def until(version: str) -> dict[str, tuple[str, ...]]:
    return {name: MIGRATIONS[name] for name in VERSIONS[: VERSIONS.index(version) + 1]}


async def make(engine: Engine, version: str, monkeypatch: pytest.MonkeyPatch) -> Content:
    """Make a database of an earlier version with rows in all its tables, and return them."""
    store = open_as(engine, until(version), monkeypatch)
    with looking(engine) as look:
        there = look.columns()

        def work(tx: Transaction) -> None:
            for name in until(version):
                for table, rows in ROWS.get(name, {}).items():
                    if table in there:
                        insert(tx, table, rows)

        await store.write(work)
        await store.close()
        content = look.content(there)
    assert all(content.values()), "say in ROWS what stands in each table"
    return content


def updated(before: Content, version: str) -> Content:
    """Return what the newest version holds of the content of an earlier one."""
    content = {table: rows for table, rows in before.items() if table != "help_requests"}
    if "m280_report_product" not in until(version) and "tallies" in content:
        rows = [row for row in content["tallies"] if "district" in row]  # its columns stand in any order
        made = [tuple("product" if value == "district" else value for value in row) for row in rows]
        content["tallies"] = sorted([*content["tallies"], *made], key=repr)
    return content


def insert(tx: Transaction, table: str, rows: list[Values]) -> None:
    for row in rows:
        places = ", ".join(f":{name}" for name in row)
        tx.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", **row)
    if "id" in rows[0]:
        tx.renumber(table, "id")


@pytest.mark.parametrize("version", VERSIONS[:-1])
async def test_a_database_of_an_earlier_version_keeps_all_it_holds(
    version: str,
    empty: Engine,
    newest: dict[str, object],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = await make(empty, version, monkeypatch)
    with looking(empty) as look:
        there = look.columns()
        store = open_store(empty.url)
        kept = {table: names for table, names in there.items() if table in look.columns()}
        assert look.content(kept) == updated(before, version)
        for name, statement, expected in READ:
            if name not in until(version):
                assert look.rows(statement) == expected, statement
        assert await access.check_audit(store) is None
        if "m010_tallies" not in until(version):
            assert await store.read(tallies.disagreements) == []
        await store.close()
        if empty.name not in newest:
            newest[empty.name] = await schema_of(request.getfixturevalue("fresh"))
        assert look.schema() == newest[empty.name]
    assert sorted(applied_migrations(empty.url)) == sorted(MIGRATIONS)


async def schema_of(engine: Engine) -> list[list[tuple[Any, ...]]]:
    """Open a new database and say how everything is defined there."""
    await open_store(engine.url).close()
    with looking(engine) as look:
        return look.schema()


@pytest.mark.parametrize("version", ["m001_foundation", "m050_conversations"])
async def test_what_was_under_way_before_is_answered_after(
    version: str,
    empty: Engine,
    settings: Settings,
    clock: FrozenClock,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await make(empty, version, monkeypatch)
    settings = settings.model_copy(update={"database": empty.url})
    async with open_service(settings, ROUTES, now=clock, extra_channels=[recorder]) as service:
        another = Talk(service, recorder, Person("recorder", "citizen-8"))
        assert await another.say("/menu")
        await eventually(lambda: len(recorder.sent) >= 2)
    # People are answered side by side, so that either may come first.
    (reply,) = [reply for person, reply, to in recorder.sent if (person, to) == (WAITING.person, WAITING.id)]
    assert "mật khẩu" in reply.text
    assert empty.rows("SELECT COUNT(*) FROM inbox WHERE stage < 2") == [(0,)]
    assert empty.rows("SELECT id FROM people WHERE address = 'citizen-8'") == [(8,)]


BROKEN = ("CREATE TABLE half (a INTEGER)", "UPDATE people SET language = 'xx'", "INSERT INTO nowhere VALUES (1)")


async def test_an_update_that_breaks_off_leaves_the_database_as_it_was(
    empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await make(empty, VERSIONS[-1], monkeypatch)
    with looking(empty) as look:
        there, defined = look.columns(), look.schema()
        for _ in range(2):
            with pytest.raises((StoreError, psycopg.Error), match="nowhere"):
                open_as(empty, {**MIGRATIONS, "m999_later": BROKEN}, monkeypatch)
            assert (look.content(there), look.schema()) == (before, defined)
        await open_as(empty, {**MIGRATIONS, "m999_later": BROKEN[:2]}, monkeypatch).close()
        assert look.rows("SELECT DISTINCT language FROM people") == [("xx",)]


# What the commands themselves write down, and what is of the moment alone.
NOTED = {"audit", "audit_head", "backups", "leases", "moves", "replicas"}


@pytest.mark.parametrize("version", ["m051_audit_head", "m071_replicas"])
async def test_a_backup_of_an_earlier_version_is_restored_with_all_it_holds(
    version: str, empty: Engine, fresh: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, path = Engine("sqlite", f"sqlite:///{tmp_path / 'old.db'}"), tmp_path / "backup.db"
    before = await make(old, version, monkeypatch)
    with monkeypatch.context() as patch, closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        held = tables_of(connection)
        patch.setattr("bot.backup.backup.tables", lambda: held)
        for module in ("backup.backup", "store.sqlite"):
            patch.setattr(f"bot.{module}.MIGRATIONS", until(version))
        await back_up(old.url, path, at=NOON, actor="test")
    assert (await restore(fresh.url, path, at=NOON, data=tmp_path, actor="test")).manifest.schema == version
    await open_store(empty.url).close()
    with looking(old) as looked, looking(fresh) as look, looking(empty) as other:
        there = {table: names for table, names in looked.columns().items() if table not in NOTED}
        content = look.content(there)
        content["tallies"] = [row for row in content["tallies"] if row[0] != "product"]  # counted by book since m280
        assert content == {table: rows for table, rows in before.items() if table not in NOTED}
        assert look.schema() == other.schema()
