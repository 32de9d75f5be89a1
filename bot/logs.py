"""How the bot reports on itself: structlog on standard error, for people or for machines.

Every line about a message carries the same short tag, which says nothing about the person. Nothing that a citizen
typed can make a line look like two, colour the operator's screen, or leave a number or a token there.
"""

from __future__ import annotations

import logging
import random
import re
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from itertools import count
from typing import Any, Final

import structlog
import structlog.tracebacks

from bot.settings import LogSettings
from bot.text.redaction import HIDDEN, redact

# The values of variables would be citizens' words, addresses and tokens.
_WITHOUT_VALUES = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
# Whatever could end a line, move the cursor, or turn the direction of reading.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_IN_TRACEBACK = re.compile(_CONTROL.pattern.replace(r"\x00-\x1f", r"\x00-\x09\x0b-\x1f"))
_SHORTEST_SECRET = 8  # a shorter one would be found in innocent words

# The message or request that is being worked at; 0 outside of any.
TRACE_ID: Final[ContextVar[int]] = ContextVar("turn", default=0)
_turns = count(1)
_BEGINNING, _STRIDE = random.getrandbits(32), 0x9E3779B1  # odd, so that no tag comes twice in four thousand million


def next_trace_id() -> int:
    """Return a number for the next message; `tag` writes it."""
    return next(_turns)


def tag(turn: int) -> str:
    """Write the number of a message as the log shows it: eight figures that tell nothing, not even an order."""
    return f"{(_BEGINNING + turn * _STRIDE) & 0xFFFFFFFF:08x}"


def set_up_logs(log: LogSettings, secrets: Iterable[str] = ()) -> None:
    """Send all reports, the libraries' too, to standard error in the chosen form, without any of the secrets."""
    level = logging.getLevelNamesMapping()[log.level.upper()]
    clean = _Cleaner(secrets)
    shared: list[structlog.typing.Processor] = [structlog.contextvars.merge_contextvars]
    if log.format == "json":
        shared.append(structlog.processors.ExceptionRenderer(_WITHOUT_VALUES))
        last: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        shared.append(structlog.processors.format_exc_info)
        last = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    # What comes after the cleaning is the bot's own: a tag that happens to be all figures is no personal number.
    shared += [clean, _add_turn, structlog.processors.add_log_level]
    shared.append(structlog.processors.TimeStamper(fmt="iso", utc=True))
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # Libraries log addresses and query strings; only their warnings are of use to an operator.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_OneLine(clean))
    logging.getLogger("aiohttp.access").disabled = True


def _add_turn(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if turn := TRACE_ID.get():
        event["turn"] = tag(turn)
    return event


class _Cleaner:
    """Takes out of everything that is written what must not stand in a log."""

    def __init__(self, secrets: Iterable[str]) -> None:
        named = sorted({secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, named))) if named else None

    def __call__(self, _: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        for key, value in event.items():
            event[key] = self.traceback(value) if key == "exception" and isinstance(value, str) else self._value(value)
        return event

    def line(self, text: str) -> str:
        """Make a text safe to stand in one line."""
        return _CONTROL.sub(_escaped, self._without_secrets(text))

    def traceback(self, text: str) -> str:
        """Make a text of several lines safe."""
        return _IN_TRACEBACK.sub(_escaped, self._without_secrets(text))

    def _without_secrets(self, text: str) -> str:
        if self._secrets is not None:
            text = self._secrets.sub(HIDDEN, text)
        return redact(text).text

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.line(value)
        if isinstance(value, dict):
            return {key: self._value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(inner) for inner in value]
        return value


class _OneLine(logging.Formatter):
    """The libraries' reports in the same manner."""

    def __init__(self, clean: _Cleaner) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._clean = clean

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - named by the standard library
        """Write the line without its traceback."""
        return self._clean.line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - named by the standard library
        """Write the traceback."""
        return self._clean.traceback(super().formatException(ei))


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
