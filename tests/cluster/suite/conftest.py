"""The cluster that KUBECONFIG names, with the operator installed: once for the whole run."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import KUBECONFIG, STATE
from tests.cluster.suite.evidence import keep, told
from tests.cluster.suite.product import Emulator, Platform, Product, forwarded

READY_S = 120
OURS = ("mediaplatform-test", "kind-mediaplatform")  # the contexts that `make cluster` makes


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure leaves its evidence before fixtures take it away."""
    report = yield
    if report.failed:
        kept = keep(named(), item.nodeid, report.longreprtext)
        report.sections.append(("evidence", "\n".join([str(kept), *told(named(), kept)])))
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Load and loss come last."""
    items.sort(key=lambda item: item.get_closest_marker("load") is not None)


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    found = named()
    context = found("config", "current-context").strip()
    assert context.startswith(OURS), f"{context} is not a cluster that `make cluster` made"
    return found


@pytest.fixture(scope="session")
def emulator(kubectl: Kubectl) -> Iterator[Emulator]:
    cloud = json.loads((STATE / "cloud.json").read_text())["emulator"]
    with forwarded(kubectl, "aws", "service/aws", 4566) as url:
        yield Emulator(url, (cloud["access-key-id"], cloud["secret-access-key"]))


@pytest.fixture(scope="session")
def product(kubectl: Kubectl, emulator: Emulator) -> Product:
    product = Product(kubectl, emulator)
    product.install()
    return product


@pytest.fixture(scope="session")
def shared() -> Iterator[ExitStack]:
    """What modules share until the first one that puts load or loss on the cluster."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def begun(product: Product, shared: ExitStack) -> tuple[Platform, Platform]:
    """Two platforms that become ready beside each other."""
    external = shared.enter_context(product.room())
    external.apply(external.external())
    return external, shared.enter_context(product.platform())


@pytest.fixture(scope="session")
def whole(begun: tuple[Platform, Platform]) -> Platform:
    """A ready platform, with database and Redis of others; tests leave it as it was."""
    begun[0].wait("Ready", seconds=READY_S)
    return begun[0]


@pytest.fixture(scope="session")
def evaluated(begun: tuple[Platform, Platform]) -> Platform:
    """A ready platform with its own database and Redis; tests leave it as it was."""
    begun[1].wait("Ready", seconds=READY_S)
    return begun[1]


@pytest.fixture(scope="module", autouse=True)
def alone(request: pytest.FixtureRequest, shared: ExitStack) -> None:
    """Load and loss have the cluster for themselves."""
    if request.node.get_closest_marker("load"):
        shared.close()


def named() -> Kubectl:
    return Kubectl(Path(os.environ.get("KUBECONFIG") or KUBECONFIG))
