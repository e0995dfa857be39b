"""A Kubernetes of three zones on this machine, with all that the product needs around it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from tests.cluster import (
    addons,
    balancer,
    binaries,
    catalogue,
    certificates,
    control_plane,
    engine,
    images,
    nodes,
)
from tests.cluster.bases import ALL, POSTGRES, VALKEY, Bases
from tests.cluster.engine import Docker
from tests.cluster.images import Image
from tests.cluster.layout import NAME, NODES, PREFIX, STATE
from tests.cluster.run import ClusterError, step

MANIFESTS = ("access", "storage", "dns", "metrics", "ingress", "aws")


def up() -> None:
    """Whatever is missing of the cluster. Raises ClusterError."""
    with step("up"):
        with step("docker"):
            docker = engine.start()
        with step("images"):
            made = _images(docker)
        STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
        with step("control plane"):
            kubectl = control_plane.start(docker, made[f"{PREFIX}/node"])
        with step("nodes"):
            nodes.start(docker, kubectl, made[f"{PREFIX}/node"])
        balancer.start(docker, made[f"{PREFIX}/balancer"])
        with step("images into the nodes"):
            nodes.load(docker, (*_addon_names(made), POSTGRES, VALKEY))
        with step("addons"):
            certificates.make()
            addons.cloud_secrets(kubectl)
            addons.apply(kubectl, made, MANIFESTS)
            addons.volumes(docker, kubectl)
        _load(docker)
        with step("addons are ready"):
            addons.wait_ready(kubectl)


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
            if not docker("ps", "--quiet").strip():
                engine.stop_own()
    shutil.rmtree(STATE, ignore_errors=True)


def _remove(docker: Docker) -> None:
    containers = (balancer.CONTAINER, *(n.container for n in NODES), control_plane.CONTAINER)
    left = [container for container in containers if docker.exists("container", container)]
    if left:
        docker("rm", "--force", "--volumes", *left)
    if docker.exists("network", NAME):
        docker("network", "rm", NAME)
    _remove_cgroups()


def _remove_cgroups() -> None:
    """Those of the pods: nodes share the machine's, and take none along when they go."""
    for top in (*Path("/sys/fs/cgroup").glob("*/k8s.io"), Path("/sys/fs/cgroup/k8s.io")):
        for folder in sorted((f for f in top.rglob("*") if f.is_dir()), reverse=True):
            with suppress(OSError):  # of another cluster, and in use
                folder.rmdir()
        with suppress(OSError):
            top.rmdir()


def _images(docker: Docker) -> dict[str, str]:
    """What the cluster is made of: full names by names without a tag."""
    bases = Bases(docker)
    for base in ALL:
        bases.get(base)
    wanted = (catalogue.node(_pause(docker)), *catalogue.addons())
    return {image.name: images.build(docker, image) for image in wanted}


def _pause(docker: Docker) -> Path:
    """The image of a pod's first process, as an archive that nodes bring along."""
    archive = binaries.build("pause").with_suffix(".tar")
    if not archive.exists():
        docker("tag", images.build(docker, catalogue.pause()), f"{PREFIX}/pause:local")
        docker("save", "--output", archive, f"{PREFIX}/pause:local")
    return archive


def _addon_names(made: dict[str, str]) -> tuple[str, ...]:
    """Those that run in pods."""
    outside = (f"{PREFIX}/node", f"{PREFIX}/balancer")
    return tuple(full for name, full in made.items() if name not in outside)


def _load(docker: Docker) -> None:
    with step("the product's images"):
        built = {image.name: _by_content(docker, image) for image in catalogue.product()}
        nodes.load(docker, tuple(built.values()))
        for name, full in built.items():
            docker("tag", full, f"{name}:test")
            nodes.name_again(docker, full, f"{name}:test")


def _by_content(docker: Docker, image: Image) -> str:
    """A name that stays when a change of the tree makes no other image: nothing is loaded again."""
    identity = images.identity(docker, images.build(docker, image))
    name = f"{image.name}:{identity.removeprefix('sha256:')[:12]}"
    docker("tag", identity, name)
    return name
