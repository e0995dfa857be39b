"""AWS for coroutines: the wiring blocks, so it runs in a bounded number of threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from mediaplatform_operator.release.values import USERS, Wiring
from mediaplatform_operator.resource.model import MediaPlatform
from mediaplatform_operator.wiring import iam, queues
from mediaplatform_operator.wiring.clients import Clients
from mediaplatform_operator.wiring.delete import unwire
from mediaplatform_operator.wiring.iam import AccessKey
from mediaplatform_operator.wiring.model import Change
from mediaplatform_operator.wiring.names import QUEUES, Names
from mediaplatform_operator.wiring.queues import Depth
from mediaplatform_operator.wiring.wire import Wanted, act, changes, url, wanted

THREADS = 8
P = ParamSpec("P")
T = TypeVar("T")


class Aws:
    """One set of clients per region and endpoint, shared by all resources."""

    def __init__(self, endpoint: str | None = None) -> None:
        """`endpoint` is AWS as this process reaches it, where pods reach it otherwise."""
        self._endpoint = endpoint
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")
        self._clients: dict[tuple[str, str | None], Clients] = {}

    async def wanted(self, resource: MediaPlatform, *, uid: str) -> Wanted:
        origin = f"https://{resource.spec.host}"
        return await self._run(wanted, self._of(resource), resource, uid=uid, origin=origin)

    async def changes(
        self, resource: MediaPlatform, wants: Wanted, kind: str
    ) -> tuple[Change, ...]:
        return await self._run(changes, self._of(resource), wants, kind)

    async def act(self, resource: MediaPlatform, change: Change) -> None:
        await self._run(act, self._of(resource), change)

    async def wiring(self, resource: MediaPlatform, names: Names) -> Wiring:
        """Raises Unavailable while AWS does not show a queue that was made."""
        return await self._run(_wiring, self._of(resource), names)

    async def foreseen(self, resource: MediaPlatform, names: Names) -> Wiring:
        """The same, of queues that may not be there yet. Reads only."""
        found = await self._run(_urls, self._of(resource), names)
        there = {
            f"{name}_queue_url": self._as_pods_see(resource, url) for name, url in found.items()
        }
        return replace(predicted(resource, names), **there)

    def _as_pods_see(self, resource: MediaPlatform, url: str) -> str:
        if self._endpoint is None or resource.spec.aws.endpoint is None:
            return url
        return resource.spec.aws.endpoint + urlsplit(url).path

    async def users(
        self, resource: MediaPlatform, names: Names, keys: Mapping[str, AccessKey]
    ) -> tuple[Change, ...]:
        """The users whose policy or key is not as it must be."""
        return await self._run(iam.user_changes, self._of(resource), names, USERS, keys)

    async def ensure_user(self, resource: MediaPlatform, names: Names, component: str) -> AccessKey:
        return await self._run(iam.ensure_user, self._of(resource), names, component)

    async def delete_users(self, resource: MediaPlatform, names: Names) -> None:
        await self._run(iam.delete_users, self._of(resource), names, USERS)

    async def unwire(self, resource: MediaPlatform, *, uid: str) -> tuple[str, ...]:
        return await self._run(unwire, self._of(resource), resource, uid=uid)

    async def depths(self, resource: MediaPlatform, names: Names) -> dict[str, Depth]:
        """By queue: ingest, render, ingest-dead, render-dead."""
        return await self._run(_depths, self._of(resource), names)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _of(self, resource: MediaPlatform) -> Clients:
        key = (resource.spec.aws.region, self._endpoint or resource.spec.aws.endpoint)
        if key not in self._clients:
            self._clients[key] = Clients.create(key[0], endpoint=key[1])
        return self._clients[key]

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))


def predicted(resource: MediaPlatform, names: Names) -> Wiring:
    """Where the queues will be, before they are there."""
    base = resource.spec.aws.endpoint or f"https://sqs.{names.region}.amazonaws.com"
    ingest, render = (f"{base}/{names.account}/{names.queue(name)}" for name in QUEUES)
    return Wiring(names.uploads, names.media, ingest, render)


def _wiring(clients: Clients, names: Names) -> Wiring:
    ingest, render = (url(clients, names.queue(name)) for name in QUEUES)
    return Wiring(names.uploads, names.media, ingest, render)


def _urls(clients: Clients, names: Names) -> dict[str, str]:
    found = {name: queues.url_of(clients, names.queue(name)) for name in QUEUES}
    return {name: url for name, url in found.items() if url is not None}


def _depths(clients: Clients, names: Names) -> dict[str, Depth]:
    every = {base: names.queue(base) for base in QUEUES}
    every |= {f"{base}-dead": names.dead(base) for base in QUEUES}
    counted = {label: queues.depth(clients, full) for label, full in every.items()}
    return {label: depth for label, depth in counted.items() if depth is not None}
