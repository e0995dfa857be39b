"""Requests per second of a cached feed page, beside bare Starlette answering the same bytes.

Both run on the same server with the same protocol and get the same requests: forty from each of
many addresses. So under the shipped limit the API tells Redis at every twentieth, and refuses none.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.request import urlopen

import redis

from mediaplatform.platform.settings import Settings
from mediaplatform_local.servers.ports import free_port
from tests.bench import feed
from tests.bench.result import Result
from tests.support.api import api_process, python
from tests.support.servers import create_database, postgres, valkey

ITEMS = 1_000
CONNECTIONS = 16
SECONDS = 1
ROUNDS = 15
CLIENTS = 1_000  # more than a round comes to
SCRIPT = Path(__file__).with_name("clients.lua")
# A page only signs URLs: S3 is never asked.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_FAULTS = re.compile(r"Non-2xx|Socket errors")


@contextmanager
def bare(body: bytes) -> Iterator[str]:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(body)
        port = free_port()
        url = f"http://127.0.0.1:{port}/api/feed"
        with python(["tests.bench.bare", str(port), file.name], {}, url):
            yield url


def load(url: str, first_client: int) -> float:
    """Requests per second. Raises where an answer was no success."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(SCRIPT), url]
    command += ["--", str(first_client)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if _FAULTS.search(output):
        raise RuntimeError(output)
    found = _RATE.search(output)
    if found is None:
        raise RuntimeError(output)
    return float(found[1])


def fetch(url: str) -> bytes:
    with urlopen(url, timeout=5) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body


def clients_known(cache: str) -> int:
    """Of how many clients Redis counts requests. Raises where they were not told apart."""
    with redis.Redis.from_url(cache) as client:
        found = sum(1 for _ in client.scan_iter("requests:198.*", count=1000))
    if found < ROUNDS * 20:
        raise RuntimeError(f"only {found} clients were told apart")
    return found


def run() -> list[Result]:
    with ExitStack() as stack:
        database = create_database(stack.enter_context(postgres()), "feed")
        asyncio.run(feed.fill(database, ITEMS))
        cache = stack.enter_context(valkey())
        api = stack.enter_context(
            api_process(
                CREDENTIALS,
                database_url=database,
                redis_url=cache,
                requests_per_minute=Settings.requests_per_minute,
            )
        )
        ours = f"{api}/api/feed"
        page = fetch(ours)
        theirs = stack.enter_context(bare(page))
        if fetch(theirs) != page:
            raise RuntimeError("the two do not answer the same bytes")
        rates: dict[str, list[float]] = {ours: [], theirs: []}
        for number in range(ROUNDS):
            for url, seen in rates.items():
                seen.append(load(url, number * CLIENTS))
        asked = clients_known(cache)
    ratio = median(mine / other for mine, other in zip(*rates.values(), strict=True))
    detail = " / ".join(f"{median(seen):,.0f}/s" for seen in rates.values())
    detail += f", {asked:,} clients"
    what = f"cached feed page of {len(page):,} bytes / bare Starlette"
    return [Result(what, ratio, "x", at_least=0.6, detail=detail)]
