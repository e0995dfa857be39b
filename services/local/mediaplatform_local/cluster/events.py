"""What Kubernetes was told about a resource and about what it made, newest last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from mediaplatform_local.cluster.reach import platform
from mediaplatform_operator.cluster.objects import EVENT, PLATFORM, Object
from mediaplatform_operator.cluster.port import Cluster

LOOK_S = 2.0
MAKES_PODS = ("Deployment", "StatefulSet", "Job")
PODS = ("Pod", "ReplicaSet")


@dataclass(frozen=True)
class Told:
    """An event as it was last told; `times` counts how often."""

    uid: str
    at: str  # RFC 3339, UTC
    type: str  # 'Normal' or 'Warning'
    reason: str
    about: str  # 'Deployment photos-api'
    message: str
    times: int = 1

    @classmethod
    def of(cls, event: Object) -> Told:
        series, meta, about = event.get("series") or {}, event["metadata"], event["involvedObject"]
        moments = (series.get("lastObservedTime"), event.get("lastTimestamp"),
                   event.get("eventTime"), meta.get("creationTimestamp"))  # fmt: skip
        at = next((moment for moment in moments if moment), "")
        return cls(
            meta["uid"], f"{at[:19]}Z" if at else "", event.get("type") or "Normal",
            event.get("reason") or "", f"{about.get('kind')} {about.get('name')}",
            " ".join((event.get("message") or "").split()),
            series.get("count") or event.get("count") or 1,
        )  # fmt: skip


async def events(cluster: Cluster, thing: Object) -> list[Told]:
    """Of the resource, of what its inventory names, and of their pods."""
    found = await cluster.list(EVENT, thing["metadata"]["namespace"])
    told = [Told.of(event) for event in found if _concerns(event, thing)]
    return sorted(told, key=lambda it: (it.at, it.uid))


async def follow(cluster: Cluster, namespace: str, name: str) -> AsyncIterator[Told]:
    """Those that are there, then each as it comes. Raises NotFound once the resource is gone."""
    seen: set[tuple[str, int]] = set()
    while True:
        for told in await events(cluster, await platform(cluster, namespace, name)):
            if (told.uid, told.times) not in seen:
                seen.add((told.uid, told.times))
                yield told
        await asyncio.sleep(LOOK_S)


def lines(every: Iterable[Told]) -> list[str]:
    """A line for each; what is from the cluster cannot steer a terminal."""
    return ["".join(sign if sign.isprintable() else "?" for sign in _line(told)) for told in every]


def _line(told: Told) -> str:
    often = f" (x{told.times})" if told.times > 1 else ""
    return f"{told.at}  {told.type:7}  {told.reason:20}  {told.about}: {told.message}{often}"


def _concerns(event: Object, thing: Object) -> bool:
    about = event["involvedObject"]
    kind, name = about.get("kind"), str(about.get("name"))
    if kind == PLATFORM.name:
        return bool(name == thing["metadata"]["name"])
    made = [(item["kind"], item["name"]) for item in thing.get("status", {}).get("inventory", ())]
    if kind in PODS:
        return any(of in MAKES_PODS and name.startswith(f"{owner}-") for of, owner in made)
    return (kind, name) in made
