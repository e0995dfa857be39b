"""A Kubernetes of three zones on this machine, with all that the product needs around it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import Protocol

from tests.cluster import addons, balancer, catalogue, certificates, engine, images, kind, source
from tests.cluster.bases import ALL, HELM, POSTGRES, PYTHON, VALKEY, Bases
from tests.cluster.engine import Docker
from tests.cluster.images import Image
from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import PREFIX, PRODUCT, STATE
from tests.cluster.run import ClusterError, step

MANIFESTS = ("metrics", "ingress", "aws")
BALANCER = f"{PREFIX}/balancer"


class Way(Protocol):
    """How the machines of a cluster are made."""

    NETWORK: str

    def runs(self, docker: Docker) -> bool: ...
    def start(self, docker: Docker) -> Kubectl: ...
    def addresses(self, docker: Docker) -> dict[str, str]: ...
    def load(self, docker: Docker, wanted: tuple[str, ...]) -> None: ...
    def name_again(self, docker: Docker, image: str, other: str) -> None: ...
    def prepare(self, docker: Docker, kubectl: Kubectl, made: dict[str, str]) -> None: ...
    def stop(self, docker: Docker) -> None: ...


WAYS: tuple[Way, ...] = (kind, source)


def up() -> None:
    """Whatever is missing of the cluster. Raises ClusterError."""
    with step("all of it"):
        with step("docker"):
            docker = engine.start()
        STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
        way = _running(docker) or _best(docker)
        kubectl = way.start(docker)
        with step("images of the addons"):
            made = _images(docker)
        balancer.start(docker, made[BALANCER], way.NETWORK, way.addresses(docker))
        with step("images into the nodes"):
            inside = (full for name, full in made.items() if name != BALANCER)
            way.load(docker, (*inside, POSTGRES, VALKEY))
        with step("addons"):
            _addons(docker, kubectl, way, made)
        with step("the product's images"):
            _load(docker, way)
        with step("addons are ready"):
            addons.wait_ready(kubectl)


def load() -> None:
    """The product's images as the tree is now, in every node. Raises ClusterError."""
    docker, way = _found()
    with step("the product's images"):
        _load(docker, way)


def add(wanted: Iterable[Image]) -> None:
    """Further images, as they are now, in every node under the tag `test`. Raises ClusterError."""
    docker, way = _found()
    _place(docker, way, wanted)


def down() -> None:
    """Nothing of the cluster is left but caches."""
    docker = engine.find()
    if docker is not None:
        with step("down"):
            if docker.exists("container", balancer.CONTAINER):
                docker("rm", "--force", balancer.CONTAINER)
            for way in WAYS:
                way.stop(docker)
            if not docker("ps", "--quiet").strip():
                engine.stop_own()
    shutil.rmtree(STATE, ignore_errors=True)


def _found() -> tuple[Docker, Way]:
    docker = engine.find()
    way = _running(docker) if docker else None
    if docker is None or way is None:
        raise ClusterError("There is no cluster: make cluster")
    return docker, way


def _running(docker: Docker) -> Way | None:
    return next((way for way in WAYS if way.runs(docker)), None)


def _best(docker: Docker) -> Way:
    return kind if kind.usable(docker, Bases(docker)) else source


def _images(docker: Docker) -> dict[str, str]:
    """Full names by names without a tag."""
    bases = Bases(docker)
    for base in ALL:
        bases.get(base)
    return {image.name: images.build(docker, image) for image in catalogue.addons()}


def _addons(docker: Docker, kubectl: Kubectl, way: Way, made: dict[str, str]) -> None:
    certificates.make()
    addons.cloud_secrets(kubectl)
    way.prepare(docker, kubectl, made)
    addons.apply(kubectl, made, MANIFESTS)


def _load(docker: Docker, way: Way) -> None:
    bases = Bases(docker)
    for base in (PYTHON, HELM):
        bases.get(base)
    PRODUCT.write_text(" ".join(_place(docker, way, catalogue.product())))


def _place(docker: Docker, way: Way, wanted: Iterable[Image]) -> tuple[str, ...]:
    """Their full names; what they take the place of is gone."""
    built = {image.name: _by_content(docker, image) for image in wanted}
    for name, full in built.items():
        docker("tag", full, f"{name}:test")
    way.load(docker, tuple(built.values()))
    for name, full in built.items():
        way.name_again(docker, full, f"{name}:test")
        images.forget(docker, name, full)
    return tuple(built.values())


def _by_content(docker: Docker, image: Image) -> str:
    """A name that stays when a change of the tree makes no other image: nothing is loaded again."""
    identity = images.identity(docker, images.build(docker, image))
    name = f"{image.name}:{identity.removeprefix('sha256:')[:12]}"
    docker("tag", identity, name)
    return name
