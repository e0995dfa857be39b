"""The whole way: observe, plan, act. Everything here blocks; async callers use a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mediaplatform.errors import Conflict, Unavailable
from mediaplatform_operator.resource.model import MediaPlatform
from mediaplatform_operator.wiring import buckets, queues
from mediaplatform_operator.wiring.clients import Clients
from mediaplatform_operator.wiring.model import Change, Owner, Seen, Wish
from mediaplatform_operator.wiring.names import Names
from mediaplatform_operator.wiring.plan import Adoption, Observed, plan
from mediaplatform_operator.wiring.wishes import wishes

TRIES = 4
RETRY_S = 0.25
_OBSERVERS: Mapping[str, Callable[[Clients, Wish], Seen | None]] = {
    "queue": queues.observe,
    "bucket": buckets.observe,
}
_WRITERS: Mapping[str, Callable[[Clients, Change], None]] = {
    "queue": queues.write,
    "bucket": buckets.write,
}


@dataclass(frozen=True)
class Wired:
    """What the services need to know, and what was done to get there."""

    names: Names
    ingest_queue_url: str
    render_queue_url: str
    ingest_dead_url: str
    render_dead_url: str
    changes: tuple[Change, ...]


def observe(clients: Clients, chosen: Sequence[Wish]) -> Observed:
    """What is there of what is wanted."""
    found = {(wish.kind, wish.name): _OBSERVERS[wish.kind](clients, wish) for wish in chosen}
    return {key: seen for key, seen in found.items() if seen is not None}


@dataclass(frozen=True)
class Wanted:
    """What a resource wants of AWS, and under which names."""

    names: Names
    owner: Owner
    wishes: tuple[Wish, ...]
    adoption: Adoption


def wanted(clients: Clients, resource: MediaPlatform, *, uid: str, origin: str) -> Wanted:
    """`uid` is the resource's own, `origin` the page's. Raises NotAllowed or Unavailable."""
    names = Names.of(resource, uid=uid, account=clients.account())
    owner = Owner(uid, f"{resource.metadata.namespace}/{resource.metadata.name}")
    every = wishes(resource, names, owner, origin=origin)
    return Wanted(names, owner, every, resource.spec.storage.adoption)


def changes(clients: Clients, wants: Wanted, kind: str | None = None) -> tuple[Change, ...]:
    """What is to change, of queues or buckets only if a kind is given. Reads only.

    Raises Conflict, NotAllowed, Throttled or Unavailable.
    """
    chosen = [wish for wish in wants.wishes if kind in (None, wish.kind)]
    return plan(chosen, observe(clients, chosen), wants.owner, wants.adoption)


def wire(clients: Clients, resource: MediaPlatform, *, uid: str, origin: str) -> Wired:
    """Make S3 and SQS what the resource says; where they are, nothing is written.

    Raises Conflict, NotAllowed, Throttled or Unavailable; what was done until then stays, and the
    next run goes on from there.
    """
    wants = wanted(clients, resource, uid=uid, origin=origin)
    todo = changes(clients, wants)
    for change in todo:
        act(clients, change)
    names = wants.names
    return Wired(
        names,
        url(clients, names.queue("ingest")),
        url(clients, names.queue("render")),
        url(clients, names.dead("ingest")),
        url(clients, names.dead("render")),
        todo,
    )


def act(clients: Clients, change: Change) -> None:
    """A queue's new policy takes AWS a moment to be seen by S3, and a new bucket by others."""
    for attempt in range(1, TRIES + 1):
        try:
            _WRITERS[change.kind](clients, change)
        except (Unavailable, Conflict):
            if attempt == TRIES:
                raise
            time.sleep(RETRY_S * 2**attempt)
        else:
            return


def url(clients: Clients, name: str) -> str:
    """Of a queue that was made. Raises Unavailable while AWS does not show it."""
    found = queues.url_of(clients, name)
    if found is None:
        raise Unavailable(f"queue {name} is not there yet: AWS shows a new queue within a minute")
    return found
