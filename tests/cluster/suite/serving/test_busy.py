"""Of the workers that are taken away, one with a long job is the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.run import until
from tests.cluster.suite.ingress import app
from tests.cluster.suite.load import array, photo
from tests.cluster.suite.product import Platform, forwarded
from tests.cluster.suite.scrape import samples

pytestmark = pytest.mark.load

MANY, FEWEST = 4, 2
LONG_S = 10
READY_S = 60
GONE_S = 90
SETTLED_S = 60
OLDEST = "mediaplatform_worker_oldest_job_seconds"
ATTEMPTS = "SELECT DISTINCT attempts FROM media WHERE id = ANY (:'ids')"
# To the process that the worker forks its jobs from: no job of it goes on while it is stopped.
SIGNAL = """
import os, pathlib, signal, sys
for found in pathlib.Path("/proc").glob("[0-9]*/status"):
    if "PPid:\\t1\\n" in found.read_text():
        os.kill(int(found.parent.name), getattr(signal, sys.argv[1]))
"""


def test_a_worker_with_a_long_job_is_the_last_to_go(platform: Platform) -> None:
    platform.change(fewest(MANY))
    platform.wait("Ready", seconds=READY_S)
    with app(platform.host) as user:
        user.register("Ada")
        chosen = first_to_go(platform)
        ids: list[str] = []
        with (
            stopped(platform, chosen),
            forwarded(platform.kubectl, platform.name, f"pod/{chosen}", 9090) as url,
        ):

            def is_long() -> bool:
                oldest = samples(url, OLDEST)[0].value
                if not oldest:
                    ids.append(user.upload_bytes(photo(len(ids)), "a.jpg"))
                return oldest > LONG_S

            until(is_long, seconds=60, what="it takes no job")
            platform.change(fewest(FEWEST))
            until(lambda: len(names(platform)) == FEWEST, seconds=GONE_S, what=platform.say)
            assert chosen in names(platform)
        for item in ids:
            assert user.wait(item, seconds=SETTLED_S)["state"] == "ready"
        assert platform.sql(ATTEMPTS, ids=array(ids)) == [["1"]]


def fewest(workers: int) -> dict[str, object]:
    return {"workers": {"ingest": {"replicas": {"min": workers}}}}


def names(platform: Platform) -> set[str]:
    return {pod["metadata"]["name"] for pod in platform.pods("ingest")}


def first_to_go(platform: Platform) -> str:
    """The newest worker of the node that has most: Kubernetes would take it away first."""
    pods = platform.pods("ingest")
    on = Counter(pod["spec"]["nodeName"] for pod in pods)
    chosen = max(pods, key=lambda it: (on[it["spec"]["nodeName"]], it["status"]["startTime"]))
    return str(chosen["metadata"]["name"])


@contextmanager
def stopped(platform: Platform, pod: str) -> Iterator[None]:
    """Jobs of this worker come to a halt, and go on at the end."""
    signal = ("exec", pod, "--", "python", "-c", SIGNAL)
    platform(*signal, "SIGSTOP")
    try:
        yield
    finally:
        platform(*signal, "SIGCONT")
