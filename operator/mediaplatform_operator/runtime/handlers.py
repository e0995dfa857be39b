"""What kopf calls: it watches, and keeps the finalizer; all else is ours."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import kopf

from mediaplatform_operator.cluster.keep import MANAGED_BY, OURS
from mediaplatform_operator.cluster.objects import DEPLOYMENT, JOB, STATEFUL_SET, Kind, Object
from mediaplatform_operator.resource.model import GROUP, KIND, VERSION
from mediaplatform_operator.runtime.backlog import Backlog
from mediaplatform_operator.runtime.health import Health
from mediaplatform_operator.runtime.platforms import Platforms

PLURAL = "mediaplatforms"
FINALIZER = f"{GROUP}/operator"
WATCHED = (DEPLOYMENT, STATEFUL_SET, JOB)  # the rest is looked at by each pass
REMOVE_AGAIN_S = (2.0, 4.0, 8.0, 15.0)
SERVER_TIMEOUT_S, CLIENT_TIMEOUT_S, CONNECT_TIMEOUT_S = 300, 310, 10
SELECTOR = f"{MANAGED_BY}={OURS}"


def settings() -> kopf.OperatorSettings:
    """Bounded watches, progress in annotations of our own, and our own finalizer."""
    found = kopf.OperatorSettings()
    found.peering.standalone = True
    found.persistence.finalizer = FINALIZER
    found.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=f"operator.{GROUP}")
    found.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=f"operator.{GROUP}")
    found.watching.server_timeout = SERVER_TIMEOUT_S
    found.watching.client_timeout = CLIENT_TIMEOUT_S
    found.watching.connect_timeout = CONNECT_TIMEOUT_S
    for kind in WATCHED:
        found.watching.label_selectors[_group(kind), _version(kind), kind.plural] = SELECTOR
    found.posting.reporting_component = OURS
    found.posting.event_name_prefix = "mediaplatform-"
    found.posting.default_backoffs = (1.0, 5.0)  # events are lost rather than retried for long
    found.process.ultimate_exiting_timeout = 30
    return found


def registry(platforms: Platforms, backlog: Backlog, health: Health) -> kopf.OperatorRegistry:
    handlers = kopf.OperatorRegistry()
    kopf.on.login(registry=handlers)(_login)
    ours: dict[str, Any] = {"group": GROUP, "version": VERSION, "plural": PLURAL}
    _watch_platforms(handlers, ours, platforms, health)
    _keep_platforms(handlers, ours, platforms, backlog)
    for kind in WATCHED:
        _watch_owned(handlers, kind, platforms)
    return handlers


def _login(**given: Any) -> kopf.ConnectionInfo | None:
    return kopf.login_with_service_account(**given) or kopf.login_with_kubeconfig(**given)


def _watch_platforms(
    handlers: kopf.OperatorRegistry, ours: dict[str, Any], platforms: Platforms, health: Health
) -> None:
    seen: dict[str, object] = {}

    @kopf.on.event(**ours, registry=handlers, id="told")
    async def told(event: Any, **_: Any) -> None:
        meta = event["object"]["metadata"]
        uid = meta["uid"]
        health.told(uid, meta["resourceVersion"])
        if event.get("type") == "DELETED":
            seen.pop(uid, None)
        elif seen.get(uid) != meta.get("generation"):  # not for a status that we wrote ourselves
            seen[uid] = meta.get("generation")
            platforms.wake(uid)


def _keep_platforms(
    handlers: kopf.OperatorRegistry, ours: dict[str, Any], platforms: Platforms, backlog: Backlog
) -> None:
    # The ids become names of annotations.
    @kopf.daemon(
        **ours, registry=handlers, id="keep", cancellation_backoff=10.0, cancellation_timeout=5.0
    )
    async def keep(body: kopf.Body, stopped: Any, **_: Any) -> None:
        counting = asyncio.create_task(backlog.watch(lambda: _plain(body)))
        try:
            await platforms.keep(lambda: _plain(body), stopped.is_set, stopped.wait)
        finally:
            counting.cancel()

    @kopf.on.delete(**ours, registry=handlers, id="delete")
    async def delete(body: kopf.Body, retry: int, **_: Any) -> None:
        waits = await platforms.remove(_plain(body))
        if waits:
            delay = REMOVE_AGAIN_S[min(retry, len(REMOVE_AGAIN_S) - 1)]
            raise kopf.TemporaryError(waits, delay=delay)


def _watch_owned(handlers: kopf.OperatorRegistry, kind: Kind, platforms: Platforms) -> None:
    @kopf.on.event(
        group=_group(kind), version=_version(kind), plural=kind.plural,
        labels={MANAGED_BY: OURS}, registry=handlers, id=kind.plural,
    )  # fmt: skip
    async def changed(meta: Any, **_: Any) -> None:
        for owner in meta.get("ownerReferences", ()):
            if owner["kind"] == KIND:
                platforms.wake(owner["uid"])


def _group(kind: Kind) -> str:
    return kind.api_version.rpartition("/")[0]


def _version(kind: Kind) -> str:
    return kind.api_version.rpartition("/")[2]


def _plain(body: kopf.Body) -> Object:
    """A copy: the watch goes on writing to what it hands out."""
    return copy.deepcopy(dict(body))
