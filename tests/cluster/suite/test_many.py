"""A hundred resources under one operator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.run import until
from tests.cluster.suite.product import GROUP, OPERATOR, Product, forwarded
from tests.cluster.suite.scrape import samples

pytestmark = pytest.mark.load

RESOURCES = 100
MEMORY_BYTES = 250 * 1024**2
PASS_S = 2.0
PASSES = "mediaplatform_operator_reconciles_total"
SECONDS = "mediaplatform_operator_reconcile_seconds_bucket"


@pytest.fixture
def namespace(product: Product) -> Iterator[str]:
    with product.room() as platform:
        platform.external()
        yield platform.name


def test_a_hundred_are_looked_after_in_little_memory_and_time(
    product: Product, namespace: str
) -> None:
    with forwarded(product.kubectl, OPERATOR, f"deployment/{OPERATOR}", 9090) as url:
        product.kubectl.apply_all([
            {"apiVersion": GROUP, "kind": "MediaPlatform",
             "metadata": {"name": f"many-{number}", "namespace": namespace},
             "spec": {"host": f"many-{number}.mediaplatform.test", "mode": "Observe",
                      "database": {"external": {"secret": "db"}},
                      "redis": {"external": {"secret": "cache"}}}}
            for number in range(RESOURCES)
        ])  # fmt: skip

        def seen(times: int) -> int:
            """Resources that had so many passes."""
            return sum(
                sample.value >= times
                for sample in samples(url, PASSES)
                if sample.labels["namespace"] == namespace
                and sample.labels["result"] == "Observing"
            )

        until(lambda: seen(1) == RESOURCES, seconds=180, what=lambda: f"{seen(1)} seen")
        before = buckets(url)
        until(lambda: seen(2) == RESOURCES, seconds=240, what=lambda: f"{seen(2)} again")
        assert quantile(before, buckets(url), 0.95) <= PASS_S
        [memory] = samples(url, "process_resident_memory_bytes")
        print(f"operator with {RESOURCES} resources: {memory.value / 1024**2:.0f} MiB")
        assert memory.value < MEMORY_BYTES
        results = {sample.labels["result"] for sample in samples(url, PASSES)
                   if sample.labels["namespace"] == namespace}  # fmt: skip
        assert results == {"Observing"}
    [one] = product.kubectl.get("mp", "-n", namespace, "--field-selector",
                                "metadata.name=many-7")["items"]  # fmt: skip
    assert len(one["status"]["plan"]) > 50


def buckets(url: str) -> dict[float, float]:
    """Passes by the bound that they kept, in seconds."""
    return {float(sample.labels["le"]): sample.value for sample in samples(url, SECONDS)}


def quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """The least bound that such a share of the passes in between kept."""
    passes = {bound: after[bound] - before[bound] for bound in after}
    total = passes[float("inf")]
    return min(bound for bound, count in passes.items() if count >= share * total)
