"""What happens around every request: ids, limits, logs, metrics, headers. Plain ASGI."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge, Histogram
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediaplatform.errors import InvalidInput, TooManyRequests
from mediaplatform.platform.telemetry import new_request_id, traceparent
from mediaplatform_api.limits import RateLimit

BODY_BYTES = 256 * 1024
MORE_HEADERS = "mediaplatform.headers"  # in the scope: what `Around` adds to the answer
REQUESTS = Counter(
    "mediaplatform_http_requests", "Requests answered", ["method", "route", "status"]
)
SECONDS = Histogram(
    "mediaplatform_http_request_seconds",
    "Time from a request to the end of its answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10, 30),
)
IN_FLIGHT = Gauge("mediaplatform_http_requests_in_flight", "Requests at work")
_REQUEST_ID = re.compile(rb"[\w.-]{8,64}")
_log = structlog.get_logger()


class Around:
    """The outermost layer: request id, trace, log line, metrics, and an answer for every error."""

    def __init__(self, app: ASGIApp, explain: Callable[[Exception], Response]) -> None:
        self._app, self._explain = app, explain
        self._series: dict[tuple[str, str, int], tuple[Callable[[], None], Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["app"] = self  # the router then raises what it would answer as plain text
        started = time.perf_counter()
        given = dict(scope["headers"])
        request_id = _request_id(given.get(b"x-request-id"))
        trace = traceparent(
            given[b"traceparent"].decode("latin-1") if b"traceparent" in given else None
        )
        structlog.contextvars.bind_contextvars(request_id=request_id, traceparent=trace)
        status = 0

        def answer(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    *scope.get(MORE_HEADERS, ()),
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            return send(message)

        IN_FLIGHT.inc()
        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            if status:
                raise  # half an answer is out: the server closes the connection
            await self._explain(error)(scope, receive, answer)
        finally:
            IN_FLIGHT.dec()
            self._note(scope, status or 500, time.perf_counter() - started)
            structlog.contextvars.unbind_contextvars("request_id", "traceparent")

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = scope["method"], scope.get("route")
        path = getattr(route, "path", "none")
        key = method, path, status
        series = self._series.get(key)
        if series is None:
            count = REQUESTS.labels(method, path, status).inc
            series = self._series[key] = count, SECONDS.labels(path)
        series[0]()
        series[1].observe(seconds)
        if status >= 400 or method not in {"GET", "HEAD"}:
            _log.info(
                "request",
                method=method,
                path=scope["path"],
                status=status,
                seconds=round(seconds, 4),
            )


class Limited:
    """So many requests a minute of each user, or of each address that is nobody's; bounded bodies.

    `recognise` tells whose an access token is, or None.
    """

    def __init__(
        self, app: ASGIApp, rate_limit: RateLimit, recognise: Callable[[str], UUID | None]
    ) -> None:
        self._app, self._rate_limit, self._recognise = app, rate_limit, recognise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        verdict = await self._rate_limit.check(self._client(scope))
        scope[MORE_HEADERS] = (
            (b"ratelimit-limit", b"%d" % verdict.limit),
            (b"ratelimit-remaining", b"%d" % verdict.remaining),
            (b"ratelimit-reset", b"%d" % verdict.reset),
        )
        if not verdict.allowed:
            raise TooManyRequests(
                f"At most {verdict.limit} requests a minute. Go on in {verdict.reset} seconds.",
                retry_after=verdict.reset,
            )
        await self._app(scope, _bounded(receive), send)

    def _client(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"authorization" and value[:7].lower() == b"bearer ":
                user_id = self._recognise(value[7:].decode("latin-1"))
                if user_id is not None:
                    return f"user:{user_id}"
        return scope["client"][0] if scope.get("client") else "unknown"


def _bounded(receive: Receive) -> Receive:
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > BODY_BYTES:
            raise InvalidInput(f"the body must be at most {BODY_BYTES} bytes", field="body")
        return message

    return bounded


def _request_id(given: bytes | None) -> str:
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode()
    return new_request_id()
