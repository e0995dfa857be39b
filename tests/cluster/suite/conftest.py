"""The cluster that KUBECONFIG names, with the operator installed: once for the whole run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import KUBECONFIG, STATE
from tests.cluster.suite.product import Emulator, Platform, Product, forwarded

OURS = ("mediaplatform-test", "kind-mediaplatform")  # the contexts that `make cluster` makes


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    found = Kubectl(Path(os.environ.get("KUBECONFIG") or KUBECONFIG))
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
def whole(product: Product) -> Iterator[Platform]:
    """One ready platform for the tests that leave it as it was."""
    with product.platform() as platform:
        platform.wait("Ready", seconds=120)
        yield platform


@pytest.fixture
def make(product: Product) -> Iterator[Callable[..., Platform]]:
    """Further platforms, gone after the test."""
    made: list[Any] = []

    def of(**spec: Any) -> Platform:
        context = product.platform(**spec)
        made.append(context)
        return context.__enter__()

    yield of
    for context in reversed(made):
        context.__exit__(None, None, None)
