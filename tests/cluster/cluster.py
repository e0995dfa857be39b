"""A Kubernetes of three zones on this machine, with all that the product needs around it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster import (
    addons,
    balancer,
    binaries,
    catalogue,
    certificates,
    control_plane,
    engine,
    nodes,
)
from tests.cluster.bases import ALL, POSTGRES, VALKEY, Bases
from tests.cluster.engine import Docker
from tests.cluster.images import build
from tests.cluster.layout import NODES, PREFIX, STATE
from tests.cluster.run import ClusterError, step

MANIFESTS = ("access", "storage", "dns", "metrics", "ingress", "aws")


def up() -> None:
    """Whatever is missing of the cluster. Raises ClusterError."""
    with step("up"):
        with step("docker"):
            docker = engine.start()
        with step("images"):
            images = _images(docker)
        STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
        with step("control plane"):
            kubectl = control_plane.start(docker, images[f"{PREFIX}/node"])
        with step("nodes"):
            nodes.start(docker, kubectl, images[f"{PREFIX}/node"])
        balancer.start(docker, images[f"{PREFIX}/balancer"])
        with step("images into the nodes"):
            nodes.load(docker, (*_addon_names(images), POSTGRES, VALKEY))
        with step("addons"):
            certificates.make()
            addons.cloud_secrets(kubectl)
            addons.apply(kubectl, images, MANIFESTS)
            addons.volumes(kubectl)
            addons.wait_ready(kubectl)
        _load(docker)


def load() -> None:
    """The product's images as the tree is now, in every node. Raises ClusterError."""
    docker = engine.find()
    if docker is None or not docker.running(NODES[0].container):
        raise ClusterError("There is no cluster: make cluster")
    _load(docker)


def down() -> None:
    """Nothing of the cluster is left but caches."""
    docker = engine.find()
    if docker is not None:
        with step("down"):
            _remove(docker)
            engine.stop_own()
    shutil.rmtree(STATE, ignore_errors=True)


def _remove(docker: Docker) -> None:
    for container in (
        balancer.CONTAINER,
        *(node.container for node in NODES),
        control_plane.CONTAINER,
    ):
        if docker.exists("container", container):
            docker("rm", "--force", "--volumes", container)
    if docker.exists("network", PREFIX):
        docker("network", "rm", PREFIX)


def _images(docker: Docker) -> dict[str, str]:
    """What the cluster is made of: full names by names without a tag."""
    bases = Bases(docker)
    for base in ALL:
        bases.get(base)
    images = (catalogue.node(_pause(docker)), *catalogue.addons())
    return {image.name: build(docker, image) for image in images}


def _pause(docker: Docker) -> Path:
    """The image of a pod's first process, as an archive that nodes bring along."""
    archive = binaries.build("pause").with_suffix(".tar")
    if not archive.exists():
        docker("tag", build(docker, catalogue.pause()), f"{PREFIX}/pause:local")
        docker("save", "--output", archive, f"{PREFIX}/pause:local")
    return archive


def _addon_names(images: dict[str, str]) -> tuple[str, ...]:
    """Those that run in pods."""
    outside = (f"{PREFIX}/node", f"{PREFIX}/balancer")
    return tuple(full for name, full in images.items() if name not in outside)


def _load(docker: Docker) -> None:
    with step("the product's images"):
        built = {image.name: build(docker, image) for image in catalogue.product()}
        nodes.load(docker, tuple(built.values()))
        for name, full in built.items():
            docker("tag", full, f"{name}:test")
            nodes.name_again(docker, full, f"{name}:test")
