"""A bucket in memory."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from mediaplatform.errors import ObjectChanged, ObjectMissing
from mediaplatform.platform.ports.objects import ObjectInfo, SignedRequest


@dataclass(frozen=True)
class _Stored:
    info: ObjectInfo
    content: bytes


class MemoryBucket:
    def __init__(self, name: str = "bucket") -> None:
        self._name = name
        self._stored: dict[str, _Stored] = {}

    async def head(self, key: str) -> ObjectInfo:
        return self._find(key).info

    async def download(self, key: str, to: Path, *, etag: str | None = None) -> bytes:
        stored = self._find(key)
        if etag not in (None, stored.info.etag):
            raise ObjectChanged
        to.write_bytes(stored.content)  # noqa: ASYNC240
        return hashlib.sha256(stored.content).digest()

    async def upload(
        self,
        key: str,
        content: bytes | Path,
        *,
        content_type: str,
        cache_control: str | None = None,  # noqa: ARG002
    ) -> str:
        data = content if isinstance(content, bytes) else content.read_bytes()  # noqa: ASYNC240
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()  # S3's own for a simple PUT
        sha256 = hashlib.sha256(data).digest()
        info = ObjectInfo(key, len(data), etag, datetime.now(UTC), content_type, sha256)
        self._stored[key] = _Stored(info, data)
        return etag

    async def delete(self, keys: list[str]) -> None:
        for key in keys:
            self._stored.pop(key, None)

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        for key in sorted(self._stored):
            if key.startswith(prefix):
                yield self._stored[key].info

    def sign_put(
        self, key: str, *, size: int, content_type: str, sha256: bytes, expires: int
    ) -> SignedRequest:
        headers = {
            "content-length": str(size),
            "content-type": content_type,
            "x-amz-checksum-sha256": base64.b64encode(sha256).decode(),
            "if-none-match": "*",
        }
        return SignedRequest("PUT", self._url(key, expires), headers)

    def sign_get(self, key: str, *, expires: int, download_as: str | None = None) -> str:
        name = f"&download={quote(download_as, safe='')}" if download_as is not None else ""
        return self._url(key, expires) + name

    def _url(self, key: str, expires: int) -> str:
        return f"memory://{self._name}/{quote(key)}?expires={expires}"

    def _find(self, key: str) -> _Stored:
        try:
            return self._stored[key]
        except KeyError:
            raise ObjectMissing from None
