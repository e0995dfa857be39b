"""How long workers have been at their jobs, asked of the workers themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import aiohttp
import structlog
from prometheus_client.parser import text_string_to_metric_families

METRIC = "mediaplatform_worker_oldest_job_seconds"
PORT = 9090
TIMEOUT = aiohttp.ClientTimeout(total=2)
OldestJobs = Callable[[Iterable[str]], Awaitable[dict[str, float]]]  # seconds, by address
log = structlog.get_logger()


async def oldest_jobs(addresses: Iterable[str], *, port: int = PORT) -> dict[str, float]:
    """Seconds, by address; without those that do not answer. Never raises."""
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        found = await asyncio.gather(*(_ask(session, one, port) for one in addresses))
    return {address: seconds for address, seconds in found if seconds is not None}


async def _ask(session: aiohttp.ClientSession, address: str, port: int) -> tuple[str, float | None]:
    host = f"[{address}]" if ":" in address else address
    try:
        async with session.get(f"http://{host}:{port}/metrics", raise_for_status=True) as answer:
            text = await answer.text()
        samples = (it for family in text_string_to_metric_families(text) for it in family.samples)
        return address, max(it.value for it in samples if it.name == METRIC)
    except (aiohttp.ClientError, OSError, ValueError) as fault:  # ValueError: it has no such metric
        log.debug("worker not asked", address=address, why=str(fault) or type(fault).__name__)
        return address, None
