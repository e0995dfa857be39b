"""Bare Starlette on the API's own server and settings: `python -m tests.bench.bare PORT FILE`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mediaplatform_api.__main__ import uvicorn_config


def main() -> None:
    port, body = int(sys.argv[1]), Path(sys.argv[2]).read_bytes()

    async def page(_: Request) -> Response:
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/api/feed", page)])
    config = uvicorn_config(app, "127.0.0.1", port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
