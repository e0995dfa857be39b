"""The API server itself, against what the fast tests believe of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient

from mediaplatform_operator.cluster.adapter import ApiServer
from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.cluster.port import Cluster
from tests.cluster.kubectl import Kubectl
from tests.cluster.suite.product import Product
from tests.contract.cluster import CONTRACT, fields_no_longer_applied_go_and_those_of_others_stay

Rule = Callable[[Cluster, str], Awaitable[None]]


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: str(rule.__name__))
def test_the_real_server_keeps(product: Product, kubectl: Kubectl, rule: Rule) -> None:
    with product.room() as platform:
        asyncio.run(hold(kubectl, platform.name, rule))


def test_the_real_server_keeps_fields_of_others(product: Product, kubectl: Kubectl) -> None:
    async def rule(cluster: Cluster, namespace: str) -> None:
        async def write(thing: Object) -> None:
            name, data = thing["metadata"]["name"], json.dumps({"data": thing["data"]})
            kubectl("patch", "configmap", "-n", namespace, name, "--type=merge", "-p", data)

        await fields_no_longer_applied_go_and_those_of_others_stay(
            cluster, namespace, write_as_another=write
        )

    with product.room() as platform:
        asyncio.run(hold(kubectl, platform.name, rule))


async def hold(kubectl: Kubectl, namespace: str, rule: Rule) -> None:
    await config.load_kube_config(str(kubectl.kubeconfig))  # type: ignore[no-untyped-call]
    async with ApiClient() as client:
        await rule(ApiServer(client), namespace)
