"""The bot's reports on itself: in the chosen form, and never with what citizens wrote."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from bot.logs import TRACE_ID, next_trace_id, set_up_logs
from bot.settings import LogSettings
from tests.conftest import LOGGING


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Give the logging of the test run back as it was."""
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, logging.getLogger("aiohttp.access").disabled
    yield
    structlog.reset_defaults()
    structlog.configure(processors=[*LOGGING])
    root.handlers[:], root.level = handlers, level
    logging.getLogger("aiohttp.access").disabled = disabled


def fail_with_a_secret(form: str) -> None:
    set_up_logs(LogSettings.model_validate({"format": form}))

    def handle(text: str, address: str) -> None:
        raise ValueError("handler broke")

    said = ("số của tôi 0912345678", "session-abc")
    try:
        handle(*said)
    except ValueError:
        structlog.get_logger().error("handler failed", exc_info=True)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_values(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    fail_with_a_secret(form)
    said = capsys.readouterr().err
    assert "handler broke" in said
    assert "test_logs.py" in said
    assert "session-abc" not in said
    assert "0912345678" not in said
    assert "locals" not in said


def test_json_is_one_object_a_line_with_level_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogSettings(format="json"))
    structlog.get_logger().info("một", count=1)
    structlog.get_logger().debug("hidden")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"], line["count"]) for line in lines] == [("một", "info", 1)]
    assert lines[0]["timestamp"].endswith("Z")


def test_the_level_holds(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogSettings(level="error"))
    structlog.get_logger().warning("not this")
    structlog.get_logger().error("but this")
    said = capsys.readouterr().err
    assert "but this" in said
    assert "not this" not in said


def test_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogSettings())
    logging.getLogger("httpx").info("GET https://api.example/botTOKEN/getMe")
    logging.getLogger("asyncio").warning("slow callback")
    said = capsys.readouterr().err
    assert "TOKEN" not in said
    assert "WARNING asyncio: slow callback" in said


FORGED: list[tuple[str, str]] = [
    ("a\n2026-11-25T00:00:00Z [info] admin signed in", "\\n"),
    ("a\r\x1b[2Jcleared", "\\x1b[2J"),
    ("\u202egnirts\u2069", "\\u202e"),
    ("tab\tbell\x07", "\\x07"),
    ("nửa đôi \udcff", "\\udcff"),
    ("số tôi 0912 345 678", "…"),
]


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(("said", "shown"), FORGED, ids=[repr(said[:8]) for said, _ in FORGED])
def test_nothing_that_was_typed_makes_a_line_of_its_own(
    form: str, said: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(LogSettings.model_validate({"format": form}))
    structlog.get_logger().info("event", name=said, inner=[{"deep": said}])
    logging.getLogger("library").warning("saw %s", said)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    first = json.loads(lines[0])["name"] if form == "json" else lines[0]
    assert shown in first
    assert shown in lines[1]
    for line in lines:
        assert not {"345", "0912"} & set(re.findall(r"\d+", line)), "a number of a person in the line"
        assert not set(line.replace("\x1b[0m", "")) & set("\x1b\x07\u202e\r\udcff")


def test_a_secret_is_cut_out_wherever_it_appears(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "a-long-secret-of-the-platform"
    set_up_logs(LogSettings(), [secret])
    structlog.get_logger().error("refused", url=f"https://api.example/bot{secret}/getMe")
    logging.getLogger("library").error("https://api.example/bot%s", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        structlog.get_logger().error("failed", exc_info=True)
        logging.getLogger("library").exception("failed")
    said = capsys.readouterr().err
    assert said.count("ValueError") >= 2
    assert secret not in said


def test_lines_about_one_message_carry_one_tag_that_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogSettings(format="json"))
    for _ in range(3):
        TRACE_ID.set(next_trace_id())
        structlog.get_logger().info("taken")
        structlog.get_logger().info("delivered")
    TRACE_ID.set(0)
    structlog.get_logger().info("about nobody")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    tags = [line.get("turn") for line in lines]
    assert tags[0] == tags[1] != tags[2] == tags[3] != tags[4] == tags[5]
    assert tags[6] is None
    assert all(re.fullmatch("[0-9a-f]{8}", tag) for tag in tags[:6])


def test_a_tag_of_figures_only_is_not_taken_for_a_personal_number(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.logs.tag", lambda turn: "48213095")
    set_up_logs(LogSettings(format="json"))
    TRACE_ID.set(next_trace_id())
    structlog.get_logger().info("taken", said="48213095")
    TRACE_ID.set(0)
    line = json.loads(capsys.readouterr().err)
    assert line["turn"] == "48213095"
    assert line["said"] != "48213095"
