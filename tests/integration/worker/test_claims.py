"""Who has an item: one delivery at a time, until it is done, stopped or lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from tests.support.ingest import Endless, job
from tests.support.platform import Bench, photo
from tests.support.waiting import eventually

from mediaplatform.errors import Unavailable
from mediaplatform.media.work import Claim, MediaWork
from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.adapters.objects import S3Bucket
from mediaplatform.platform.ports.queue import Message
from mediaplatform_worker.consumer import Consumer
from mediaplatform_worker.health import Health
from mediaplatform_worker.sandbox.client import ProcessSandbox

pytestmark = pytest.mark.anyio


async def test_two_workers_with_the_same_item_make_it_once(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo(), confirm=True)
    ingest = bench.ingest(sandbox, tmp_path)
    await asyncio.gather(*(ingest.handle(job(media.id, message=f"m{n}")) for n in range(5)))
    assert (await bench.row(media.id))["attempts"] == 1
    assert (await bench.moves(media.id)).count("ready") == 1


async def test_a_delivery_that_lost_its_claim_commits_nothing(bench: Bench, owner: UUID) -> None:
    media = await bench.upload(owner, photo())
    first = await bench.work.claim(media.id, job(media.id))
    second = await bench.work.claim(media.id, job(media.id, receives=2))
    assert first is not None
    assert second is not None
    assert not await bench.work.extend(first)
    assert not await bench.work.fail(first, "late", "too late")
    assert not await bench.work.publish_second(first, [])
    assert (await bench.row(media.id))["state"] == "processing"
    assert await bench.work.extend(second)


async def test_an_item_cancelled_at_work_stays_cancelled(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo())
    claim = await bench.work.claim(media.id, job(media.id))
    assert claim is not None
    await bench.library.cancel(media.id, owner)
    assert not await bench.work.fail(claim, "late", "too late")
    await bench.ingest(sandbox, tmp_path).handle(job(media.id, receives=2))
    assert (await bench.row(media.id))["state"] == "cancelled"


async def test_what_s3_cannot_give_now_is_tried_again_at_once_by_the_next_delivery(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo())
    nowhere = Aws("us-east-1", endpoint="http://127.0.0.1:1")
    down = bench.ingest(sandbox, tmp_path, uploads=S3Bucket(nowhere, "none"))
    with pytest.raises(Unavailable):
        await down.handle(job(media.id))
    nowhere.close()
    row = await bench.row(media.id)
    assert (row["state"], row["claimed_by"]) == ("processing", None)
    await bench.ingest(sandbox, tmp_path).handle(job(media.id, message="another"))
    assert (await bench.row(media.id))["tiers"] == 2


async def test_a_stop_hands_back_what_is_not_done_in_time(bench: Bench, owner: UUID) -> None:
    began = asyncio.Event()

    async def never_done(message: Message) -> None:
        began.set()
        await asyncio.Event().wait()

    await bench.queue.send("a long job")
    consumer = Consumer("ingest", bench.queue, Health(), slots=1, visibility_seconds=30)
    running = asyncio.create_task(consumer.run(never_done, drain_seconds=0.1))
    await asyncio.wait_for(began.wait(), 10)
    consumer.stop()
    await running
    [again] = await bench.queue.receive(wait=2)
    assert again.receives == 2


async def test_a_worker_that_cannot_extend_its_claim_hands_the_message_back(
    bench: Bench, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo())

    class Deaf(MediaWork):
        async def extend(self, claim: Claim) -> bool:  # noqa: ARG002
            raise Unavailable("the database does not answer")

    work = Deaf(bench.database, claim_seconds=30)
    ingest = bench.ingest(Endless(), tmp_path, work=work, visibility_seconds=1)
    with pytest.raises(Unavailable, match="does not answer"):
        await asyncio.wait_for(ingest.handle(job(media.id)), 10)
    row = await bench.row(media.id)
    assert (row["state"], row["claimed_by"]) == ("processing", None)


async def test_a_worker_whose_item_was_cancelled_stops_and_is_done_with_the_message(
    bench: Bench, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo())
    ingest = bench.ingest(Endless(), tmp_path, visibility_seconds=1)
    working = asyncio.create_task(ingest.handle(job(media.id)))

    async def at_work() -> bool:
        row = await bench.row(media.id)
        return bool(row["state"] == "processing")

    await eventually(at_work, seconds=10)
    await bench.library.cancel(media.id, owner)
    await asyncio.wait_for(working, 10)
    assert (await bench.row(media.id))["state"] == "cancelled"
