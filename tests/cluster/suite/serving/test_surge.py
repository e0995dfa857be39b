"""A surge of people brings API pods; its end takes them away again, and nobody is refused.

How fast it answers meanwhile is printed and not held: the machine that serves also sends the load.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles

import httpx2
import pytest

from tests.cluster.run import until
from tests.cluster.suite.ingress import Balancer, app
from tests.cluster.suite.load import RATE, Load, Sent, photo
from tests.cluster.suite.product import Platform

pytestmark = pytest.mark.load

FEWEST, MOST = 2, 6
PEOPLE = 130  # over six pods each has more than the 20 requests in flight that one shall have
WAIT_S = 20  # as the page waits for what becomes of an upload
ARRIVING_S = 10  # until all of them are there
CALM_S = 10
LASTING_S = 20  # with all the pods
SCALED_S = 60
BACK_S = 120


def test_a_surge_brings_four_pods_of_the_api_and_fails_nobody(platform: Platform) -> None:
    with Load(platform.host) as load:
        shipped = {"replicas": {"min": FEWEST, "max": MOST}, "inFlightPerReplica": 20}
        assert platform.resource()["spec"]["api"] == shipped
        with load.running():
            load.wait(CALM_S)
            began = time.monotonic()
            with waiting(platform.host, PEOPLE) as faults:
                until(lambda: ready(platform) == MOST, seconds=SCALED_S, what=platform.say)
                grown = time.monotonic() - began
                load.wait(LASTING_S)
            over = time.monotonic()
            until(lambda: ready(platform) == FEWEST, seconds=BACK_S, what="pods stay")
            back = time.monotonic() - over
        calm, surge = p95(load.sent, 0, began), p95(load.sent, began, over)
        print(
            f"{MOST} pods after {grown:.0f} s, {FEWEST} again {back:.0f} s after it; p95 "
            f"{calm * 1000:.0f} ms before, {surge * 1000:.0f} ms in the surge: {load}"
        )
        assert faults == []
        assert load.rate > 0.95 * RATE
        assert (load.failed, load.faults, load.lost) == ([], [], [])


@contextmanager
def waiting(host: str, people: int) -> Iterator[list[str]]:
    """So many who announced an upload and wait for it; yields what was answered amiss."""
    faults: list[str] = []
    stop = threading.Event()

    def wait(client: httpx2.Client, path: str, number: int) -> None:
        stop.wait(ARRIVING_S * number / people)
        while not stop.is_set():
            try:
                answer = client.get(path, params={"known": "waiting", "wait": WAIT_S})
                if answer.status_code != 200:
                    faults.append(f"{answer.status_code} {answer.text[:200]}")
            except httpx2.HTTPError as fault:
                faults.append(repr(fault))

    with app(host) as user:
        user.register("Surge")
        item = user.announce(photo(0), "never-sent.jpg")["media"]["id"]
        headers = {"authorization": user.authorization}
        with httpx2.Client(
            base_url=f"https://{host}", transport=Balancer(people), headers=headers,
            timeout=2 * WAIT_S,
        ) as client:  # fmt: skip
            threads = [
                threading.Thread(target=wait, args=(client, f"/api/media/{item}/status", number))
                for number in range(people)
            ]
            for thread in threads:
                thread.start()
            try:
                yield faults
            finally:
                stop.set()
                for thread in threads:
                    thread.join()


def ready(platform: Platform) -> int:
    """Pods of the API that take requests."""
    status = platform.get(f"deployment/{platform.name}-api")["status"]
    return int(status.get("readyReplicas", 0))


def p95(sent: list[Sent], since: float, until: float) -> float:
    """Seconds in which 95 of 100 requests were answered that began in this span."""
    seconds = [one.ended - one.began for one in sent if since <= one.began < until]
    return quantiles(seconds, n=20)[-1]
