"""Without metrics nobody knows how much there is to do: replicas stay as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.cluster.run import until
from tests.cluster.suite.product import Platform

pytestmark = pytest.mark.load

PROMETHEUS_LOST_S, ADAPTER_LOST_S = 120, 30
BOTH = ("api", "ingest")
SCALED_UP, FEWEST = 4, 2
SAID_S = 60
READY_S = 60
BACK_S = 150


def test_losing_the_adapter_and_prometheus_for_two_minutes_holds_the_replicas(
    platform: Platform,
) -> None:
    """With metrics, these workers of an idle platform would be taken away within half a minute."""
    platform.change(replicas(SCALED_UP))
    platform.wait("Ready", seconds=READY_S)
    until(lambda: scales(platform) == {"True"}, seconds=SAID_S, what="autoscalers know nothing")
    with ExitStack() as stack:
        with without(platform, "adapter"):
            said = seconds_until(platform, "False", SAID_S)
            platform.change(replicas(FEWEST))
            platform.wait("Ready", seconds=READY_S)
            hold(platform, seconds=ADAPTER_LOST_S)
            stack.enter_context(without(platform, "prometheus"))
        hold(platform, seconds=PROMETHEUS_LOST_S)
    began = time.monotonic()
    seen = seconds_until(platform, "True", BACK_S)
    until(
        lambda: [platform.replicas(one) for one in BOTH] == [FEWEST, FEWEST],
        seconds=BACK_S, what="too many workers stay",
    )  # fmt: skip
    print(f"said after {said:.0f} s, seen again after {seen:.0f} s, "
          f"{FEWEST} again after {time.monotonic() - began:.0f} s")  # fmt: skip


def hold(platform: Platform, *, seconds: float) -> None:
    """So long nothing is scaled, and the autoscalers say why."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert [platform.replicas(one) for one in BOTH] == [SCALED_UP, SCALED_UP]
        assert scales(platform) == {"False"}


def seconds_until(platform: Platform, active: str, most: float) -> float:
    """Until all autoscalers say so of ScalingActive."""
    began = time.monotonic()
    until(lambda: scales(platform) == {active}, seconds=most, what=lambda: f"{scales(platform)}")
    return time.monotonic() - began


def replicas(fewest: int) -> dict[str, object]:
    spec = {"replicas": {"min": fewest}}
    return {"api": spec, "workers": {"ingest": spec}}


@contextmanager
def without(platform: Platform, name: str) -> Iterator[None]:
    def scale(pods: int) -> None:
        platform.kubectl("scale", "-n", "monitoring", f"deployment/{name}", f"--replicas={pods}")
        platform.kubectl(
            "rollout", "status", "-n", "monitoring", f"deployment/{name}", "--timeout=90s",
            timeout=95,
        )  # fmt: skip

    scale(0)
    try:
        yield
    finally:
        scale(1)


def scales(platform: Platform) -> set[str]:
    """What the autoscalers of API and workers say of ScalingActive."""
    return {
        condition["status"]
        for one in BOTH
        for condition in platform.get("hpa", f"{platform.name}-{one}")["status"]["conditions"]
        if condition["type"] == "ScalingActive"
    }
