"""The way to a cluster: kubectl's own kubeconfig, context and namespace."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from mediaplatform.errors import ConfigurationError, NotFound
from mediaplatform_operator.cluster.adapter import ApiServer, Caller
from mediaplatform_operator.cluster.objects import PLATFORM, Object
from mediaplatform_operator.cluster.port import Cluster

YOU = Caller("you", "ask for it, or choose another --context")
HOME = "~/.kube/config"


@dataclass(frozen=True)
class Reach:
    """A cluster and the namespace that is meant where none is named."""

    cluster: Cluster
    namespace: str


@asynccontextmanager
async def reach(
    kubeconfig: str | None, context: str | None, namespace: str | None
) -> AsyncIterator[Reach]:
    """Raises ConfigurationError where no kubeconfig or context says where to go."""
    files = _files(kubeconfig)
    configuration = Configuration()
    try:
        found: Any = await config.load_kube_config(  # type: ignore[no-untyped-call]
            files, context, configuration, persist_config=False
        )
    except (config.ConfigException, yaml.YAMLError, OSError) as fault:
        said = " ".join(str(fault).split())
        raise ConfigurationError(f"kubeconfig {files} cannot be used: {said}") from fault
    chosen = namespace or found.current_context["context"].get("namespace") or "default"
    async with ApiClient(configuration) as client:
        yield Reach(ApiServer(client, YOU), chosen)


def _files(kubeconfig: str | None) -> str:
    files = kubeconfig or os.environ.get("KUBECONFIG") or HOME
    if not any(Path(file).expanduser().is_file() for file in files.split(os.pathsep) if file):
        raise ConfigurationError(
            f"there is no kubeconfig at {files}: name one by --kubeconfig or KUBECONFIG"
        )
    return files


async def check_installed(cluster: Cluster) -> None:
    """Raises NotFound where the cluster does not know what a MediaPlatform is."""
    if not await cluster.knows(PLATFORM):
        raise NotFound(
            "the cluster has no kind MediaPlatform: install the chart mediaplatform-operator"
        )


async def platform(cluster: Cluster, namespace: str, name: str) -> Object:
    """The resource as it is. Raises NotFound."""
    found = await cluster.get(PLATFORM, namespace, name)
    if found is None:
        await check_installed(cluster)
        raise NotFound(f"there is no MediaPlatform {name} in namespace {namespace}")
    return found
