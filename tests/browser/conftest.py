from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.product import product


@pytest.fixture(scope="session")
def product_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with product(tmp_path_factory.mktemp("product")) as url:
        yield url
