"""The API with S3 and SQS in memory, the operator with Kubernetes in memory; all else is real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx2
import pytest
from tests.support.api import BASE
from tests.support.helm import helm
from tests.support.operator import Operated, operated, resource, secret
from tests.support.seed import add_user
from tests.support.wiring import ORIGIN, clients_of, make

from mediaplatform.platform.adapters.cache import RedisCache
from mediaplatform.platform.database import Database
from mediaplatform.platform.fakes.clock import FakeClock
from mediaplatform.platform.fakes.objects import MemoryBucket
from mediaplatform.platform.fakes.queue import MemoryQueue
from mediaplatform_api.app import make_app
from mediaplatform_api.services import Outside, Services, make_services
from mediaplatform_local.servers.emulator import ROOT_KEY, Emulator
from mediaplatform_operator.cluster.fake import FakeCluster
from mediaplatform_operator.cluster.nodes import Nodes
from mediaplatform_operator.configuration import CHART, Configuration
from mediaplatform_operator.reconcile.aws import Aws
from mediaplatform_operator.reconcile.backends import RealBackends
from mediaplatform_operator.reconcile.parts import Parts
from mediaplatform_operator.release.chart import Chart
from mediaplatform_operator.wiring.clients import Clients
from mediaplatform_operator.wiring.wire import Wired, wire


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def uploads() -> MemoryBucket:
    return MemoryBucket("uploads")


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def services(
    database: Database,
    cache: RedisCache,
    uploads: MemoryBucket,
    queue: MemoryQueue,
    clock: FakeClock,
    database_url: str,
    redis_url: str,
) -> Services:
    settings = replace(
        BASE,
        public_url="http://photos.test",
        database_url=database_url,
        redis_url=redis_url,
        aws_endpoint=None,
        storage_per_user=10_000,
        upload_bytes=5_000,
        requests_per_minute=600,
    )
    outside = Outside(database, cache, uploads, MemoryBucket("media"), queue, clock)
    return make_services(settings, outside)


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=make_app(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://photos.test") as client:
        yield client


@pytest.fixture
async def owner(database: Database) -> UUID:
    return await add_user(database)


@pytest.fixture
def root(emulator: Emulator) -> Clients:
    return clients_of(emulator, ROOT_KEY, emulator.root_secret)


@pytest.fixture
def uid() -> str:
    return str(uuid4())


@pytest.fixture
def wired(root: Clients, emulator: Emulator, uid: str) -> Wired:
    return wire(root, make(emulator, uid), uid=uid, origin=ORIGIN)


@pytest.fixture(scope="session")
def chart() -> Chart:
    return Chart(CHART, helm())


@pytest.fixture
def parts(emulator: Emulator, chart: Chart, monkeypatch: pytest.MonkeyPatch) -> Parts:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ROOT_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", emulator.root_secret)
    configuration = Configuration(
        aws_endpoint=emulator.endpoint, aws_identities="Users", images_tag="test"
    )
    cluster = FakeCluster()
    return Parts(cluster, Aws(), RealBackends(), chart, configuration, Nodes(cluster))


@pytest.fixture
def platform(parts: Parts, database_url: str, redis_url: str) -> Operated:
    """With a database and a Redis of others, as in production."""
    thing = resource(
        host="photos.example.com",
        database={"external": {"secret": "db"}},
        redis={"external": {"secret": "cache"}},
    )
    return operated(parts, thing, secret("db", url=database_url), secret("cache", url=redis_url))
