"""The nodes, where the other tests rely on more than their conditions say."""

from __future__ import annotations

import json

from tests.cluster.run import until
from tests.cluster.suite.guest import manifest
from tests.cluster.suite.product import Product

LATE = {"name": "LATE", "valueFrom": {"secretKeyRef": {"name": "late", "key": "word"}}}


def test_a_container_that_cannot_be_made_yet_leaves_its_node_at_work(product: Product) -> None:
    """One with a limit of memory: without cgroups per pod it ended the kubelet over and over."""
    with product.room() as room:
        limited = manifest(room.name, env=[LATE], resources={"limits": {"memory": "64Mi"}})
        room.kubectl.apply(json.dumps(limited))
        reason = "CreateContainerConfigError"
        until(lambda: room.waits("guest") == reason, seconds=60, what="it says nothing")
