"""A bucket in S3."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.ports.objects import ObjectInfo, SignedRequest

CHUNK = 1024 * 1024
DELETE_AT_ONCE = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html


class S3Bucket:
    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    async def head(self, key: str) -> ObjectInfo:
        answer = await self._aws.call(
            self._aws.s3.head_object, Bucket=self._bucket, Key=key, ChecksumMode="ENABLED"
        )
        checksum = answer.get("ChecksumSHA256")
        return ObjectInfo(
            key=key,
            size=answer["ContentLength"],
            etag=answer["ETag"].strip('"'),
            modified=answer["LastModified"],
            content_type=answer.get("ContentType", "binary/octet-stream"),
            # A multipart checksum is a hash of hashes, marked by '-parts' at its end.
            sha256=base64.b64decode(checksum) if checksum and "-" not in checksum else None,
            version=answer.get("VersionId"),
        )

    async def download(self, key: str, to: Path, *, etag: str | None = None) -> bytes:
        return await self._aws.call(self._download, key, to, etag)

    def _download(self, key: str, to: Path, etag: str | None) -> bytes:
        condition = {"IfMatch": f'"{etag}"'} if etag else {}
        answer = self._aws.s3.get_object(Bucket=self._bucket, Key=key, **condition)
        digest = hashlib.sha256()
        with closing(answer["Body"]) as body, to.open("wb") as file:
            for chunk in body.iter_chunks(CHUNK):
                digest.update(chunk)
                file.write(chunk)
        return digest.digest()

    async def upload(
        self,
        key: str,
        content: bytes | Path,
        *,
        content_type: str,
        cache_control: str | None = None,
    ) -> str:
        extra = {"CacheControl": cache_control} if cache_control else {}
        return await self._aws.call(
            self._upload, key, content, {"ContentType": content_type} | extra
        )

    def _upload(self, key: str, content: bytes | Path, headers: Mapping[str, str]) -> str:
        opened = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
        with opened as body:
            checksum = _b64(hashlib.file_digest(body, "sha256").digest())
            body.seek(0)
            answer = self._aws.s3.put_object(
                Bucket=self._bucket, Key=key, Body=body, ChecksumSHA256=checksum, **headers
            )
        return str(answer["ETag"]).strip('"')

    async def delete(self, keys: list[str]) -> None:
        for start in range(0, len(keys), DELETE_AT_ONCE):
            batch = [{"Key": key} for key in keys[start : start + DELETE_AT_ONCE]]
            await self._aws.call(
                self._aws.s3.delete_objects,
                Bucket=self._bucket,
                Delete={"Objects": batch, "Quiet": True},
            )

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        token: dict[str, str] = {}
        while True:
            page = await self._aws.call(
                self._aws.s3.list_objects_v2, Bucket=self._bucket, Prefix=prefix, **token
            )
            for item in page.get("Contents", ()):
                yield _listed(item)
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def sign_put(
        self, key: str, *, size: int, content_type: str, sha256: bytes, expires: int
    ) -> SignedRequest:
        url = self._aws.public_s3.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ContentLength": size,
                "ContentType": content_type,
                "ChecksumSHA256": _b64(sha256),
                "IfNoneMatch": "*",
            },
            ExpiresIn=expires,
        )
        headers = {
            "content-length": str(size),
            "content-type": content_type,
            "x-amz-checksum-sha256": _b64(sha256),
            "if-none-match": "*",
        }
        return SignedRequest("PUT", str(url), headers)

    def sign_get(self, key: str, *, expires: int, download_as: str | None = None) -> str:
        params = {"Bucket": self._bucket, "Key": key}
        if download_as is not None:
            # RFC 6266 and RFC 8187: the name survives in any script.
            name = quote(download_as, safe="")
            params["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{name}"
        url = self._aws.public_s3.generate_presigned_url("get_object", params, ExpiresIn=expires)
        return str(url)


def _listed(item: Mapping[str, Any]) -> ObjectInfo:
    return ObjectInfo(item["Key"], item["Size"], item["ETag"].strip('"'), item["LastModified"])


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
