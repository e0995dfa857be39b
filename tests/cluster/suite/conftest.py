"""The cluster that KUBECONFIG names, with the operator installed: once for the whole run."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import KUBECONFIG, STATE
from tests.cluster.suite.evidence import keep
from tests.cluster.suite.product import Emulator, Platform, Product, forwarded

OURS = ("mediaplatform-test", "kind-mediaplatform")  # the contexts that `make cluster` makes


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure leaves its evidence before fixtures take it away."""
    report = yield
    if report.failed:
        kept = keep(named(), item.nodeid, report.longreprtext)
        report.sections.append(("evidence", str(kept)))
    return report


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


@pytest.fixture(scope="module")
def whole(product: Product) -> Iterator[Platform]:
    """A ready platform, with database and Redis of others; tests leave it as it was.

    It is gone before the next module, which may need the room: a node that was lost or drained
    leaves little of it.
    """
    with product.room() as platform:
        platform.apply(platform.external())
        platform.wait("Ready", seconds=120)
        yield platform


def named() -> Kubectl:
    return Kubectl(Path(os.environ.get("KUBECONFIG") or KUBECONFIG))
