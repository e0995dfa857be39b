"""Workers as processes of their own: what they tell their probes while something is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import pytest
from tests.support.api import BASE
from tests.support.platform import Bench
from tests.support.probes import probe
from tests.support.up import log_lines, until

from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.database import Database
from mediaplatform_local.process import Process, Program
from mediaplatform_local.servers.emulator import ROOT_KEY, Emulator
from mediaplatform_local.servers.ports import answers, free_port

pytestmark = pytest.mark.anyio

AT_WORK = 'mediaplatform_worker_jobs_at_work{queue="ingest"} 1.0'
NOWHERE = {
    "database_url": "postgresql://nobody@127.0.0.1:1/none",
    "redis_url": "redis://127.0.0.1:1",
}


@dataclass(frozen=True)
class Worker:
    process: Process
    port: int

    def wait_ready(self) -> None:
        ready = f"http://127.0.0.1:{self.port}/health/ready"
        self.process.wait_until(lambda: answers(ready), 30)

    def is_at_work(self) -> bool:
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as metrics:
            return AT_WORK in metrics.read().decode()

    def said(self, event: str) -> int:
        return [line["event"] for line in log_lines(self.process.log)].count(event)


@contextmanager
def worker(
    role: str, folder: Path, credentials: Mapping[str, str], **settings: Any
) -> Iterator[Worker]:
    """It may still be starting. Nothing is behind it but what the settings say."""
    port = free_port()
    chosen = replace(BASE, metrics_port=port, scratch_folder=str(folder), **NOWHERE | settings)
    command = (sys.executable, "-m", "mediaplatform_worker", role)
    environment = chosen.to_environment() | dict(credentials)
    process = Process(Program(role, command, environment), folder / "log")
    try:
        yield Worker(process, port)
    finally:
        process.stop()


@pytest.mark.parametrize(
    ("role", "event"), [("ingest", "pausing"), ("sweep", "sweep put off")], ids=["ingest", "sweep"]
)
def test_a_worker_with_nothing_behind_it_is_alive_and_ready(
    tmp_path: Path, role: str, event: str
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "some", "AWS_SECRET_ACCESS_KEY": "thing"}
    with worker(role, tmp_path, keys, sweep_seconds=1) as lonely:
        lonely.wait_ready()
        until(lambda: lonely.said(event) >= 2, seconds=60, what="two tries that failed")
        assert probe(lonely.port, "live") == (200, {"status": "ok"})
        assert probe(lonely.port, "ready") == (200, {"status": "ok"})


async def test_a_worker_that_is_told_to_stop_is_alive_and_not_ready_until_its_job_is_done(
    database: Database, database_url: str, aws: Aws, emulator: Emulator, tmp_path: Path
) -> None:
    bench = await Bench.make(database, aws)
    keys = {"AWS_ACCESS_KEY_ID": ROOT_KEY, "AWS_SECRET_ACCESS_KEY": emulator.root_secret}
    url, there = bench.queue._url, {"aws_endpoint": emulator.endpoint, "database_url": database_url}
    with worker("ingest", tmp_path, keys, ingest_queue_url=url, **there) as busy:
        busy.wait_ready()
        async with database.transaction() as connection:
            await connection.execute("LOCK TABLE media")  # no job comes to an end meanwhile
            await bench.queue.send(json.dumps({"job": "ingest", "mediaId": str(uuid4())}))
            until(busy.is_at_work, seconds=20, what="a job at work")
            busy.process.ask_to_stop()
            until(lambda: probe(busy.port, "ready")[0] == 503, seconds=5, what="not ready")
            assert probe(busy.port, "ready") == (503, {"status": "stopping"})
            assert probe(busy.port, "live") == (200, {"status": "ok"})
        until(lambda: busy.process.returncode is not None, seconds=20, what="its end")
        assert busy.process.returncode == 0
    assert (await bench.queue.depth()).total == 0
