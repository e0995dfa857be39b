"""One operator acts at a time: the one that holds the Lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import ClientError
from kubernetes.aio.client import ApiClient, V1Lease, V1ObjectMeta
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.leaderelection.electionconfig import Config
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

NAME = "mediaplatform-operator"
DURATION_S, RENEW_S, RETRY_S = 15, 10, 2
log = structlog.get_logger()


async def under_lease(
    client: ApiClient, *, namespace: str, identity: str, lead: Callable[[], Awaitable[None]]
) -> None:
    """Wait for the Lease, then `lead`; returns when that ends or the Lease is lost.

    The Lease is handed back at the end, so that the next one need not wait for it to expire.
    """
    lock = _Lock(NAME, namespace, identity, client)
    leading: list[asyncio.Task[None]] = []
    ended = asyncio.Event()

    async def start() -> None:
        log.info("leads", identity=identity)
        leading.append(asyncio.ensure_future(lead()))
        try:
            await asyncio.wait(leading)
        finally:
            ended.set()

    config = Config(
        lock, lease_duration=DURATION_S, renew_deadline=RENEW_S, retry_period=RETRY_S,
        onstarted_leading=start, onstopped_leading=_say_lost,
    )  # fmt: skip
    election = asyncio.create_task(LeaderElection(config).run())
    until = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait((election, until), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (election, until, *leading):
            task.cancel()
        results = await asyncio.gather(election, until, *leading, return_exceptions=True)
        await _hand_back(lock, namespace, identity)
    for result in results:
        if isinstance(result, Exception):
            raise result


class _Lock(LeaseLock):
    """An API server out of reach is a failed try, and no end of the election."""

    async def get(self, name: str, namespace: str) -> Any:
        try:
            return await super().get(name, namespace)
        except (ClientError, OSError) as fault:
            return False, ApiException(status=0, reason=str(fault) or type(fault).__name__)

    async def create(self, name: str, namespace: str, election_record: Any) -> bool:
        # Not the library's: that of version 37.0.1 asks for pretty=True, which its own API refuses.
        lease = V1Lease(metadata=V1ObjectMeta(name=name), spec=self.update_lease(election_record))
        try:
            await self.api_instance.create_namespaced_lease(namespace, lease)
        except (ApiException, ClientError, OSError) as fault:
            log.warning("the Lease was not created", why=str(fault).split("\n")[0])
            return False
        return True

    async def update(self, name: str, namespace: str, updated_record: Any) -> bool:
        try:
            return bool(await super().update(name, namespace, updated_record))
        except (ClientError, OSError):
            return False


async def _say_lost() -> None:
    log.warning("the Lease was lost")


async def _hand_back(lock: LeaseLock, namespace: str, identity: str) -> None:
    try:
        lease = await lock.api_instance.read_namespaced_lease(NAME, namespace)
        if lease.spec is not None and lease.spec.holder_identity == identity:
            lease.spec.holder_identity = None
            await lock.api_instance.replace_namespaced_lease(NAME, namespace, lease)
    except (ApiException, ClientError, OSError) as fault:
        log.warning("the Lease was not handed back", why=str(fault).split("\n")[0])
