"""How the bot reports on itself: structlog on standard error, for people or for machines."""

from __future__ import annotations

import logging
import sys

import structlog
import structlog.tracebacks

from bot.settings import Log

# The values of variables would be citizens' words, addresses and tokens.
_WITHOUT_VALUES = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def set_up_logs(log: Log) -> None:
    """Send all reports, the libraries' too, to standard error in the chosen form."""
    level = logging.getLevelNamesMapping()[log.level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if log.format == "json":
        last: structlog.typing.Processor = structlog.processors.JSONRenderer()
        shared.append(structlog.processors.ExceptionRenderer(_WITHOUT_VALUES))
    else:
        last = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # Libraries log addresses and query strings; only their warnings are of use to an operator.
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True
    )
    logging.getLogger("aiohttp.access").disabled = True
