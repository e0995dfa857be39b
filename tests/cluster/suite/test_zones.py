"""A zone is lost under load, and comes back."""

from __future__ import annotations

import time

import pytest

from tests.cluster.run import until
from tests.cluster.suite.load import Load, serving
from tests.cluster.suite.product import Platform, Product
from tests.cluster.suite.zones import BOTH, CLOUD, losable, nodes, ready, skew

pytestmark = pytest.mark.load

FAULTS_S = 20
WHOLE_S = 120
MORE_S = 10
SETTLED_S = 180
SPREAD_S = 240
PODS = {"replicas": {"min": 3}}
SPEC = {
    "api": PODS,
    "workers": {"ingest": PODS},
    "queues": {"visibilitySeconds": 30},
}


def test_a_lost_zone_costs_seconds_and_no_upload(product: Product) -> None:
    kubectl = product.kubectl
    with serving(product, **SPEC) as platform, Load(platform.host) as load:
        until(lambda: even(product, platform), seconds=WHOLE_S, what="not spread over three zones")
        lost = next(node for node, zone in sorted(nodes(kubectl).items()) if zone != CLOUD)
        with losable(kubectl, lost) as machine:
            with load.running():
                until(lambda: len(load.ids) > 3, seconds=30, what="no upload succeeds")
                killed = time.monotonic()
                machine.kill()
                until(lambda: whole(platform, lost), seconds=WHOLE_S, what=platform.say)
                healed = time.monotonic() - killed
                # Only an operator that works says so of a new generation; no pod goes by this.
                platform.change({"api": {"inFlightPerReplica": 21}})
                platform.wait("Ready", seconds=WHOLE_S)
                load.wait(MORE_S)
            late = [f"{one.began - killed:.1f} s: {one}" for one in load.failed + load.faults
                    if one.began > killed + FAULTS_S]  # fmt: skip
            last = max((one.began - killed for one in load.failed), default=0)
            print(f"last failed request after {last:.1f} s, whole after {healed:.0f} s: {load}")
            assert not [one for one in load.failed if one.ended < killed]
            assert late == []
            assert load.lost == []
            assert load.settle(seconds=SETTLED_S) == {"ready": len(load.ids)}
        back = time.monotonic()
        until(lambda: even(product, platform), seconds=SPREAD_S, what="the zone stays empty")
        print(f"spread again {time.monotonic() - back:.0f} s after the zone was back")


def whole(platform: Platform, lost: str) -> bool:
    """Whether there is all of it without the node."""
    found = [ready(platform, component) for component in BOTH]
    return all(sum(pods.values()) - pods[lost] >= 3 for pods in found)


def even(product: Product, platform: Platform) -> bool:
    """Three pods of each, one in each zone, and none on its way."""
    return all(
        len(platform.pods(component)) == 3 and skew(product.kubectl, platform, component) == 0
        for component in BOTH
    )
