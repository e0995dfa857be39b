"""Images of others, pulled from a registry; where none can be reached, stand-ins made here."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.cluster.engine import Docker, install
from tests.cluster.images import DOCKERFILES, Image, build, file_digest
from tests.cluster.layout import PREFIX
from tests.cluster.run import ClusterError, run, step
from tests.support.helm import helm

DEBIAN = "debian:trixie-slim"
PYTHON = "python:3.13-slim"
HELM = "alpine/helm:4.2.4"
POSTGRES = "postgres:17"
VALKEY = "valkey/valkey:8.1"
ALL = (DEBIAN, PYTHON, HELM, POSTGRES, VALKEY)

PULL_S = 300
ANSWER_S = 20
DEBOOTSTRAP_S = 900
DEBIAN_SCRIPT = DOCKERFILES / "debian.sh"
CERTIFICATES = Path("/usr/local/share/ca-certificates")  # what this machine trusts beyond Debian


@dataclass(frozen=True)
class Bases:
    """Where images of others come from on this machine."""

    docker: Docker

    @cached_property
    def reachable(self) -> bool:
        """Whether a registry answers. Asked once: a machine has one, or has none."""
        with suppress(ClusterError):
            return self.docker.says_yes("manifest", "inspect", DEBIAN, timeout=ANSWER_S)
        return False

    def get(self, name: str) -> None:
        """Afterwards Docker knows an image of that name. Raises ClusterError."""
        if self.reachable:
            if not self.docker.exists("image", name) or self._is_stand_in(name):
                with step(f"pull {name}"):
                    self.docker("pull", "--quiet", name, timeout=PULL_S)
        elif not self.docker.exists("image", name) or self._is_stand_in(name):
            self.docker("tag", _STAND_INS[name](self), name)

    def _is_stand_in(self, name: str) -> bool:
        tags = self.docker("image", "inspect", "--format", "{{.RepoTags}}", name)
        return f"{PREFIX}/stand-in" in tags


def _debian(bases: Bases) -> str:
    tag = f"{PREFIX}/stand-in-debian:{file_digest(DEBIAN_SCRIPT)}"
    if bases.docker.exists("image", tag):
        return tag
    if os.geteuid() != 0:
        raise ClusterError(f"No registry has {DEBIAN}, and only root can make one with debootstrap")
    install("debootstrap", unless="debootstrap")
    with step(f"{DEBIAN} by debootstrap"), tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "debian.tar"
        run(DEBIAN_SCRIPT, Path(folder) / "root", archive, timeout=DEBOOTSTRAP_S)
        bases.docker("import", archive, tag, timeout=300)
    return tag


def _python(bases: Bases) -> str:
    files = {"certificates": CERTIFICATES} if CERTIFICATES.is_dir() else {}
    return _on_debian(bases, "python", files)


def _helm(bases: Bases) -> str:
    return build(bases.docker, _stand_in("helm", {"helm": Path(helm())}))


def _on_debian(bases: Bases, name: str, files: Mapping[str, Path] | None = None) -> str:
    bases.get(DEBIAN)
    return build(bases.docker, _stand_in(name, files or {}, DEBIAN))


def _stand_in(name: str, files: Mapping[str, Path], *base: str) -> Image:
    return Image(f"{PREFIX}/stand-in-{name}", DOCKERFILES / f"{name}.Dockerfile", files, base)


_STAND_INS: Mapping[str, Callable[[Bases], str]] = {
    DEBIAN: _debian,
    PYTHON: _python,
    HELM: _helm,
    POSTGRES: lambda bases: _on_debian(bases, "postgres"),
    VALKEY: lambda bases: _on_debian(bases, "valkey"),
}
