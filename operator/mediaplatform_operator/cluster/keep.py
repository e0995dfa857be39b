"""From wanted objects and live ones to what has to change, and doing it.

The API server itself says what an object would become, by a dry run of the server-side apply; so
defaults, quantities and fields of others are no differences. Where an object and our wish for it
are as they were when the server last said so, it is not asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mediaplatform.errors import Conflict
from mediaplatform_operator.cluster.objects import (
    DEPLOYMENT,
    INSTANCE,
    OWNED,
    Key,
    Object,
    content,
    digest,
    is_owned,
    kind_of,
)
from mediaplatform_operator.cluster.port import Cluster
from mediaplatform_operator.wiring.model import ABSENT, ADOPT_TAG, EXISTENCE, Change

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = "mediaplatform-operator"
STARTER = f"{OURS}-start"  # of fields; those of OURS are all that it wishes for, now and later
HIDDEN = "(secret)"


@dataclass(frozen=True)
class Edit:
    """One object to apply or to delete, and what that changes."""

    thing: Object
    changes: tuple[Change, ...]
    delete: bool = False
    ours: bool = False  # we want something else than before; others changed nothing
    start: Object | None = None  # applied once, and left to others from then on


@dataclass
class Settled:
    """What the API server said is as wanted: digests of our wish and of the object."""

    known: dict[Key, tuple[str, str]] = field(default_factory=dict)

    def holds(self, wish: Object, live: Object) -> bool:
        return self.known.get(Key.of(wish)) == (digest(wish), digest(content(live)))

    def wanted_else(self, wish: Object) -> bool:
        """Whether our wish is another one than when the object was last as wanted."""
        known = self.known.get(Key.of(wish))
        return known is not None and known[0] != digest(wish)

    def note(self, wish: Object, live: Object) -> None:
        self.known[Key.of(wish)] = (digest(wish), digest(content(live)))


async def owned_objects(cluster: Cluster, owner: Object) -> dict[Key, Object]:
    """Every object of the owner's, by key."""
    meta = owner["metadata"]
    labels = f"{INSTANCE}={meta['name']},{MANAGED_BY}={OURS}"
    found = {}
    for kind in OWNED:
        for thing in await cluster.list(kind, meta["namespace"], labels):
            if is_owned(thing, meta["uid"]):
                found[Key.of(thing)] = thing
    return found


async def edits(
    cluster: Cluster,
    wishes: Sequence[Object],
    live: Mapping[Key, Object],
    owner: Object,
    settled: Settled,
) -> tuple[Edit, ...]:
    """What to apply, in the order of the wishes. Reads only.

    Raises Conflict for an object of that name that is not the owner's.
    """
    least = dict(map(_least, filter(_is_autoscaler, wishes)))
    found = [await _edit(cluster, wish, live, owner, settled) for wish in wishes]
    return tuple(_started(edit, least) for edit in found if edit is not None)


def leftovers(wishes: Sequence[Object], live: Mapping[Key, Object]) -> tuple[Edit, ...]:
    """What is ours and no longer wanted."""
    wanted = {Key.of(wish) for wish in wishes}
    return tuple(
        Edit(
            thing,
            (_existence(key, "it is no longer wanted", "there", None),),
            delete=True,
            ours=True,
        )
        for key, thing in live.items()
        if key not in wanted
    )


async def act(cluster: Cluster, edit: Edit) -> Object | None:
    """The object as it is then; None for one that was deleted."""
    meta = edit.thing["metadata"]
    if edit.delete:
        kind = kind_of(edit.thing)
        await cluster.delete(kind, meta["namespace"], meta["name"], uid=meta["uid"])
        return None
    made = await cluster.apply(edit.thing)
    return await cluster.apply(edit.start, manager=STARTER) if edit.start else made


async def _edit(
    cluster: Cluster,
    wish: Object,
    live: Mapping[Key, Object],
    owner: Object,
    settled: Settled,
) -> Edit | None:
    key = Key.of(wish)
    there = live.get(key)
    if there is None:  # not there, or without our labels
        there = await cluster.get(kind_of(wish), wish["metadata"]["namespace"], key.name)
        if there is None:
            return Edit(wish, (_existence(key, ABSENT, None, "there"),))
        _check_owner(there, owner)
    if settled.holds(wish, there):
        return None
    would = await cluster.apply(wish, dry_run=True)
    found = tuple(differences(key, content(there), content(would)))
    if found:
        return Edit(wish, found, ours=settled.wanted_else(wish))
    settled.note(wish, there)
    return None


def _is_autoscaler(wish: Object) -> bool:
    return wish["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}


def _least(autoscaler: Object) -> tuple[Key, int]:
    """What it scales, and the fewest replicas of that."""
    spec = autoscaler["spec"]
    target = spec["scaleTargetRef"]
    fewest = spec.get("minReplicas") or spec.get("minReplicaCount") or 1
    return Key(target.get("kind", DEPLOYMENT.name), target["name"]), fewest


def _started(edit: Edit, least: Mapping[Key, int]) -> Edit:
    """What is new begins with its fewest replicas, and does not wait for its autoscaler to look."""
    wish, key = edit.thing, Key.of(edit.thing)
    if key not in least or edit.changes[0].setting != EXISTENCE:
        return edit
    meta = {name: wish["metadata"][name] for name in ("name", "namespace")}
    start = {"apiVersion": wish["apiVersion"], "kind": wish["kind"], "metadata": meta}
    return replace(edit, start={**start, "spec": {"replicas": least[key]}})


def _existence(key: Key, why: str, before: str | None, after: str | None) -> Change:
    return Change(key.kind, key.name, EXISTENCE, why, before, after)


def _check_owner(thing: Object, owner: Object) -> None:
    meta = owner["metadata"]
    if is_owned(thing, meta["uid"]):
        return
    name = f"{meta['namespace']}/{meta['name']}"
    if thing["metadata"].get("annotations", {}).get(ADOPT_TAG) == name:
        return
    raise Conflict(
        f"{Key.of(thing)} exists and is not ours: delete it, or annotate it {ADOPT_TAG}={name} "
        "to have it adopted"
    )


def differences(key: Key, before: Any, after: Any) -> Iterator[Change]:
    """Field by field; what a Secret holds is not shown."""
    for path, was, will in leaves("", before, after):
        hidden = key.kind == "Secret" and path.startswith("data")
        shown = [HIDDEN if hidden and value is not None else value for value in (was, will)]
        yield Change(key.kind, key.name, path, "it differs from the resource", *shown)


def leaves(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """What differs below this path, as deep as both have fields."""
    if before == after:
        return
    before, after = _by_name(before), _by_name(after)
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            below = f"{path}.{name}" if path else str(name)
            yield from leaves(below, before.get(name), after.get(name))
    else:
        yield path, before, after


def _by_name(value: Any) -> Any:
    """A list whose entries have names, as a mapping: so that an insertion moves no others."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return value
    names = [item.get("name") for item in value]
    if None in names or len(set(names)) < len(names):
        return value
    return dict(zip(names, value, strict=True))
