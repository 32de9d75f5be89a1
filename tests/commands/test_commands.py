"""The command line as an operator meets it: in a process of its own, with its exit status and its two outputs."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import click
import pytest

from bot.__main__ import entry, main
from bot.library.knowledge import Knowledge
from bot.message import Person
from bot.store import Transaction, messages, open_store, people, questions, reports
from tests.conftest import ROOT, copy_learned
from tests.support.processes import run_command

Typed = Callable[..., CompletedProcess[str]]


@pytest.fixture
def data(tmp_path: Path, knowledge: Knowledge) -> Path:
    """A data folder that holds the ready index and no records yet."""
    folder = tmp_path / "data"
    folder.mkdir()
    copy_learned(folder)
    return folder


def fine(done: CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(done: CompletedProcess[str], *, status: int = 1) -> str:
    """Check that a refusal is a sentence without a traceback, and return it."""
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    return done.stderr.strip()


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type a command without the second that a process of its own takes; the same way in, the same way out."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("BOT_DATABASE", f"sqlite:///{tmp_path / 'data' / 'bot.db'}")

    def run(*arguments: str, stdin: bytes = b"") -> CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["bot", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = 0
        try:
            entry()
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        return CompletedProcess(arguments, status, said.out, said.err)

    return run


def all_commands(command: click.Command, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    found, context = {path: command}, click.Context(command)
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        sub = command.get_command(context, name)
        assert sub is not None, name
        found |= all_commands(sub, (*path, name))
    return found


COMMANDS = all_commands(main)


def test_the_commands_of_the_contract_are_there() -> None:
    expected = {
        ("run",),
        ("chat",),
        ("ask",),
        ("counts",),
        ("check",),
        ("invite",),
        ("role", "list"),
        ("role", "revoke"),
    }
    assert expected | {("forget",), ("questions",), ("teach",)} <= set(COMMANDS)


def test_every_command_explains_itself(typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--help works with a broken config.yaml, too, and tells of every option in words."""
    (tmp_path / "config.yaml").write_text("nonsense: true\n")
    monkeypatch.setenv("BOT_CONFIG", str(tmp_path / "config.yaml"))
    for path in COMMANDS:
        text = fine(typed(*path, "--help"))
        assert text.startswith(f"Usage: python -m bot {' '.join(path)}".rstrip() + " ["), path
        options = text.partition("Options:\n")[2].partition("Commands:")[0]
        for option in re.findall(r"^  (-\S+)", options, re.MULTILINE):
            described = re.search(rf"^  {option}[^\n]*(?:\s{{2,}}|\n {{10,}})[A-Z\[]", options, re.MULTILINE)
            assert described, f"{path}: {option} is not explained"
    assert not (tmp_path / "data").exists()


