"""`python -m mediaplatform_api`: the API of one process, and its metrics on a port of their own."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import sys

import uvicorn
import uvloop
from prometheus_client import start_http_server
from starlette.types import ASGIApp

from mediaplatform.errors import ConfigurationError
from mediaplatform.platform.settings import Settings
from mediaplatform.platform.telemetry import configure_logging
from mediaplatform_api.app import make_app
from mediaplatform_api.protocol import JoinedProtocol
from mediaplatform_api.services import make_services, open_outside

GRACE_SECONDS = 8  # for requests at work when it is told to stop
BACKLOG = 2048
M_MMAP_THRESHOLD = -3  # malloc.h; once set, glibc no longer raises it by itself
MMAP_BYTES = 1024 * 1024


def uvicorn_config(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=JoinedProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


async def serve(settings: Settings) -> None:
    async with open_outside(settings) as outside:
        app = make_app(make_services(settings, outside))
        config = uvicorn_config(app, settings.bind_host, settings.port)
        gc.collect()
        gc.freeze()  # what lives as long as the process need not be looked at again
        await uvicorn.Server(config).serve()


def return_memory() -> None:
    """Have glibc hand back what a password hash took, instead of keeping it for the next one."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)


def main() -> int:
    try:
        return_memory()
        settings = Settings.from_environment(os.environ)
        configure_logging(settings.log_level, "api")
        metrics, thread = start_http_server(settings.metrics_port, settings.bind_host)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except ConfigurationError as fault:
        print(f"mediaplatform_api: {fault.message}", file=sys.stderr)
        return 2
    metrics.shutdown()
    thread.join(GRACE_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
