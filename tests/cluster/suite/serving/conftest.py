"""One platform under load; what a test changes of it, it changes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.suite.load import serving
from tests.cluster.suite.product import Platform, Product


@pytest.fixture(scope="package")
def platform(product: Product) -> Iterator[Platform]:
    with serving(product) as platform:
        yield platform
