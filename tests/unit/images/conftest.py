from __future__ import annotations

import pytest

from mediaplatform_worker.images.decode import prepare


@pytest.fixture(scope="session", autouse=True)
def decoders() -> None:
    prepare()
