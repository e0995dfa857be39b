"""From a message to a public item: both tiers and the original, once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.support.ingest import delivery, event, job
from tests.support.platform import Bench, photo
from tests.support.waiting import eventually

from mediaplatform.errors import Unavailable
from mediaplatform.media.model import Rendition
from mediaplatform.media.work import Claim, MediaWork
from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.adapters.objects import S3Bucket
from mediaplatform_worker.consumer import Consumer
from mediaplatform_worker.health import Health
from mediaplatform_worker.sandbox.client import ProcessSandbox

pytestmark = pytest.mark.anyio


def left_over(scratch: Path) -> list[Path]:
    return list(scratch.glob("upload-*"))


async def test_a_confirmed_photo_becomes_ready_with_both_tiers_and_its_original(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    content = photo()
    media = await bench.upload(owner, content)
    [message] = await bench.queue.receive(wait=5)
    await bench.ingest(sandbox, tmp_path).handle(message)
    row = await bench.row(media.id)
    assert (row["state"], row["tiers"], row["kind"]) == ("ready", 2, "IMAGE")
    assert (row["width"], row["height"], row["claimed_by"]) == (1200, 900, None)
    assert row["published_at"] is not None
    made = (await bench.library.renditions((media,)))[media.id]
    assert {item.name for item in made} == {
        "jpeg-256", "jpeg-512", "jpeg-1024", "jpeg-2048",
        "avif-256", "avif-512", "avif-1024", "avif-2048",
    }  # fmt: skip
    for item in made:
        assert (await bench.media.head(item.key)).size == item.size_bytes
    assert (await bench.media.head(media.original_key)).size == len(content)
    assert await bench.moves(media.id) == ["waiting", "uploaded", "processing", "ready"]
    assert bench.announced == [media.id, media.id]
    assert left_over(tmp_path) == []


async def test_an_event_alone_is_enough_and_the_same_again_changes_nothing(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo(), confirm=False)
    body = event("ObjectCreated:Put", media.upload_key.replace("/", "%2F"), "0A")
    ingest = bench.ingest(sandbox, tmp_path)
    await ingest.handle(delivery(body))
    before = await bench.row(media.id)
    await ingest.handle(delivery(body, message="m2"))
    await ingest.handle(job(media.id, message="m3"))
    assert before["state"] == "ready"
    assert await bench.row(media.id) == before
    assert (await bench.moves(media.id)).count("ready") == 1


async def test_the_same_bytes_uploaded_again_are_as_good(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    content = photo()
    media = await bench.upload(owner, content)
    await bench.execute("UPDATE media SET etag = 'an-older-one'")
    await bench.ingest(sandbox, tmp_path).handle(job(media.id))
    assert (await bench.row(media.id))["state"] == "ready"


async def test_a_corrupt_file_fails_with_a_reason_and_its_neighbours_are_ready(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    good = [await bench.upload(owner, photo(shade=n)) for n in range(4)]
    bad = await bench.upload(owner, photo(shade=99)[:2000])
    ingest = bench.ingest(sandbox, tmp_path)
    consumer = Consumer("ingest", bench.queue, Health(), slots=2, visibility_seconds=30)

    async def all_done() -> bool:
        rows = [await bench.row(media.id) for media in (*good, bad)]
        return all(row["tiers"] == 2 or row["state"] == "failed" for row in rows)

    running = asyncio.create_task(consumer.run(ingest.handle, drain_seconds=10))
    await eventually(all_done, seconds=30)
    consumer.stop()
    await running
    row = await bench.row(bad.id)
    assert row["state"] == "failed"
    assert row["reason"]
    assert row["reason_detail"]
    assert [(await bench.row(media.id))["state"] for media in good] == ["ready"] * 4
    assert (await bench.queue.depth()).total == 0


async def test_a_worker_that_dies_after_the_first_tier_leaves_a_ready_item_to_be_finished(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo())
    claim = await bench.work.claim(media.id, job(media.id))
    assert claim is not None
    await bench.execute("UPDATE media SET state = 'ready', tiers = 1")
    ingest = bench.ingest(sandbox, tmp_path)
    await ingest.handle(job(media.id, message="another"))
    assert (await bench.row(media.id))["tiers"] == 1, "the dead worker's claim still holds"
    await ingest.handle(job(media.id, receives=2))
    row = await bench.row(media.id)
    assert (row["state"], row["tiers"]) == ("ready", 2)
    made = (await bench.library.renditions((media,)))[media.id]
    assert {item.tier for item in made} == {2}


class LosesOriginals(S3Bucket):
    """Fails to keep an original, as late as it can: once `done`, or when nobody waits for that."""

    def __init__(self, aws: Aws, bucket: str, done: asyncio.Event) -> None:
        super().__init__(aws, bucket)
        self._done = done

    async def upload(self, key: str, content: bytes | Path, **how: Any) -> str:
        if not key.endswith("/original"):
            return await super().upload(key, content, **how)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._done.wait(), 2)
        raise Unavailable("S3 went away")


async def test_an_item_is_not_complete_before_its_original_is_kept(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    content = photo()
    media = await bench.upload(owner, content)
    complete = asyncio.Event()

    class Work(MediaWork):
        async def publish_second(self, claim: Claim, renditions: Sequence[Rendition]) -> bool:
            published = await super().publish_second(claim, renditions)
            complete.set()
            return published

    lossy = LosesOriginals(bench.aws, bench.media_name, complete)
    work = Work(bench.database, claim_seconds=30)
    with pytest.raises(Unavailable, match="went away"):
        await bench.ingest(sandbox, tmp_path, media=lossy, work=work).handle(job(media.id))
    assert (await bench.row(media.id))["tiers"] == 1, "only what is kept may be forgotten"
    await bench.ingest(sandbox, tmp_path).handle(job(media.id, receives=2))
    assert (await bench.row(media.id))["tiers"] == 2
    assert (await bench.media.head(media.original_key)).size == len(content)
