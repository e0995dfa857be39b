"""`python -m mediaplatform_worker ingest|sweep`: a worker, configured by its environment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from mediaplatform.errors import ConfigurationError
from mediaplatform.feed.cache import FeedCache
from mediaplatform.media.outbox import Outbox
from mediaplatform.media.upkeep import Policy, Upkeep
from mediaplatform.media.work import MediaWork
from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.adapters.cache import RedisCache
from mediaplatform.platform.adapters.objects import S3Bucket
from mediaplatform.platform.adapters.queue import SqsQueue
from mediaplatform.platform.database import Database
from mediaplatform.platform.settings import Settings
from mediaplatform.platform.telemetry import configure_logging
from mediaplatform_worker.consumer import Consumer
from mediaplatform_worker.health import Health, serving
from mediaplatform_worker.ingest import Ingest
from mediaplatform_worker.sandbox.client import ProcessSandbox
from mediaplatform_worker.sweep import Sweeper

RENDITION_UPLOADS = 8  # at once, for each job
EX_CONFIG = 78  # sysexits.h: something is misconfigured


async def ingest(settings: Settings, health: Health, opened: AsyncExitStack) -> None:
    scratch = Path(settings.scratch_folder or tempfile.gettempdir()) / "mediaplatform-ingest"
    scratch.mkdir(parents=True, exist_ok=True)
    sandbox = await opened.enter_async_context(ProcessSandbox(scratch))
    database = await opened.enter_async_context(Database(settings.database_url))
    aws = _aws(settings, opened, threads=settings.worker_slots * (RENDITION_UPLOADS + 2))
    queue = SqsQueue(aws, settings.ingest_queue_url)
    consumer = Consumer(
        "ingest",
        queue,
        health,
        slots=settings.worker_slots,
        visibility_seconds=settings.visibility_seconds,
    )
    job = Ingest(
        work=MediaWork(database, claim_seconds=settings.visibility_seconds),
        extend=consumer.extend,
        uploads=S3Bucket(aws, settings.uploads_bucket),
        media=S3Bucket(aws, settings.media_bucket),
        sandbox=sandbox,
        scratch=sandbox.folder,
        visibility_seconds=settings.visibility_seconds,
        announce=_feed(settings, opened).invalidate,
    )
    _on_stop(consumer.stop)
    await consumer.run(job.handle, drain_seconds=settings.drain_seconds)


async def sweep(settings: Settings, health: Health, opened: AsyncExitStack) -> None:
    database = await opened.enter_async_context(Database(settings.database_url, most=3))
    aws = _aws(settings, opened, threads=4)
    ingest_queue = SqsQueue(aws, settings.ingest_queue_url)
    queues = {"ingest": ingest_queue, "render": SqsQueue(aws, settings.render_queue_url)}
    upkeep = Upkeep(
        database,
        outbox=Outbox(database, queues),
        uploads=S3Bucket(aws, settings.uploads_bucket),
        media=S3Bucket(aws, settings.media_bucket),
        ingest=ingest_queue,
        policy=Policy(
            settings.visibility_seconds,
            settings.max_receives,
            settings.trash_days,
            settings.unused_days,
        ),
        announce=_feed(settings, opened).invalidate,
    )
    sweeper = Sweeper(upkeep, health, interval_seconds=settings.sweep_seconds)
    _on_stop(sweeper.stop)
    await sweeper.run()


Role = Callable[[Settings, Health, AsyncExitStack], Awaitable[None]]
ROLES: Mapping[str, Role] = {"ingest": ingest, "sweep": sweep}


async def _run(role: str, settings: Settings) -> None:
    async with AsyncExitStack() as opened:
        health = Health()
        opened.enter_context(serving(health, settings.metrics_port, settings.bind_host))
        opened.callback(asyncio.create_task(health.tick()).cancel)
        await ROLES[role](settings, health, opened)


def _aws(settings: Settings, opened: AsyncExitStack, *, threads: int) -> Aws:
    aws = Aws(settings.region, endpoint=settings.aws_endpoint, threads=threads)
    opened.callback(aws.close)
    return aws


def _feed(settings: Settings, opened: AsyncExitStack) -> FeedCache:
    cache = RedisCache(settings.redis_url)
    opened.push_async_callback(cache.close)
    return FeedCache(cache)


def _on_stop(stop: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in ROLES:
        print(f"usage: python -m mediaplatform_worker {'|'.join(ROLES)}", file=sys.stderr)
        return 2
    try:
        settings = Settings.from_environment(os.environ)
    except ConfigurationError as fault:
        print(f"mediaplatform_worker: {fault.message}", file=sys.stderr)
        return EX_CONFIG
    configure_logging(settings.log_level, arguments[0])
    asyncio.run(_run(arguments[0], settings))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
