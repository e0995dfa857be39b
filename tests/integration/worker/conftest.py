"""A worker on real servers, with a sandbox of real processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.platform import Bench

from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.database import Database
from mediaplatform_worker.sandbox.client import ProcessSandbox


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[ProcessSandbox]:
    async with ProcessSandbox(tmp_path) as sandbox:
        yield sandbox


@pytest.fixture
async def bench(database: Database, aws: Aws) -> Bench:
    return await Bench.make(database, aws)
