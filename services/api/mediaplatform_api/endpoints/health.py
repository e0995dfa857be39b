"""`/health`: for people and probes. Losing Redis or S3 never restarts or unlists a process."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mediaplatform.errors import MediaPlatformError
from mediaplatform_api.services import Services

CHECK_SECONDS = 2
Verdict = Literal["ok", "down"]


def routes(services: Services) -> list[Route]:
    started = time.monotonic()

    async def health(_: Request) -> Response:
        database, cache = await asyncio.gather(_database(services), _cache(services))
        checks = {"database": database, "cache": cache}
        words = {("ok", "ok"): "ok", ("ok", "down"): "degraded"}
        now: datetime = services.outside.clock.now()
        return _json(
            {
                "status": words.get((database, cache), "down"),
                "timestamp": now,
                "uptime": round(time.monotonic() - started, 3),
                "checks": checks,
            },
            200 if database == "ok" else 503,
        )

    async def live(_: Request) -> Response:
        return _json({"status": "ok"}, 200)

    async def ready(_: Request) -> Response:
        verdict = await _database(services)
        return _json({"status": verdict}, 200 if verdict == "ok" else 503)

    return [Route("/health", health), Route("/health/live", live), Route("/health/ready", ready)]


async def _database(services: Services) -> Verdict:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            async with services.outside.database.connection() as connection:
                await connection.execute("SELECT 1")
    except (MediaPlatformError, TimeoutError):
        return "down"
    return "ok"


async def _cache(services: Services) -> Verdict:
    return "ok" if await services.outside.cache.ping() else "down"


def _json(body: object, status: int) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(
        orjson.dumps(body, option=orjson.OPT_UTC_Z), status, headers, "application/json"
    )
