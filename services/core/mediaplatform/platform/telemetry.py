"""Logs as JSON lines, each with the ids of the request, item and trace that it belongs to."""

from __future__ import annotations

import logging
import random
import re
import sys

import orjson
import structlog

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def configure_logging(level: str, component: str) -> None:
    """To standard output; what libraries log goes the same way."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=orjson.dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(component=component)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)


def traceparent(given: str | None = None) -> str:
    """The trace to go on with, or a new one (W3C Trace Context, level 1)."""
    if given is not None and _TRACEPARENT.fullmatch(given):
        return given
    # Ids need to differ, not to be secret; the system's own randomness costs ten times more.
    return f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-01"


def new_request_id() -> str:
    return f"{random.getrandbits(128):032x}"


def current_traceparent() -> str | None:
    found = structlog.contextvars.get_contextvars().get("traceparent")
    return str(found) if found else None
