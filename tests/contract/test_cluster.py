from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from tests.contract.cluster import CONTRACT, fields_no_longer_applied_go_and_those_of_others_stay

from mediaplatform_operator.cluster.fake import FakeCluster
from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.cluster.port import Cluster

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: str(rule.__name__))
async def test_the_fake_keeps(rule: Callable[[Cluster, str], Awaitable[None]]) -> None:
    await rule(FakeCluster(), "contract")


async def test_the_fake_keeps_fields_of_others() -> None:
    cluster = FakeCluster()

    async def write(thing: Object) -> None:
        cluster.put(thing, grows=True)

    await fields_no_longer_applied_go_and_those_of_others_stay(
        cluster, "contract", write_as_another=write
    )
