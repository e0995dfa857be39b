from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from mediaplatform.errors import Unavailable
from mediaplatform_operator.reconcile.backends import RealBackends

pytestmark = pytest.mark.anyio


async def test_a_database_that_takes_connections_and_no_query_is_not_waited_for(
    database_url: str,
) -> None:
    """As a pooler does whose own database is gone."""
    real = urlsplit(database_url)
    relays: list[asyncio.Task[None]] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, ahead = await asyncio.open_connection(real.hostname, real.port)
        relays.append(asyncio.create_task(_copy(behind, writer)))
        relays.append(asyncio.create_task(_copy(reader, ahead, but=b"SELECT 1")))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = real._replace(netloc=real.netloc.replace(f":{real.port}", f":{port}")).geturl()
    async with server:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:\d+ does not answer in 0.5 seconds"):
            await RealBackends(answer_s=0.5).check_database(url)
        await asyncio.gather(*relays)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, but: bytes | None = None
) -> None:
    while said := await reader.read(4096):
        if but is None or but not in said:
            writer.write(said)
    writer.close()
    await writer.wait_closed()
