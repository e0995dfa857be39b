"""The operator that runs in the cluster: how it is configured, so that a plan is its plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Any

import yaml

from mediaplatform.errors import MediaPlatformError
from mediaplatform_operator.cluster.objects import CONFIG_MAP, DEPLOYMENT, Object
from mediaplatform_operator.cluster.port import Cluster
from mediaplatform_operator.configuration import PREFIX, Configuration

LABELS = "app.kubernetes.io/name=mediaplatform-operator"
ELSEWHERE = (f"{PREFIX}VALUES_FILE", f"{PREFIX}CHART")  # files of its own pod


@dataclass(frozen=True)
class Installed:
    configuration: Configuration
    remarks: tuple[str, ...] = ()


async def installed(cluster: Cluster, namespace: str) -> Installed:
    """The settings of the operator that looks after this namespace; defaults where none is seen."""
    try:
        found = await cluster.list(DEPLOYMENT, None, LABELS)
    except MediaPlatformError as fault:
        return _defaults(f"the operator's settings cannot be read ({fault.message})")
    every = [(thing, _environment(thing)) for thing in found]
    looking = [(thing, env) for thing, env in every if _watches(env, namespace)]
    if not looking:
        return _defaults(f"no operator looks after namespace {namespace}")
    thing, environment = looking[0]
    remarks = list(_other_version(thing))
    if len(looking) > 1:
        remarks.append(f"several operators look after namespace {namespace}; {_name(thing)} counts")
    try:
        values = await _values(cluster, thing)
    except MediaPlatformError as fault:
        values = {}
        remarks.append(f"the operator's values of the chart cannot be read ({fault.message})")
    return Installed(
        replace(Configuration.from_environment(environment), values=values), tuple(remarks)
    )


def _defaults(why: str) -> Installed:
    return Installed(Configuration(), (f"{why}: the plan is for the operator's defaults",))


def _other_version(thing: Object) -> Iterator[str]:
    theirs = thing["metadata"]["labels"].get("app.kubernetes.io/version")
    if theirs != version("mediaplatform"):
        yield (
            f"the operator is of version {theirs}, and this program is not: their charts may differ"
        )


def _environment(thing: Object) -> dict[str, str]:
    """What its container gets as plain values, without what names files of the pod."""
    return {
        item["name"]: item["value"]
        for item in _container(thing).get("env", ())
        if item.get("value") and item["name"] not in ELSEWHERE
    }


def _watches(environment: Mapping[str, str], namespace: str) -> bool:
    watched = environment.get(f"{PREFIX}NAMESPACES", "")
    return not watched or namespace in watched.split(",")


async def _values(cluster: Cluster, thing: Object) -> Mapping[str, Any]:
    """The file that VALUES_FILE names, from the ConfigMap that is mounted there."""
    named = [
        item["value"] for item in _container(thing).get("env", ())
        if item["name"] == ELSEWHERE[0] and item.get("value")
    ]  # fmt: skip
    if not named:
        return {}
    path = PurePosixPath(named[0])
    mounts = {
        mount["mountPath"]: mount["name"] for mount in _container(thing).get("volumeMounts", ())
    }
    volumes = {
        volume["name"]: volume.get("configMap", {}).get("name")
        for volume in thing["spec"]["template"]["spec"].get("volumes", ())
    }
    name = volumes.get(mounts.get(str(path.parent), ""))
    if not name:
        return {}
    held = await cluster.get(CONFIG_MAP, thing["metadata"]["namespace"], name) or {}
    return yaml.safe_load(held.get("data", {}).get(path.name, "")) or {}


def _container(thing: Object) -> Object:
    first: Object = thing["spec"]["template"]["spec"]["containers"][0]
    return first


def _name(thing: Object) -> str:
    return f"{thing['metadata']['namespace']}/{thing['metadata']['name']}"
