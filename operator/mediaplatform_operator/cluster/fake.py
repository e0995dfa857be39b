"""An API server in memory, under the same contract tests as the real one.

It knows server-side apply by field managers that share no field, and lists as whole values. It
runs no controllers: what they would write, a test writes with `put`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from mediaplatform.errors import NotFound
from mediaplatform_operator.cluster.objects import KINDS, Kind, Object, kind_of
from mediaplatform_operator.cluster.port import FIELD_MANAGER

Place = tuple[str, str, str]  # plural, namespace, name


class FakeCluster:
    """`writes` tells what was written: ('apply', 'Secret', 'photos-tokens').

    `lists` tells the kinds of what was listed.
    """

    def __init__(self) -> None:
        self._objects: dict[Place, Object] = {}
        self._applied: dict[tuple[Place, str, str], Object] = {}
        self._version = 0
        self.writes: list[tuple[str, str, str]] = []
        self.lists: list[str] = []

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        return copy.deepcopy(self._objects.get((kind.plural, namespace, name)))

    async def list(self, kind: Kind, namespace: str | None, labels: str = "") -> list[Object]:
        self.lists.append(kind.name)
        return [
            copy.deepcopy(thing)
            for (plural, within, _), thing in sorted(self._objects.items())
            if plural == kind.plural
            and namespace in (None, within)
            and _matches(thing["metadata"].get("labels", {}), labels)
        ]

    async def apply(
        self, thing: Object, *, dry_run: bool = False, part: str = "", manager: str = FIELD_MANAGER
    ) -> Object:
        place = _place(thing)
        there = self._objects.get(place)
        if part and there is None:
            raise NotFound(f"{thing['kind']} {thing['metadata']['name']} is not there")
        key = place, part, manager
        before = self._applied.get(key, {})
        after = _merge(_without(copy.deepcopy(there or {}), before, thing), thing)
        if not dry_run and after != there:
            self.writes.append(("apply", thing["kind"], thing["metadata"]["name"]))
            self.put(after, grows=_spec(after) != _spec(there or {}))
            self._applied[key] = copy.deepcopy(thing)
        return copy.deepcopy(after if dry_run else self._objects[place])

    async def check(self, thing: Object) -> Object:
        there = self._objects.get(_place(thing)) or {"metadata": {"uid": str(uuid4())}}
        meta = {**there["metadata"], **thing["metadata"]}
        return copy.deepcopy({**there, **thing, "metadata": meta})

    async def knows(self, kind: Kind) -> bool:
        return kind in KINDS.values()

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str) -> None:
        there = self._objects.get((kind.plural, namespace, name))
        if there is not None and there["metadata"]["uid"] == uid:
            self.writes.append(("delete", kind.name, name))
            self.take((kind.plural, namespace, name))

    def put(self, thing: Object, *, grows: bool = False) -> Object:
        """Write an object as somebody else would, and return it."""
        self._version += 1
        meta = thing["metadata"]
        meta.setdefault("uid", str(uuid4()))
        meta["generation"] = meta.get("generation", 0) + grows
        meta["resourceVersion"] = str(self._version)
        self._objects[_place(thing)] = copy.deepcopy(thing)
        return copy.deepcopy(thing)

    def take(self, place: Place) -> None:
        """Have an object be gone."""
        self._objects.pop(place, None)
        for key in [key for key in self._applied if key[0] == place]:
            del self._applied[key]

    def __iter__(self) -> Iterator[Object]:
        return iter(copy.deepcopy(list(self._objects.values())))


def _place(thing: Object) -> Place:
    meta = thing["metadata"]
    return kind_of(thing).plural, meta.get("namespace", ""), meta["name"]


def _spec(thing: Object) -> Object:
    return {name: value for name, value in thing.items() if name not in ("metadata", "status")}


def _matches(labels: dict[str, str], selector: str) -> bool:
    """Knows `name=value` and `name in (a,b)`."""
    among = re.findall(r"([^,\s]+) in \(([^)]*)\)", selector)
    rest = re.sub(r"[^,\s]+ in \([^)]*\)", "", selector)
    equal = [part.partition("=") for part in rest.split(",") if part]
    return all(labels.get(name) in values.split(",") for name, values in among) and all(
        labels.get(name) == value for name, _, value in equal
    )


def _merge(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return copy.deepcopy(above)
    return {**below, **{name: _merge(below.get(name), value) for name, value in above.items()}}


def _without(there: Any, before: Any, now: Any) -> Any:
    """Without what was applied before and is not any more."""
    if not all(isinstance(value, dict) for value in (there, before, now)):
        return there
    return {
        name: _without(value, before.get(name), now.get(name))
        for name, value in there.items()
        if name not in before or name in now
    }
