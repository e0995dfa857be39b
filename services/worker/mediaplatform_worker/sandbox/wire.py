"""What the processes say to each other: one line of JSON each.

client -> zygote   Request, with three descriptors: the job's connection, the file, the folder
child  -> client   FirstTier, SecondTier, Refusal or Failure
zygote -> client   Exit, the last line of a job
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mediaplatform.media.model import Kind
from mediaplatform_worker.images.model import Inspection, RenditionFile
from mediaplatform_worker.sandbox.limits import Limits
from mediaplatform_worker.sandbox.port import FirstTier

MAX_LINE = 64 * 1024  # bytes
TOO_DEMANDING = (
    "too_demanding",
    "It takes too much memory or time to process. Upload a smaller or simpler version.",
)


@dataclass(frozen=True)
class Request:
    first_tier: bool
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class SecondTier:
    renditions: tuple[RenditionFile, ...]


@dataclass(frozen=True)
class Refusal:
    """The file is at fault."""

    code: str
    message: str


@dataclass(frozen=True)
class Failure:
    """The machine is at fault."""

    message: str


@dataclass(frozen=True)
class Exit:
    status: int  # of the process: negative for the signal that ended it
    cpu_seconds: float
    peak_bytes: int  # resident


Message = Request | FirstTier | SecondTier | Refusal | Failure | Exit


def encode(message: Message) -> bytes:
    line = {"": type(message).__name__} | asdict(message)
    return json.dumps(line, default=str, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes, folder: Path) -> Message:
    """The message, with its files as the ones in `folder` that are really there.

    Raises ValueError for anything but a message: the process that wrote it may have been taken
    over by the file it opened.
    """
    try:
        values: dict[str, Any] = json.loads(line)
        return _MESSAGES[values.pop("")](values, folder)
    except (TypeError, KeyError, AttributeError, ValueError, OSError, RecursionError) as error:
        raise ValueError(f"not a message: {line[:100]!r}") from error


def _inspection(values: dict[str, Any]) -> Inspection:
    taken_at = values.pop("taken_at")
    return Inspection(
        kind=Kind(values.pop("kind")),
        taken_at=taken_at and datetime.fromisoformat(taken_at),
        **values,
    )


def _renditions(values: Sequence[dict[str, Any]], folder: Path) -> tuple[RenditionFile, ...]:
    return tuple(_rendition(each, folder) for each in values)


def _rendition(values: dict[str, Any], folder: Path) -> RenditionFile:
    name: str = values["name"]
    path = folder / name
    if path.parent != folder or path.is_symlink() or not path.is_file():
        raise ValueError(f"not a file of this job: {name!r}")
    return RenditionFile(**{**values, "path": path, "size": path.stat().st_size})


_MESSAGES: Mapping[str, Callable[[dict[str, Any], Path], Message]] = {
    "Request": lambda values, _: Request(values["first_tier"], Limits(**values["limits"])),
    "FirstTier": lambda values, folder: FirstTier(
        _inspection(values["inspection"]), _renditions(values["renditions"], folder)
    ),
    "SecondTier": lambda values, folder: SecondTier(_renditions(values["renditions"], folder)),
    "Refusal": lambda values, _: Refusal(**values),
    "Failure": lambda values, _: Failure(**values),
    "Exit": lambda values, _: Exit(**values),
}
