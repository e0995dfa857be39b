"""A backlog brings workers; its end takes them away again, and no job notices."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import pytest

from mediaplatform_local.client import Client
from tests.cluster.run import until
from tests.cluster.suite.ingress import app
from tests.cluster.suite.load import array, photo
from tests.cluster.suite.product import Platform, forwarded
from tests.cluster.suite.scrape import ask
from tests.support import samples
from tests.support.samples import sample

pytestmark = pytest.mark.load

JOBS = 400
FEWEST, MOST = 2, 6
SCALED_S = 60
DONE_S = 180
BACK_S = 120
AT_ONCE = 8
LARGE_EVERY_S = 4.0
DEPTH = (
    'sum(mediaplatform_queue_messages{{resource="{}",queue="ingest",state=~"visible|in_flight"}})'
)
OUTCOMES = (
    'sum by (outcome) (max_over_time(mediaplatform_worker_jobs_total{{namespace="{}"}}[10m]))'
)


def test_a_backlog_of_400_jobs_brings_four_workers_and_each_job_is_done_once(
    platform: Platform,
) -> None:
    """Workers are held back until Prometheus has the whole backlog; then there are two of them."""
    with (
        forwarded(platform.kubectl, "monitoring", "service/prometheus", 9090) as prometheus,
        app(platform.host) as user,
    ):
        user.register("Ada")
        scale(platform, 0)
        until(lambda: pods(platform) == 0, seconds=60, what="workers do not go")
        ids = upload(user, JOBS)
        depth = DEPTH.format(platform.name)
        until(lambda: ask(prometheus, depth, "").get("", 0) >= JOBS, seconds=60, what="no backlog")
        began = time.monotonic()
        scale(platform, FEWEST)  # the autoscaler, off at none, may add to them within a second
        until(lambda: platform.replicas("ingest") == MOST, seconds=SCALED_S, what=platform.say)
        grown = time.monotonic() - began
        with large(platform.host) as more:
            for item in ids:
                left = began + DONE_S - time.monotonic()
                assert user.wait(item, seconds=max(0, left), tiers=2)["state"] == "ready"
            done = time.monotonic() - began
            until(lambda: pods(platform) == FEWEST, seconds=BACK_S, what="workers stay")
            back = time.monotonic() - began - done
        print(f"{MOST} workers after {grown:.0f} s, all done after {done:.0f} s, "
              f"{FEWEST} workers {back:.0f} s later; {len(more)} large ones meanwhile")  # fmt: skip
        assert more
        each = str(len(ids) + len(more))
        assert taken(platform, ids + more) == [["ready", "2", "1", each]]
        assert ready(platform, ids + more) == [[each, each]]
        assert set(ask(prometheus, OUTCOMES.format(platform.name), "outcome")) == {"done"}


def upload(user: Client, jobs: int) -> list[str]:
    """So many small photos. None is confirmed: that S3 tells of each makes one job of each."""

    def one(number: int) -> str:
        content = photo(number)
        asked = user.announce(content, f"{number}.jpg")
        user.put(asked["upload"], content)
        return str(asked["media"]["id"])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(jobs)))


@contextmanager
def large(host: str) -> Iterator[list[str]]:
    """Photos whose jobs take a while, so that some are at work whenever a worker is told to go."""
    ids: list[str] = []
    stop = threading.Event()
    content = sample(samples.PHONE_12_MP).read_bytes()

    def send() -> None:
        for number in count():
            name = f"{number}.jpg"
            ids.append(user.upload_bytes(content + b"%d" % number, name))
            if stop.wait(LARGE_EVERY_S):
                return

    with app(host) as user, ThreadPoolExecutor(1) as pool:
        user.register("Grace")
        sending = pool.submit(send)
        try:
            yield ids
        finally:
            stop.set()
        sending.result()
        for item in ids:
            assert user.wait(item, seconds=DONE_S, tiers=2)["state"] == "ready"


def scale(platform: Platform, workers: int) -> None:
    platform("scale", f"deployment/{platform.name}-ingest", f"--replicas={workers}")


def pods(platform: Platform) -> int:
    """Workers that are there, those on their way out among them."""
    chosen = "app.kubernetes.io/component=ingest"
    return len(platform.get("pods", "-l", chosen)["items"])


def taken(platform: Platform, ids: list[str]) -> list[list[str]]:
    """State, tiers, and how often a worker took it: with how many items of each."""
    return platform.sql(
        "SELECT state, tiers, attempts, count(*) FROM media WHERE id = ANY (:'ids')"
        " GROUP BY 1, 2, 3",
        ids=array(ids),
    )


def ready(platform: Platform, ids: list[str]) -> list[list[str]]:
    """How often an item became ready, and how many items did."""
    return platform.sql(
        "SELECT count(*), count(DISTINCT media_id) FROM media_moves"
        " WHERE to_state = 'ready' AND media_id = ANY (:'ids')",
        ids=array(ids),
    )
