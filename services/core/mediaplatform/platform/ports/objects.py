"""Objects in a bucket: S3 as far as this project needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    key: str
    size: int
    etag: str  # without quotes
    modified: datetime
    content_type: str = "binary/octet-stream"
    sha256: bytes | None = None  # where S3 was given one at upload
    version: str | None = None


@dataclass(frozen=True)
class SignedRequest:
    """What a client must send, to the letter, before it expires."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


class ObjectStore(Protocol):
    """One bucket. Every call raises Unavailable when S3 cannot be reached or is throttling."""

    async def head(self, key: str) -> ObjectInfo:
        """Raises ObjectMissing."""
        ...

    async def download(self, key: str, to: Path, *, etag: str | None = None) -> bytes:
        """Write the object to a file and return the SHA-256 of what was written.

        Raises ObjectMissing, or ObjectChanged where its ETag is no longer `etag`.
        """
        ...

    async def upload(
        self,
        key: str,
        content: bytes | Path,
        *,
        content_type: str,
        cache_control: str | None = None,
    ) -> str:
        """Store the content with a checksum, and return its ETag."""
        ...

    async def delete(self, keys: list[str]) -> None:
        """Delete any number of keys. A key that is not there is no error."""
        ...

    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every object below the prefix, in order of keys."""
        ...

    def sign_put(
        self, key: str, *, size: int, content_type: str, sha256: bytes, expires: int
    ) -> SignedRequest:
        """A PUT that S3 accepts only with this length, type and SHA-256, and only once.

        Signed for the endpoint that browsers use; `expires` in seconds.
        """
        ...

    def sign_get(self, key: str, *, expires: int, download_as: str | None = None) -> str:
        """A URL a browser can GET until it expires; as an attachment when a name is given."""
        ...
