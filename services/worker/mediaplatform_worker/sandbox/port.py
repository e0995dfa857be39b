"""What the ingest consumer needs of the sandbox."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mediaplatform_worker.images.model import Inspection, RenditionFile


@dataclass(frozen=True)
class FirstTier:
    inspection: Inspection
    renditions: tuple[RenditionFile, ...]


class Job(Protocol):
    """One file in a process of its own.

    Both methods raise Rejected, with a code and a sentence for the owner, where the file can never
    be published, and Unavailable where trying again may work (a crash, a lost process, a full
    disk, the wall-clock limit).
    """

    async def first_tier(self) -> FirstTier:
        """Wait for the JPEG sizes. The process goes on with the second tier meanwhile."""
        ...

    async def second_tier(self) -> tuple[RenditionFile, ...]:
        """Wait for the AVIF sizes."""
        ...


class Sandbox(Protocol):
    def job(self, source: Path, *, first_tier: bool = True) -> AbstractAsyncContextManager[Job]:
        """Start at once on the file; leaving the block kills what is left and deletes its files.

        Without `first_tier` (it was published by an earlier try) only the second may be asked for.
        """
        ...
