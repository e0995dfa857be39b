"""Answers on the wire."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from tests.support.waiting import eventually

from mediaplatform_api.__main__ import uvicorn_config

pytestmark = pytest.mark.anyio

LARGE = bytes(range(256)) * 20_000  # more than any buffer on the way
Get = Callable[[str], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def short(_: Request) -> Response:
    return Response(b"short")


async def large(_: Request) -> Response:
    return Response(LARGE)


async def streamed(_: Request) -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(LARGE), 100_000):
            yield LARGE[start : start + 100_000]
            await asyncio.sleep(0)

    return StreamingResponse(parts(), headers={"content-length": str(len(LARGE))})


@pytest.fixture
async def get() -> AsyncIterator[Get]:
    """Opens a connection and sends a request for a path."""
    routes = [Route("/short", short), Route("/large", large), Route("/streamed", streamed)]
    config = uvicorn_config(Starlette(routes=routes), "127.0.0.1", 0)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    serving = asyncio.create_task(server._serve([listening]))
    opened: list[asyncio.StreamWriter] = []

    async def started() -> bool:
        return server.started

    async def connect(request: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        opened.append(writer)
        writer.write(request.encode())
        return reader, writer

    await eventually(started)
    yield connect
    for writer in opened:
        writer.close()
        await writer.wait_closed()
    server.should_exit = True
    await serving


async def test_head_and_body_of_an_answer_arrive_together(get: Get) -> None:
    reader, writer = await get("GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await reader.read(65_536)).endswith(b"\r\n\r\nshort")

    writer.write(b"GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await reader.read(65_536)).endswith(b"\r\n\r\nshort")


async def test_requests_sent_in_one_go_are_answered_in_their_order(get: Get) -> None:
    request = "GET /{} HTTP/1.1\r\nHost: a\r\n{}\r\n"
    sent = request.format("large", "") + request.format("short", "Connection: close\r\n")
    reader, _ = await get(sent)
    received = await reader.read()

    head, _, rest = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert rest.startswith(LARGE)
    assert rest.endswith(b"\r\n\r\nshort")


@pytest.mark.parametrize("path", ["large", "streamed"])
async def test_a_connection_that_closes_after_the_answer_loses_none_of_it(
    get: Get, path: str
) -> None:
    reader, _ = await get(f"GET /{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert (await reader.read()).partition(b"\r\n\r\n")[2] == LARGE


async def test_a_head_is_answered_without_a_body(get: Get) -> None:
    reader, _ = await get("HEAD /short HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert (await reader.read()).endswith(b"\r\n\r\n")
