"""The bucket in memory and the bucket in S3 keep the same promises."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mediaplatform.errors import ObjectChanged, ObjectMissing
from mediaplatform.platform.ports.objects import ObjectStore

pytestmark = pytest.mark.anyio


async def test_what_was_uploaded_comes_back_with_its_digest(
    bucket: ObjectStore, tmp_path: Path
) -> None:
    etag = await bucket.upload("a/1", b"hello", content_type="text/plain")
    target = tmp_path / "copy"
    assert await bucket.download("a/1", target, etag=etag) == hashlib.sha256(b"hello").digest()
    assert target.read_bytes() == b"hello"


async def test_a_file_is_uploaded_as_bytes_are(bucket: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"from a file")
    await bucket.upload("a/1", source, content_type="text/plain", cache_control="immutable")
    info = await bucket.head("a/1")
    assert (info.size, info.content_type) == (11, "text/plain")


async def test_head_tells_size_type_etag_and_checksum(bucket: ObjectStore) -> None:
    etag = await bucket.upload("a/1", b"hello", content_type="image/jpeg")
    info = await bucket.head("a/1")
    assert (info.key, info.size, info.content_type, info.etag) == ("a/1", 5, "image/jpeg", etag)
    assert info.sha256 == hashlib.sha256(b"hello").digest()


async def test_what_is_not_there_is_missing(bucket: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        await bucket.head("a/none")
    with pytest.raises(ObjectMissing):
        await bucket.download("a/none", tmp_path / "copy")


async def test_an_overwritten_object_is_not_the_one_asked_for(
    bucket: ObjectStore, tmp_path: Path
) -> None:
    etag = await bucket.upload("a/1", b"first", content_type="text/plain")
    await bucket.upload("a/1", b"second", content_type="text/plain")
    with pytest.raises(ObjectChanged):
        await bucket.download("a/1", tmp_path / "copy", etag=etag)


async def test_a_list_is_below_its_prefix_and_in_order(bucket: ObjectStore) -> None:
    for key in ("b/2", "a/1", "b/1"):
        await bucket.upload(key, b"x", content_type="text/plain")
    assert [item.key async for item in bucket.list("b/")] == ["b/1", "b/2"]


async def test_deleting_takes_what_is_there_and_minds_nothing_else(bucket: ObjectStore) -> None:
    await bucket.upload("a/1", b"x", content_type="text/plain")
    await bucket.delete(["a/1", "a/none"])
    await bucket.delete([])
    with pytest.raises(ObjectMissing):
        await bucket.head("a/1")


async def test_a_signed_put_names_every_header_the_client_must_send(bucket: ObjectStore) -> None:
    signed = bucket.sign_put("a/1", size=5, content_type="image/jpeg", sha256=bytes(32), expires=60)
    assert signed.method == "PUT"
    assert signed.headers == {
        "content-length": "5",
        "content-type": "image/jpeg",
        "x-amz-checksum-sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "if-none-match": "*",
    }