def test_help_in_a_process_of_its_own(tmp_path: Path) -> None:
    assert "Commands:" in fine(run_command("-h", data=tmp_path))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_a_sentence_of_its_own(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert command.help.strip().endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            assert parameter.make_metavar(click.Context(command)).strip("[]") in command.help


USAGE: list[tuple[tuple[str, ...], str]] = [
    (("dance",), "No such command 'dance'."),
    (("--colour",), "No such option"),
    (("counts", "--colour"), "No such option"),
    (("counts", "--by", "colour"), "'colour' is not one of"),
    (("counts", "--format", "pdf"), "'pdf' is not one of"),
    (("counts", "--since", "yesterday"), "does not match the format"),
    (("counts", "--since", "2026-02-30"), "does not match the format"),
    (("counts", "--since", "2026-02-02", "--until", "2026-02-01"), "--since is later than --until"),
    (("invite",), "Missing option '--role'"),
    (("invite", "--role", "king"), "'king' is not one of"),
    (("forget",), "Missing argument 'PERSON'"),
    (("forget", "me"), "is not a valid integer"),
    (("forget", "0"), "is not in the range"),
    (("forget", "99999999999999999999"), "is not in the range"),
    (("role", "revoke", "99999999999999999999"), "is not in the range"),
    (("ask",), "give one QUESTION, or --jsonl"),
    (("ask", "a", "b"), "Got unexpected extra argument"),
    (("ask", "--jsonl", "a"), "give one QUESTION, or --jsonl"),
    (("questions", "--days", "0"), "is not in the range"),
    (("questions", "--days", "9999999999"), "is not in the range"),
]


@pytest.mark.parametrize(("arguments", "expected"), USAGE, ids=[" ".join(row[0]) for row in USAGE])
def test_wrong_usage_is_told_with_status_2(
    typed: Typed, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    done = typed(*arguments)
    assert expected in refused(done, status=2)
    assert done.stdout == ""
    assert not (tmp_path / "data").exists()


def test_wrong_usage_in_a_process_of_its_own(tmp_path: Path) -> None:
    assert "No such command 'dance'." in refused(run_command("dance", data=tmp_path), status=2)


REFUSED: list[tuple[tuple[str, ...], dict[str, str], str]] = [
    (("forget", "7"), {}, "There is no person 7."),
    (("role", "revoke", "7"), {}, "Person 7 holds no role."),
    (("invite", "--role", "officer", "--scope", "ha-noi"), {},
     "--scope: there is no district 'ha-noi'; known are vinh-yen,"),
    (("invite", "--role", "officer", "--scope", "xã Đồng Văn"), {}, "--scope: there is no district"),
    (("invite", "--role", "officer", "--name", "0912345678"), {}, "--name: Please type a name with letters"),
    (("invite", "--role", "admin", "--scope", "yen-lac"), {}, "--scope: an admin is an admin of the whole province."),
    (("--config", "no.yaml", "counts"), {}, "no.yaml: cannot be read: No such file or directory."),
    (("counts",), {"BOT_COLOUR": "red"}, "environment: BOT_COLOUR is not a known setting."),
    (("counts",), {"BOT_REGION": "no.yaml"}, "no.yaml: cannot be read: No such file or directory."),
    (("counts", "--format", "csv", "--out", "/no/such/folder/x.csv"), {},
     "/no/such/folder/x.csv cannot be written: No such file or directory."),
    (("ask", "x"), {"BOT_CONTENT": "/no/such"}, "/no/such/articles: holds no article."),
    (("ask", "x"), {"BOT_DATABASE": "sqlite:////dev/null/x/bot.db"},
     "The folder /dev/null/x cannot be made: Not a directory."),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "environment", "expected"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_a_refusal_is_one_sentence(
    data: Path,
    typed: Typed,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    expected: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    said = refused(typed(*arguments))
    assert any(line.startswith(expected) for line in said.splitlines()), said


def test_an_address_that_cannot_be_listened_on(data: Path) -> None:
    said = refused(run_command("run", data=data, BOT_WEB__HOST="192.0.2.1", BOT_LOG__LEVEL="error"))
    assert said.startswith("web.port: cannot listen on 192.0.2.1:")


# ask


ASKED = ["cài trên máy Samsung thế nào", "quen mat khau", "giá vàng hôm nay", "", "<b>x</b>", "x" * 5000]


def test_ask_jsonl_answers_line_by_line_in_order(data: Path, knowledge: Knowledge) -> None:
    lines = "\n".join(json.dumps({"q": question, "id": 7}) for question in ASKED) + "\n\n"
    answered = [json.loads(line) for line in fine(run_command("ask", "--jsonl", data=data, stdin=lines)).splitlines()]
    assert len(answered) == len(ASKED)
    for question, answer in zip(ASKED, answered, strict=True):
        assert set(answer) == {"verdict", "ids", "score"}
        found = knowledge.find(question)
        assert (answer["verdict"], answer["ids"]) == (found.verdict.value, list(found.ids))
        assert answer["verdict"] in ("answer", "suggest", "unknown")
        assert len(answer["ids"]) <= 5
        assert 0 <= answer["score"] <= 1
    assert answered[0]["ids"][0] == "install-android"


def test_ask_jsonl_of_nothing_is_nothing(data: Path) -> None:
    assert fine(run_command("ask", "--jsonl", data=data)) == ""


BROKEN = [
    "{",
    "[]",
    "5",
    '"text"',
    "null",
    "{}",
    '{"q": 5}',
    '{"q": null}',
    '{"question": "x"}',
    b'{"q": "\xff"}',
    "xyz",
]


@pytest.mark.parametrize("line", BROKEN, ids=repr)
def test_ask_jsonl_names_the_line_that_is_broken(data: Path, typed: Typed, line: str | bytes) -> None:
    stdin = b'{"q": "quen mat khau"}\n\n' + (line if isinstance(line, bytes) else line.encode()) + b'\n{"q": "x"}\n'
    done = typed("ask", "--jsonl", stdin=stdin)
    assert refused(done) == 'standard input:3: expected one object {"q": "…"} a line.'
    assert len(done.stdout.splitlines()) == 1  # what came before is answered


ANSWERS: list[tuple[str, str]] = [
    ("cài trên máy Samsung thế nào", "CH Play"),
    ("how do i install the app on an Android phone", "Google Play"),
    ("giá vàng hôm nay bao nhiêu", "không muốn đoán mò"),
]


@pytest.mark.parametrize(("question", "expected"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_ask_answers_one_question_in_its_language(data: Path, question: str, expected: str) -> None:
    answer = fine(run_command("ask", question, data=data))
    assert expected in answer
    assert "**" not in answer
    assert "{" not in answer


def test_ask_explains(data: Path) -> None:
    assert "install-android" in fine(run_command("ask", "--explain", "cài trên máy Samsung", data=data))


def test_ask_needs_no_right_to_write(data: Path) -> None:
    data.chmod(0o555)
    try:
        assert "CH Play" in fine(run_command("ask", ANSWERS[0][0], data=data, confined=True))
    finally:
        data.chmod(0o755)


# counts


@pytest.fixture
async def reported(data: Path) -> Path:
    store = open_store(f"sqlite:///{data / 'bot.db'}")

    def work(tx: Transaction) -> None:
        for name, district, commune, source in (
            ("a", "vinh-tuong", "09127", "=HYPERLINK(1)"),
            ("b", "vinh-tuong", "", "poster-1"),
            ("c", "yen-lac", "", "-x"),
        ):
            person = people.remember(tx, Person("webchat", name), source=source, at="2026-11-01T00:00:00.000Z")
            reports.keep(tx, person, district=district, commune=commune, channel="webchat", source=source,
                         day="2026-11-01", at="2026-11-01T00:00:00.000Z")  # fmt: skip

    await store.write(work)
    await store.close()
    return data


def test_counts_as_a_table_says_what_it_is(reported: Path) -> None:
    text = fine(run_command("counts", data=reported))
    rows = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    assert rows[0][:5] == ["Hạng", "Mã huyện", "Huyện, thành phố", "Số người tự báo", "Người từ đủ 18 tuổi (ước tính)"]
    assert ["1", "251"] not in [row[:2] for row in rows]
    assert rows[8][:6] == ["1", "252", "Huyện Vĩnh Tường", "2", "140.900", "0,00%"]
    assert rows[10] == ["26", "Toàn tỉnh", "3", "789.600", "0,00%", "0", "67.750", "10/10/2021"]
    assert "không phải số liệu chính thức" in text
    assert "67.750" in text


def test_counts_as_json(reported: Path) -> None:
    rows = json.loads(fine(run_command("counts", "--format", "json", data=reported)))
    assert len(rows) == 10
    assert rows[-1]["self_reported"] == 3
    assert {row["district"]: row["self_reported"] for row in rows if row["self_reported"]} == {
        "vinh-tuong": 2, "yen-lac": 1, "vinh-phuc": 3,
    }  # fmt: skip


def test_counts_as_csv_for_a_spreadsheet(reported: Path, tmp_path: Path) -> None:
    out = tmp_path / "counts.csv"
    assert fine(run_command("counts", "--by", "source", "--format", "csv", "--out", str(out), data=reported)) == ""
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")  # Excel reads it as UTF-8
    rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8-sig"))))
    assert rows == [
        ["source", "self_reported", "name"],
        ["'-x", "1", "-"],
        ["'=HYPERLINK(1)", "1", "-"],
        ["poster-1", "1", "-"],
    ]
    on_screen = fine(run_command("counts", "--by", "source", "--format", "csv", data=reported))
    assert not on_screen.startswith("\ufeff")


def test_labels_give_the_csv_of_officers(reported: Path, typed: Typed, tmp_path: Path) -> None:
    out = tmp_path / "counts.csv"
    fine(typed("counts", "--by", "day", "--format", "csv", "--labels", "vi", "--out", str(out)))
    assert out.read_text(encoding="utf-8-sig") == "Ngày;Số người báo thêm\n01/11/2026;3\n"
    assert "District code,District,Self-reported" in fine(typed("counts", "--format", "csv", "--labels", "en"))
    assert "Week from Monday" in fine(typed("counts", "--by", "week", "--labels", "en"))
    assert json.loads(fine(typed("counts", "--by", "channel", "--format", "json", "--labels", "vi"))) == [
        {"Số người tự báo": 3, "Kênh": "trò chuyện trên web"}
    ]


def test_raw_reports_have_keys_or_labels(reported: Path, typed: Typed, tmp_path: Path) -> None:
    out = tmp_path / "raw.csv"
    assert fine(typed("counts", "--raw", "--out", str(out))) == f"3 reports written to {out}.\n"
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert lines[:2] == ["day,district,commune,channel,language,source",
                         "2026-11-01,vinh-tuong,09127,webchat,,'=HYPERLINK(1)"]  # fmt: skip
    fine(typed("counts", "--raw", "--labels", "vi", "--out", str(out)))
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "Ngày;Mã huyện;Huyện, thành phố;Mã xã;Xã, phường, thị trấn;Kênh;Ngôn ngữ;Mã;Nơi treo hoặc đơn vị"
    assert lines[1].startswith("01/11/2026;252;Huyện Vĩnh Tường;09127;Thượng Trưng;trò chuyện trên web;;'=HYPERLINK")


GROUPS: list[tuple[tuple[str, ...], list[dict[str, object]]]] = [
    (("--by", "commune"), [{"code": "-", "commune": "-", "district": "vinh-tuong", "self_reported": 1},
                           {"code": "-", "commune": "-", "district": "yen-lac", "self_reported": 1},
                           {"code": "09127", "commune": "Thượng Trưng", "district": "vinh-tuong", "self_reported": 1}]),
    (("--by", "day"), [{"day": "2026-11-01", "self_reported": 3}]),
    (("--by", "channel"), [{"channel": "webchat", "self_reported": 3}]),
    (("--by", "day", "--since", "2026-11-02"), []),
    (("--by", "day", "--until", "2026-10-31"), []),
    (("--by", "day", "--since", "2026-11-01", "--until", "2026-11-01"), [{"day": "2026-11-01", "self_reported": 3}]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "expected"), GROUPS, ids=[" ".join(row[0]) for row in GROUPS])
def test_counts_by_anything(
    reported: Path, typed: Typed, arguments: tuple[str, ...], expected: list[dict[str, object]]
) -> None:
    rows = json.loads(fine(typed("counts", *arguments, "--format", "json")))
    told = [{key: value for key, value in row.items() if key != "map"} for row in rows]
    assert sorted(told, key=str) == sorted(expected, key=str)


# invite, role, forget


def test_invite_role_revoke_and_forget(data: Path) -> None:
    named = ("--scope", "huyện Yên Lạc", "--name", "Nguyễn Lan")
    first = fine(run_command("invite", "--role", "officer", *named, data=data)).splitlines()
    assert re.fullmatch(r"/start moi_[\w-]{20}", first[0])
    assert "it works once" in first[1]
    assert first[2].startswith("Web chat: http://127.0.0.1:8080/?s=moi_")
    code = first[0].removeprefix("/start moi_")
    talk = f"/start moi_{code}\nquên mật khẩu thì làm sao\n/start moi_{code}\n"
    said = fine(run_command("chat", data=data, stdin=talk))
    assert "huyện Yên Lạc" in said
    assert "Mã mời này không đúng" in said
    listed = fine(run_command("role", "list", data=data)).splitlines()
    assert [row.split("\t")[:4] for row in listed[1:]] == [["1", "console", "officer", "yen-lac"]]
    assert listed[1].endswith("\tNguyễn Lan")
    assert fine(run_command("role", "revoke", "1", data=data)) == "Revoked: person 1 is a citizen again.\n"
    assert len(fine(run_command("role", "list", data=data)).splitlines()) == 1
    assert fine(run_command("forget", "1", data=data)) == "Deleted: person 1.\n"
    assert refused(run_command("forget", "1", data=data)) == "There is no person 1."
    with closing(sqlite3.connect(data / "bot.db")) as database:
        for table in ("people", "dialogs", "questions", "roles", "inbox"):
            assert database.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,), table
        actions = [row[0] for row in database.execute("SELECT action FROM audit ORDER BY id")]
    assert actions == ["invite", "grant", "revoke", "forget"]


def test_the_last_admin_is_revoked_only_when_told_so(data: Path) -> None:
    line = fine(run_command("invite", "--role", "admin", data=data)).splitlines()[0]
    fine(run_command("chat", data=data, stdin=f"{line}\n"))
    assert "only admin left" in refused(run_command("role", "revoke", "1", data=data))
    assert fine(run_command("role", "revoke", "1", "--last-admin", data=data)).startswith("Revoked")


async def test_forget_leaves_nothing_readable_while_the_bot_runs(data: Path) -> None:
    """The running bot keeps the file open, so that closing the command does not tidy up by itself."""
    store = open_store(f"sqlite:///{data / 'bot.db'}")
    person = Person("webchat", "zqx-address-zqx")

    def work(tx: Transaction) -> None:
        number = people.remember(tx, person, source="", at="")
        questions.note(tx, number, channel="webchat", language="vi", text="zqx words zqx", article="",
                       verdict="unknown", score=0.0, at="")  # fmt: skip
        for index in range(3):
            assert messages.take(tx, person=person, message_id=f"m{index}", body="zqx", at="")
            messages.mark_answered(tx, channel="webchat", message_id=f"m{index}", replies="zqx replies zqx")

    await store.write(work)
    done = run_command("forget", "1", data=data)
    left = {path.name: path.read_bytes().count(b"zqx") for path in data.iterdir() if path.name.startswith("bot.db")}
    await store.close()
    fine(done)
    assert set(left.values()) == {0}


# check


def copy_of_content(folder: Path) -> Path:
    shutil.copytree(ROOT / "content", folder / "content")
    return folder / "content"


def test_check_tells_every_problem_with_its_place_and_status_1(data: Path, tmp_path: Path) -> None:
    content = copy_of_content(tmp_path)
    article = content / "articles" / "install" / "install-android.yaml"
    article.write_text(article.read_text(encoding="utf-8").replace("product: app", "product: web"), encoding="utf-8")
    regions = content / "regions" / "vinh-phuc.yaml"
    regions.write_text(regions.read_text(encoding="utf-8").replace("08710", "08707"), encoding="utf-8")
    environment = {"BOT_CONTENT": str(content), "BOT_REGION": str(regions)}
    lines = refused(run_command("check", "--no-overlaps", data=data, **environment)).splitlines()
    assert any(re.search(r"install-android\.yaml:3: product must be", line) for line in lines)
    assert any(re.search(r"vinh-phuc\.yaml:\d+: the code 08707 belongs to", line) for line in lines)


# The agency's name, the options; the exit status, and whether a warning is printed.
WARNINGS = [
    ("", (), 0, True),
    ("", ("--strict",), 1, True),
    ('{"vi": "Sở Thử nghiệm", "en": "the Trial Department"}', ("--strict",), 0, False),
]


@pytest.mark.parametrize(("name", "options", "status", "warned"), WARNINGS)
def test_check_prints_warnings_and_fails_only_when_strict(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, name: str, options: tuple[str, ...], status: int, warned: bool
) -> None:
    monkeypatch.setenv("BOT_OPERATOR__NAME", name)
    done = typed("check", "--no-overlaps", "--on", "2026-12-01", *options)
    assert done.returncode == status, done.stderr
    assert ("warning: config.yaml: operator.name is not set" in done.stderr) is warned
    assert "articles, settings, regions and translations are in order." in done.stdout or status


def test_check_reports_slips_of_wording_and_of_the_menu(data: Path, tmp_path: Path) -> None:
    content = copy_of_content(tmp_path)
    menu = content / "menu.yaml"
    menu.write_text(menu.read_text(encoding="utf-8").replace("article:about-manual", "article:nothing"), "utf-8")
    (content / "reminders" / "beware-scam.yaml").write_text(
        "id: beware-scam\nstatus: current\nchecked_on: 2026-12-01\ntitle: {vi: Mời, en: Hello}\n"
        "text: {vi: Mời bạn hỏi bot., en: Ask me.}\n",
        encoding="utf-8",
    )
    said = refused(run_command("check", "--no-overlaps", "--on", "2026-12-01", data=data, BOT_CONTENT=str(content)))
    assert "beware-scam.yaml:5: says 'bot'; our word for it is 'trợ lý'." in said
    assert re.search(r"menu\.yaml:\d+: there is no article nothing\.", said)


def test_check_names_a_letterhead_that_ended(data: Path) -> None:
    said = refused(run_command("check", "--no-overlaps", data=data, BOT_REPORT__PLACE="Vĩnh Phúc"))
    assert (
        "config.yaml: report.place names tỉnh Vĩnh Phúc, which ended on 2025-07-01 (the province is Phú Thọ now)"
        in said
    )


def test_check_knows_what_is_stale(data: Path) -> None:
    said = refused(run_command("check", "--no-overlaps", "--on", "2099-01-01", data=data))
    assert "was last checked on 2026-" in said


# chat


def test_chat_answers_line_by_line_and_ends_with_the_input(data: Path) -> None:
    said = fine(run_command("chat", data=data, stdin="quên mật khẩu\n\n/thoat\nnever read\n"))
    assert "trợ lý tự động" in said
    assert "Quên mật khẩu" in said
    assert "never read" not in said


def test_chat_keeps_people_apart(data: Path) -> None:
    fine(run_command("chat", "--as", "a", data=data, stdin="/ngonngu en\n"))
    assert "What would you like" in fine(run_command("chat", "--as", "a", data=data, stdin="/menu\n"))
    assert "Bạn muốn làm gì" in fine(run_command("chat", "--as", "b", data=data, stdin="/menu\n"))


def test_the_version(data: Path) -> None:
    assert re.fullmatch(r"bot, version \d+\.\d+\.\d+\n", fine(run_command("--version", data=data)))


# -- messages to many people -------------------------------------------------------------------------------------


def test_a_broadcast_from_the_first_text_to_the_report(typed: Typed, data: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Mời bạn cài tại bit.ly/x.", encoding="utf-8")
    assert "either --text FILE or --ready NAME" in refused(typed("broadcast", "plan"))
    assert "no longer there" in refused(typed("broadcast", "plan", "--text", str(text), "--district", "nowhere"))
    assert "true once" in refused(typed("broadcast", "plan", "--ready", "install-app"))
    planned = fine(typed("broadcast", "plan", "--text", str(text), "--district", "yen-lac", "--reports", "unreported"))
    planned = planned.replace("\u200b", "")
    number = re.search(r"broadcast send (\d+)", planned)
    assert number is not None
    for expected in ("To: Yên Lạc district; have not reported", "bit.ly", "Messages: 0"):
        assert expected in planned
    later = date.today() + timedelta(days=30)
    for moment in (f"{later} 08:30", f"{later}T08:30", "8h thứ năm", "7 giờ tối ngày 25 tháng 11", "tomorrow 9am"):
        assert "Nobody would get this message" in refused(typed("broadcast", "send", number[1], "--at", moment))
    for moment in ("30/2 8h", "mai", "sáng mai 3 giờ chiều", "2026-12-01 25:00", ""):
        unclear = refused(typed("broadcast", "send", number[1], "--at", moment), status=2)
        assert 'is not one day and one hour, such as "2026-12-01 08:30"' in unclear
    assert "Nobody would get this message" in refused(typed("broadcast", "send", number[1]))
    assert f"{number[1]}\tplanned, not sent yet\tYên Lạc district" in fine(typed("broadcast", "list"))
    assert "planned, not sent yet" in fine(typed("broadcast", "show", number[1]))
    for step in ("approve", "pause", "resume", "stop", "again"):
        assert "not" in refused(typed("broadcast", step, number[1]))
    assert "does not exist" in refused(typed("broadcast", "report", "99"))
    assert fine(typed("broadcast", "report", number[1], "--unknown")) == "person\tchannel\treason\n"
    refused(typed("broadcast", "send", "0"), status=2)
    assert "have not reported, and to at least 500" in refused(typed("broadcast", "hold", number[1]))
    assert "no longer there" in refused(typed("broadcast", "follow-up", number[1]))


def test_a_sealed_result_is_told_by_no_command(typed: Typed, data: Path, tmp_path: Path) -> None:
    """Of two broadcasts of which one side each reported, one is over since long and the other sealed for years."""
    text = tmp_path / "text.txt"
    text.write_text("Mời bạn cài ứng dụng.", encoding="utf-8")
    for _ in range(2):
        fine(typed("broadcast", "plan", "--text", str(text), "--reports", "unreported"))
    trial = '{"percent": 50, "hours": 72, "seed": "00"}'
    with closing(sqlite3.connect(data / "bot.db")) as records, records:
        for number, year in ((1, 2025), (2, 2125)):
            began = f"{year}-11-23T05:00:00.000Z"
            records.execute(
                "UPDATE broadcasts SET state = 'done', trial = ?, began_at = ?, ended_at = ? WHERE id = ?",
                (trial, began, began, number),
            )
            for one in range(1000 * number, 1000 * number + 300):
                records.execute(
                    "INSERT INTO people (id, channel, address, created_at, seen_at) VALUES (?, 'c', ?, ?, '2125')",
                    (one, one, "2025-11-01T00:00:00.000Z"),
                )
                state = "held" if one % 2 else "sent"
                records.execute(
                    "INSERT INTO deliveries (broadcast_id, person_id, channel, language, state, at) "
                    "VALUES (?, ?, 'c', 'vi', ?, ?)",
                    (number, one, state, began),
                )
                if one % 4 == 0:
                    records.execute(
                        "INSERT INTO reports (person_id, district, channel, source, language, day, reported_at) "
                        "VALUES (?, 'yen-lac', 'c', '', 'vi', ?, ?)",
                        (one, f"{year}-11-23", began.replace("T05", "T06")),
                    )
    known, sealed = (fine(typed("broadcast", "report", number)) for number in ("1", "2"))
    assert "– reminded: 75 of 150 (50.00%)" in known
    assert "– held back: 0 of 150 (0.00%)" in known
    assert "may well come from the reminder" in known
    assert "sealed until" in sealed
    assert "75" not in sealed
    assert "75" not in fine(typed("broadcast", "show", "2")) + fine(typed("broadcast", "list"))
    assert "once the result is known" in refused(typed("broadcast", "follow-up", "2"))
    assert "planned, not sent yet" in fine(typed("broadcast", "follow-up", "1"))
