"""A rolling update under load, which nobody notices."""

from __future__ import annotations

import time

import pytest

from tests.cluster.run import until
from tests.cluster.suite.load import RATE, UNLIMITED, Load
from tests.cluster.suite.product import Platform

pytestmark = pytest.mark.load

ROLLED_S = 180
SETTLED_S = 60
BOTH = ("api", "ingest")


def test_an_update_of_api_and_workers_fails_no_request_and_loses_no_upload(
    platform: Platform,
) -> None:
    with Load(platform.host) as load:
        before = pods(platform)
        with load.running():
            until(lambda: len(load.ids) > 3, seconds=30, what="no upload succeeds")
            began = time.monotonic()
            change = {"limits": {"requestsPerMinute": UNLIMITED["requestsPerMinute"] - 1}}
            platform.change(change)
            until(lambda: not before & pods(platform), seconds=ROLLED_S, what=platform.say)
            platform.wait("Ready", seconds=ROLLED_S)
            took = time.monotonic() - began
        print(f"rolled in {took:.0f} s: {load}")
        assert load.rate > 0.95 * RATE
        assert load.failed == []
        assert (load.faults, load.lost) == ([], [])
        assert load.settle(seconds=SETTLED_S) == {"ready": len(load.ids)}


def pods(platform: Platform) -> set[str]:
    """Those of API and workers that are there, on their way out or not."""
    chosen = f"app.kubernetes.io/component in ({', '.join(BOTH)})"
    return {pod["metadata"]["name"] for pod in platform.get("pods", "-l", chosen)["items"]}
