"""500 uploads, 16 at a time, while workers, and then the whole platform, are killed."""

from __future__ import annotations

import io
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from PIL import Image

from mediaplatform.errors import MediaPlatformError
from mediaplatform_local.client import Client
from mediaplatform_local.servers.emulator import ROOT_KEY
from mediaplatform_operator.wiring.clients import Clients
from tests.bench.result import Result
from tests.support.up import Up, two_free_ports, until, up

UPLOADS = 500
AT_ONCE = 16
KILL_EVERY_S = 5.0
DONE_S = 600
TRIES = 60


@dataclass(frozen=True)
class Outcome:
    uploads: int
    ready: int
    twice: int
    left: int  # messages on the ingest queue
    dead: int
    kills: int
    seconds: float

    @property
    def well(self) -> bool:
        return (self.ready, self.twice, self.left, self.dead) == (self.uploads, 0, 0, 0)


def run() -> list[Result]:
    rows = []
    for what, outcome in (
        ("a worker killed each 5 s", workers_killed(UPLOADS)),
        ("`mediaplatform up` killed in the middle", platform_killed(UPLOADS)),
    ):
        detail = (
            f"twice {outcome.twice}, left {outcome.left}, dead {outcome.dead}, "
            f"kills {outcome.kills}, {outcome.seconds:.0f} s"
        )
        ready = outcome.ready if outcome.well else min(outcome.ready, outcome.uploads - 1)
        rows.append(
            Result(
                f"{UPLOADS} uploads, {what}: ready", ready, "items", at_least=UPLOADS, detail=detail
            )
        )
    return rows


def workers_killed(count: int) -> Outcome:
    """The ingest worker gets SIGKILL every five seconds until all uploads are settled."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, up(Path(folder) / "state") as platform:
        with _killing(platform) as kills:
            _send(platform.url, count, skip=set())
            _settle(platform, count)
        return _outcome(platform, count, len(kills), began)


def platform_killed(count: int) -> Outcome:
    """`mediaplatform up` gets SIGKILL when a third of the items are ready, and is started again."""
    began = time.monotonic()
    port = two_free_ports()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        sent: set[int] = set()
        with up(state, port=port) as first, ThreadPoolExecutor(1) as aside:
            sending = aside.submit(_send, first.url, count, sent)
            until(lambda: _ready(first) >= count // 3, seconds=DONE_S, what="a third ready")
            first.kill()
            with up(state, port=port) as second:
                sending.result(DONE_S)
                _settle(second, count)
                return _outcome(second, count, 1, began)


def _send(url: str, count: int, skip: set[int]) -> None:
    """Upload so many different pictures, each tried again until it is confirmed."""
    with Client(url) as client, ThreadPoolExecutor(AT_ONCE) as threads:
        client.register("Ada")

        def send(number: int) -> None:
            content = _picture(number)
            for attempt in range(TRIES):
                try:
                    client.upload_bytes(content, f"{number}.jpg")
                except MediaPlatformError:
                    if attempt == TRIES - 1:
                        raise
                    time.sleep(0.5)
                else:
                    skip.add(number)
                    return

        list(threads.map(send, range(count)))


def _picture(number: int) -> bytes:
    """1.2 MP with a pattern of its own."""
    image = Image.effect_mandelbrot((1280, 960), (-2, -1.5, 1, 1.5), 30 + number % 40)
    image = Image.merge("RGB", (image, image.rotate(180), Image.new("L", image.size, number % 256)))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85, comment=str(number).encode())
    return file.getvalue()


@contextmanager
def _killing(platform: Up) -> Iterator[list[int]]:
    done = threading.Event()
    kills: list[int] = []

    def kill() -> None:
        while not done.wait(KILL_EVERY_S):
            pid = platform.pid("ingest")
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)
                kills.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield kills
    finally:
        done.set()
        killer.join()


def _settle(platform: Up, count: int) -> None:
    """Until every item is done and every message is gone, or the time is over."""

    def done() -> bool:
        return (
            _ready(platform) == count and _depth(platform, platform.running.ingest_queue_url) == 0
        )

    try:
        until(done, seconds=DONE_S, what=f"{count} items ready and no message left")
    except TimeoutError:
        return  # the outcome says what is missing


def _ready(platform: Up) -> int:
    [(count,)] = platform.rows("SELECT count(*) FROM media WHERE tiers = 2")
    return int(count)


def _outcome(platform: Up, count: int, kills: int, began: float) -> Outcome:
    running = platform.running
    moves = (
        "SELECT media_id FROM media_moves WHERE to_state = 'ready' GROUP BY 1 HAVING count(*) > 1"
    )
    return Outcome(
        count,
        _ready(platform),
        len(platform.rows(moves)),
        _depth(platform, running.ingest_queue_url),
        _depth(platform, running.ingest_dead_url),
        kills,
        time.monotonic() - began,
    )


def _depth(platform: Up, url: str) -> int:
    clients = Clients.create(
        "us-east-1",
        endpoint=platform.running.endpoint,
        access_key=ROOT_KEY,
        secret_key=platform.state.secrets()["emulator"],
    )
    names = ["", "NotVisible", "Delayed"]
    answer = clients.sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=[f"ApproximateNumberOfMessages{name}" for name in names]
    )
    return sum(map(int, answer["Attributes"].values()))
