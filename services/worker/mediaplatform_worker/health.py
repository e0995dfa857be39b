"""Probes that tell the truth: alive means that each loop of a worker moves.

What a worker waits for may be gone for as long as it likes: each wait has an end, and the next try
is a move too. Alive ends where a move did not come in the time that it was given, and `MARGIN_S`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from prometheus_client import make_wsgi_app, start_http_server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

TICK_S = 1
MARGIN_S = 30  # a busy machine, names that resolve slowly, queries until their time is over
LOOP = "event loop"
log = structlog.get_logger()


@dataclass(frozen=True)
class Move:
    at: float  # by the clock of `Health`
    within: float  # seconds to the next one, at the most


def stuck(moves: Mapping[str, Move], now: float) -> dict[str, float]:
    """Who should have moved before now, and for how many seconds it has not."""
    still = {who: (now - move.at, move.within + MARGIN_S) for who, move in moves.items()}
    return {who: round(seconds, 1) for who, (seconds, most) in still.items() if seconds > most}


class Health:
    """Loops tell it of their moves; probes ask it on threads of their own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._moves: dict[str, Move] = {}
        self._stopping: asyncio.Event | None = None

    def moved(self, who: str, *, within: float) -> None:
        """It is to move again within so many seconds."""
        self._moves[who] = Move(self._clock(), within)

    def gone(self, who: str) -> None:
        """It ended, and need not move again."""
        self._moves.pop(who, None)

    def started(self, stopping: asyncio.Event) -> None:
        """The worker is ready from now on, until the event is set."""
        self._stopping = stopping

    async def tick(self) -> None:
        """Tell for ever that the event loop turns."""
        while True:
            self.moved(LOOP, within=TICK_S)
            await asyncio.sleep(TICK_S)

    def live(self) -> dict[str, Any]:
        """`status` is ok, or stuck with the seconds for which each of `stuck` did not move."""
        found = stuck(self._moves.copy(), self._clock())
        if not found:
            return {"status": "ok"}
        log.warning("not alive", stuck=found)  # of an answer, Kubernetes tells only the status
        return {"status": "stuck", "stuck": found}

    def ready(self) -> dict[str, Any]:
        if self._stopping is None:
            return {"status": "starting"}
        return {"status": "stopping" if self._stopping.is_set() else "ok"}


@contextmanager
def serving(health: Health, port: int, host: str) -> Iterator[None]:
    """`/health/live`, `/health/ready` and the metrics, on a thread of their own."""
    server, thread = start_http_server(port, host)
    server.set_app(_app(health, make_wsgi_app()))
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _app(health: Health, metrics: WSGIApplication) -> WSGIApplication:
    questions = {"/health/live": health.live, "/health/ready": health.ready}

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        ask = questions.get(environ["PATH_INFO"])
        if ask is None:
            return metrics(environ, start)
        answer = ask()
        status = "200 OK" if answer["status"] == "ok" else "503 Service Unavailable"
        start(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
        return [orjson.dumps(answer)]

    return app
