"""Images, named by what they were made from: an unchanged tree builds nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.engine import Docker
from tests.cluster.layout import HERE
from tests.cluster.run import step

DOCKERFILES = HERE / "images"
BUILD_S = 1200


@dataclass(frozen=True)
class Image:
    """A Dockerfile and what it may copy: `files` maps names in the context to files or folders."""

    name: str
    dockerfile: Path
    files: Mapping[str, Path] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()  # of docker build


def build(docker: Docker, image: Image) -> str:
    """The image's full name, with its tag. Builds it unless it is there."""
    tag = f"{image.name}:{digest(docker, image)}"
    if docker.exists("image", tag):
        return tag
    with step(f"image {tag}"), tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        for name, source in image.files.items():
            _copy(source, context / name)
        how = ("--quiet", *image.arguments, "--tag", tag, "--file", str(image.dockerfile))
        docker("build", *how, context, timeout=BUILD_S)
    return tag


def digest(docker: Docker, image: Image) -> str:
    """Changes with anything that goes into the image."""
    known = hashlib.sha256(
        repr((image.arguments, [identity(docker, base) for base in image.bases])).encode()
    )
    for path in (image.dockerfile, *(file for _, file in sorted(image.files.items()))):
        for file in _files(path):
            known.update(f"{file.relative_to(path.parent)} {os.access(file, os.X_OK)}".encode())
            known.update(file.read_bytes())
    return known.hexdigest()[:12]


def forget(docker: Docker, repository: str, keep: str) -> None:
    """Other images of the repository are removed: each change of the tree leaves one behind."""
    kept = identity(docker, keep)
    for line in docker(
        "images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}", repository
    ).splitlines():
        found, name = line.split()
        if found != kept:
            docker("rmi", name)


def file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def identity(docker: Docker, image: str) -> str:
    """What Docker itself calls the image's content."""
    return docker("image", "inspect", "--format", "{{.Id}}", image).strip()


def _files(path: Path) -> Iterator[Path]:
    """The file, or those below the folder that belong to the source."""
    if path.is_file():
        yield path
    else:
        yield from (
            f for f in sorted(path.rglob("*")) if f.is_file() and "__pycache__" not in f.parts
        )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=ignore, copy_function=_link)
    else:
        _link(str(source), str(target))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another disk
        shutil.copy2(source, target)
