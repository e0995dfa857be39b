"""From the end of a PUT to pictures that others can see, and what the processes weigh.

A 12 MP camera JPEG through the whole product, one at a time on an idle machine. Medians.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from pathlib import Path

import psutil

from mediaplatform_local.client import Client
from tests.bench.result import Result
from tests.support.samples import PAINTING_24_MP, PHONE_12_MP, sample
from tests.support.up import Up, up

ROUNDS = 20
LOOK_S = 0.003
MIB = 1024**2


def run() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder, up(Path(folder) / "state") as platform:
        idle = {name: _weight(platform.pid(name)) for name in ("api", "ingest")}
        with platform.client() as ada:
            ada.register("Ada")
            rounds = [_one(ada, content) for content in _variants(ROUNDS + 2)][2:]
            child = _child_peak(platform, ada)
        api = _weight(platform.pid("api"))
    first, all_ = (sorted(column) for column in zip(*rounds, strict=True))
    spread = f"fastest {first[0]:.0f}, slowest {first[-1]:.0f}"
    spread_all = f"fastest {all_[0]:.0f}, slowest {all_[-1]:.0f}"
    return [
        Result("12 MP: first tier", statistics.median(first), "ms", at_most=400, detail=spread),
        Result("12 MP: all renditions", statistics.median(all_), "ms", at_most=900,
               detail=spread_all),
        Result("API, after the uploads", api, "MiB", at_most=120, detail=f"idle {idle['api']:.0f}"),
        Result("worker with zygote, idle", idle["ingest"], "MiB", at_most=100, detail="PSS"),
        Result("child on 24 MP, peak", child, "MiB", at_most=300, detail="RSS"),
    ]  # fmt: skip


def _one(client: Client, content: bytes) -> tuple[float, float]:
    """Milliseconds from the end of the PUT to the first tier, and to all renditions."""
    asked = client.announce(content, "photo.jpg")
    media_id = asked["media"]["id"]
    client.put(asked["upload"], content)
    began = time.perf_counter()
    client.confirm(media_id)
    first = 0.0
    while True:
        status = client._call("GET", f"/api/media/{media_id}/status")
        spent = (time.perf_counter() - began) * 1000
        if status["state"] == "failed" or spent > 30_000:
            raise RuntimeError(f"not published: {status}")
        if status["tiers"] >= 1 and not first:
            first = spent
        if status["tiers"] == 2:
            return first, spent
        time.sleep(LOOK_S)


def _variants(count: int) -> list[bytes]:
    """The same 12 MP photo with other bytes: a comment after the picture's end."""
    content = sample(PHONE_12_MP).read_bytes()
    return [content + b"%d" % number for number in range(count)]


def _child_peak(platform: Up, client: Client) -> float:
    """Most memory of any child of the zygote during a 24 MP photo, in MiB."""
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        worker = psutil.Process(platform.pid("ingest"))
        while not done.wait(0.005):
            for zygote in worker.children():
                for child in zygote.children():
                    try:
                        peak = max(peak, child.memory_info().rss)
                    except psutil.NoSuchProcess:
                        continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        media_id = client.upload(sample(PAINTING_24_MP))
        client.wait(media_id, seconds=60, tiers=2)
    finally:
        done.set()
        watcher.join()
    return peak / MIB


def _weight(pid: int) -> float:
    """Proportional set size of a process and its children: shared pages count once. MiB."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_full_info().pss for member in family) / MIB
