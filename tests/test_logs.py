"""The bot's reports on itself: in the chosen form, and never with what citizens wrote."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.logs import set_up_logs
from bot.settings import Log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Give the logging of the test run back as it was."""
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, logging.getLogger("aiohttp.access").disabled
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level
    logging.getLogger("aiohttp.access").disabled = disabled


def fail_with_a_secret(form: str) -> None:
    set_up_logs(Log.model_validate({"format": form}))

    def handle(text: str, address: str) -> None:
        raise ValueError("handler broke")

    try:
        handle("số của tôi 0912345678", "session-abc")
    except ValueError:
        structlog.get_logger().error("handler failed", exc_info=True)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_values(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    fail_with_a_secret(form)
    said = capsys.readouterr().err
    assert "handler broke" in said
    assert "test_logs.py" in said
    assert "session-abc" not in said.replace('handle("số của tôi 0912345678", "session-abc")', "")  # the source line
    assert "locals" not in said


def test_json_is_one_object_a_line_with_level_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Log(format="json"))
    structlog.get_logger().info("một", count=1)
    structlog.get_logger().debug("hidden")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"], line["count"]) for line in lines] == [("một", "info", 1)]
    assert lines[0]["timestamp"].endswith("Z")


def test_the_level_holds(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Log(level="error"))
    structlog.get_logger().warning("not this")
    structlog.get_logger().error("but this")
    said = capsys.readouterr().err
    assert "but this" in said
    assert "not this" not in said


def test_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Log())
    logging.getLogger("httpx").info("GET https://api.example/botTOKEN/getMe")
    logging.getLogger("asyncio").warning("slow callback")
    said = capsys.readouterr().err
    assert "TOKEN" not in said
    assert "WARNING asyncio: slow callback" in said
