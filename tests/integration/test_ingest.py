"""A message's way through a worker: what becomes of the item, whatever happens on the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from tests.support.platform import RECEIVES, Bench, photo
from tests.support.seed import add_user
from tests.support.waiting import eventually

from mediaplatform.errors import InvalidInput, NotFound, Unavailable
from mediaplatform.media.model import Rendition
from mediaplatform.media.work import Claim, MediaWork
from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.adapters.objects import S3Bucket
from mediaplatform.platform.database import Database
from mediaplatform.platform.ports.queue import Message
from mediaplatform_worker.consumer import Consumer
from mediaplatform_worker.health import Health
from mediaplatform_worker.sandbox.client import ProcessSandbox

pytestmark = pytest.mark.anyio


@pytest.fixture
async def bench(database: Database, aws: Aws) -> Bench:
    return await Bench.make(database, aws)


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[ProcessSandbox]:
    async with ProcessSandbox(tmp_path) as sandbox:
        yield sandbox


@pytest.fixture
async def owner(database: Database) -> UUID:
    return await add_user(database)


def event(name: str, key: str, sequencer: str, etag: str | None = None) -> str:
    thing = {"key": key, "sequencer": sequencer} | ({"eTag": etag} if etag else {})
    record = {"eventVersion": "2.1", "eventName": name, "s3": {"object": thing}}
    return json.dumps({"Records": [record]})


def left_over(scratch: Path) -> list[Path]:
    return list(scratch.glob("upload-*"))


def delivery(body: str, *, message: str = "m1", receives: int = 1) -> Message:
    return Message(message, body, "no receipt", receives)


def job(media_id: UUID, **how: Any) -> Message:
    return delivery(json.dumps({"job": "ingest", "mediaId": str(media_id)}), **how)


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


async def test_two_workers_with_the_same_item_make_it_once(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo(), confirm=True)
    ingest = bench.ingest(sandbox, tmp_path)
    await asyncio.gather(*(ingest.handle(job(media.id, message=f"m{n}")) for n in range(5)))
    assert (await bench.row(media.id))["attempts"] == 1
    assert (await bench.moves(media.id)).count("ready") == 1


async def test_what_was_deleted_before_its_older_event_arrived_does_not_come_back(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo(), confirm=False)
    ingest = bench.ingest(sandbox, tmp_path)
    await ingest.handle(delivery(event("ObjectRemoved:Delete", media.upload_key, "0B")))
    await ingest.handle(
        delivery(event("ObjectCreated:Put", media.upload_key, "0A00"), message="m2")
    )
    assert (await bench.row(media.id))["state"] == "waiting"


async def test_an_upload_deleted_before_a_worker_had_it_fails_as_missing(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    told = await bench.upload(owner, photo())
    untold = await bench.upload(owner, photo(shade=7))
    ingest = bench.ingest(sandbox, tmp_path)
    await ingest.handle(delivery(event("ObjectRemoved:Delete", told.upload_key, "0B")))
    await bench.uploads.delete([untold.upload_key])
    await ingest.handle(job(untold.id))
    for media in (told, untold):
        row = await bench.row(media.id)
        assert (row["state"], row["reason"]) == ("failed", "missing")
        assert "Upload it again" in row["reason_detail"]


async def test_other_bytes_than_the_announced_ones_fail_as_changed(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo())
    await bench.uploads.upload(media.upload_key, photo(shade=9), content_type="image/jpeg")
    await bench.ingest(sandbox, tmp_path).handle(job(media.id))
    row = await bench.row(media.id)
    assert (row["state"], row["reason"]) == ("failed", "changed")


async def test_the_same_bytes_uploaded_again_are_as_good(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    content = photo()
    media = await bench.upload(owner, content)
    async with bench.database.connection() as connection:
        await connection.execute("UPDATE media SET etag = 'an-older-one'")
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
    async with bench.database.connection() as connection:
        await connection.execute("UPDATE media SET state = 'ready', tiers = 1")
    ingest = bench.ingest(sandbox, tmp_path)
    await ingest.handle(job(media.id, message="another"))
    assert (await bench.row(media.id))["tiers"] == 1, "the dead worker's claim still holds"
    await ingest.handle(job(media.id, receives=2))
    row = await bench.row(media.id)
    assert (row["state"], row["tiers"]) == ("ready", 2)
    made = (await bench.library.renditions((media,)))[media.id]
    assert {item.tier for item in made} == {2}


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


async def test_a_message_nobody_understands_ends_with_the_dead_letters(
    bench: Bench, sandbox: ProcessSandbox, tmp_path: Path
) -> None:
    ingest = bench.ingest(sandbox, tmp_path)
    await bench.queue.send("what is this?")
    for _ in range(RECEIVES):
        [message] = await bench.queue.receive(wait=5)
        with pytest.raises(InvalidInput, match="not a message"):
            await ingest.handle(message)
        await bench.queue.hide(message, 0)
    assert list(await bench.queue.receive(wait=1)) == []
    [dead] = await bench.dead.receive(wait=5)
    assert dead.body == "what is this?"


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


async def test_the_sweeper_finds_an_upload_whose_event_was_lost(bench: Bench, owner: UUID) -> None:
    media = await bench.upload(owner, photo(), confirm=False)
    silent = await bench.upload(owner, photo(shade=3), put=False)
    assert await bench.upkeep.look_for_uploads() == 2
    assert (await bench.row(media.id))["state"] == "uploaded"
    assert (await bench.row(silent.id))["state"] == "waiting"
    [message] = await bench.queue.receive(wait=5)
    assert json.loads(message.body) == {"job": "ingest", "mediaId": str(media.id)}


async def test_an_upload_that_never_came_expires(bench: Bench, owner: UUID) -> None:
    media = await bench.upload(owner, photo(), put=False)
    async with bench.database.connection() as connection:
        await connection.execute("UPDATE media SET upload_expires_at = now()")
    await bench.upkeep.look_for_uploads()
    assert (await bench.row(media.id))["state"] == "expired"


async def test_an_item_whose_message_was_lost_is_promised_again(bench: Bench, owner: UUID) -> None:
    media = await bench.upload(owner, photo())
    [lost] = await bench.queue.receive(wait=5)
    await bench.queue.delete(lost)
    assert await bench.upkeep.requeue() == 1
    [message] = await bench.queue.receive(wait=5)
    assert json.loads(message.body)["mediaId"] == str(media.id)


async def test_nothing_is_promised_again_that_waits_behind_others(
    bench: Bench, owner: UUID
) -> None:
    await bench.upload(owner, photo())
    assert await bench.upkeep.requeue() == 0


async def test_what_was_tried_too_often_is_given_up_and_a_redrive_takes_it_again(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo())
    for receives in range(1, RECEIVES + 1):
        claim = await bench.work.claim(media.id, job(media.id, receives=receives))
        assert claim is not None
        await bench.work.release(claim)
    await bench.upkeep.give_up()
    row = await bench.row(media.id)
    assert (row["state"], row["reason"]) == ("failed", "gave_up")
    await bench.ingest(sandbox, tmp_path).handle(job(media.id, message="redriven"))
    assert (await bench.row(media.id))["state"] == "ready"
    assert (await bench.moves(media.id)).count("ready") == 1


async def test_a_second_tier_tried_too_often_is_given_up_and_a_redrive_takes_it_again(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo())
    async with bench.database.connection() as connection:
        await connection.execute("UPDATE media SET state = 'ready', tiers = 1")
    for receives in range(1, RECEIVES + 1):
        assert await bench.upkeep.give_up_second() == 0, "it may still succeed"
        claim = await bench.work.claim(media.id, job(media.id, receives=receives))
        assert claim is not None
        await bench.work.release(claim)
    before = await bench.row(media.id)
    with capture_logs() as logs:
        assert await bench.upkeep.give_up_second() == 1
    assert [(line["log_level"], line["media_id"]) for line in logs] == [("warning", str(media.id))]
    row = await bench.row(media.id)
    assert (row["state"], row["tiers"], row["reason"]) == ("ready", 1, "gave_up")
    assert row["reason_detail"]
    assert row["revision"] == before["revision"] + 1
    assert await bench.upkeep.give_up_second() == 0, "it is told once"
    assert await bench.upkeep.requeue() == 0, "it is not tried for ever"
    await bench.ingest(sandbox, tmp_path).handle(job(media.id, message="redriven"))
    row = await bench.row(media.id)
    assert (row["state"], row["tiers"], row["reason"]) == ("ready", 2, None)


async def test_a_redrive_after_the_upload_is_gone_leaves_a_ready_item_incomplete_and_says_so(
    bench: Bench, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo())
    async with bench.database.connection() as connection:
        await connection.execute(
            "UPDATE media SET state = 'ready', tiers = 1, reason = 'gave_up', attempts = 1"
        )
    await bench.uploads.delete([media.upload_key])
    moves, before = await bench.moves(media.id), await bench.row(media.id)
    consumer = Consumer("redriven", bench.queue, Health(), slots=1, visibility_seconds=30)

    async def told() -> bool:
        return bool((await bench.row(media.id))["reason"] == "missing")

    running = asyncio.create_task(
        consumer.run(bench.ingest(Endless(), tmp_path).handle, drain_seconds=10)
    )
    await eventually(told, seconds=10)
    consumer.stop()
    await running
    assert ((await bench.queue.depth()).total, (await bench.dead.depth()).total) == (0, 0)
    ended = {"queue": "redriven", "outcome": "done"}
    assert REGISTRY.get_sample_value("mediaplatform_worker_jobs_total", ended) == 1
    row = await bench.row(media.id)
    assert (row["state"], row["tiers"], row["claimed_by"]) == ("ready", 1, None)
    assert "upload it again" in row["reason_detail"]
    assert row["revision"] > before["revision"]
    assert await bench.moves(media.id) == moves
    with pytest.raises(NotFound):  # nobody knows whether it was kept
        await bench.library.download(media.id, owner)
    assert await bench.upkeep.requeue() == 0, "no other try can succeed"
    assert await bench.upkeep.give_up_second() == 0, "its reason stays"


async def test_a_rejected_item_that_was_trashed_meanwhile_comes_back_incomplete(
    bench: Bench, owner: UUID
) -> None:
    media = await bench.upload(owner, photo())
    async with bench.database.connection() as connection:
        await connection.execute("UPDATE media SET state = 'ready', tiers = 1")
    claim = await bench.work.claim(media.id, job(media.id))
    assert claim is not None
    await bench.library.trash(media.id, owner)
    assert await bench.work.fail(claim, "missing", "It is gone.")
    await bench.library.restore(media.id, owner)
    row = await bench.row(media.id)
    assert (row["state"], row["tiers"], row["reason"]) == ("ready", 1, "missing")


@pytest.mark.parametrize(
    ("state", "tiers", "reason", "said"),
    [
        ("failed", 0, "gave_up", "missing"),
        ("failed", 0, "corrupt", "corrupt"),
        ("ready", 2, None, None),
        ("expired", 0, None, None),
        ("cancelled", 0, None, None),
        ("trashed", 1, None, None),
        ("deleted", 2, None, None),
    ],
)
async def test_a_redrive_after_the_upload_is_gone_changes_no_state(
    bench: Bench, owner: UUID, tmp_path: Path,
    state: str, tiers: int, reason: str | None, said: str | None,
) -> None:  # fmt: skip
    media = await bench.upload(owner, photo())
    await bench.uploads.delete([media.upload_key])
    async with bench.database.connection() as connection:
        await connection.execute(
            "UPDATE media SET state = %s, tiers = %s, reason = %s", (state, tiers, reason)
        )
    await bench.ingest(Endless(), tmp_path).handle(job(media.id, message="redriven"))
    row = await bench.row(media.id)
    assert (row["state"], row["tiers"], row["reason"]) == (state, tiers, said)


async def test_a_late_event_of_an_expired_upload_that_is_gone_fails_it_as_missing(
    bench: Bench, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo(), put=False)
    async with bench.database.connection() as connection:
        await connection.execute("UPDATE media SET state = 'expired'")
    redriven = delivery(event("ObjectCreated:Put", media.upload_key, "0A"))
    await bench.ingest(Endless(), tmp_path).handle(redriven)
    row = await bench.row(media.id)
    assert (row["state"], row["reason"], row["tiers"]) == ("failed", "missing", 0)


async def test_a_promise_whose_writer_died_is_relayed(bench: Bench, owner: UUID) -> None:
    media = await bench.upload(owner, photo(), put=False)
    async with bench.database.transaction() as connection:
        body = json.dumps({"job": "ingest", "mediaId": str(media.id)})
        await connection.execute(
            "INSERT INTO outbox (queue, body, created_at) "
            "VALUES ('ingest', %(body)s, now() - interval '1 minute')",
            {"body": body},
        )
    assert await bench.upkeep.relay() == 1
    assert await bench.upkeep.relay() == 0
    [message] = await bench.queue.receive(wait=5)
    assert json.loads(message.body)["mediaId"] == str(media.id)


async def test_deleted_for_good_leaves_no_bytes_and_nothing_personal(
    bench: Bench, sandbox: ProcessSandbox, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo())
    await bench.ingest(sandbox, tmp_path).handle(job(media.id))
    await bench.library.trash(media.id, owner)
    await bench.library.delete(media.id, owner)
    assert await bench.upkeep.purge() == 1
    assert await bench.upkeep.purge() == 0
    assert [item async for item in bench.media.list(f"media/{media.id}/")] == []
    assert [item async for item in bench.uploads.list(media.upload_key)] == []
    row = await bench.row(media.id)
    assert (row["state"], row["file_name"], row["title"]) == ("deleted", "", "")


async def test_the_trash_is_emptied_after_its_days(bench: Bench, owner: UUID) -> None:
    media = await bench.upload(owner, photo(), put=False)
    async with bench.database.connection() as connection:
        await connection.execute(
            "UPDATE media SET state = 'trashed', trashed_at = now() - interval '29 days'"
        )
        assert await bench.upkeep.empty_trash() == 0
        await connection.execute("UPDATE media SET trashed_at = now() - interval '31 days'")
    assert await bench.upkeep.empty_trash() == 1
    assert (await bench.row(media.id))["state"] == "deleted"


async def test_only_one_sweeper_acts_at_a_time(bench: Bench) -> None:
    async with bench.upkeep.alone() as mine, bench.upkeep.alone() as theirs:
        assert (mine, theirs) == (True, False)


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


class Endless:
    """A sandbox whose jobs never come to an end."""

    @asynccontextmanager
    async def job(self, source: Path, *, first_tier: bool = True) -> AsyncIterator[Any]:  # noqa: ARG002
        await asyncio.Event().wait()
        yield None


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


async def test_what_was_cancelled_or_never_came_leaves_nothing_once_no_worker_has_it(
    bench: Bench, owner: UUID
) -> None:
    cancelled = await bench.upload(owner, photo())
    claim = await bench.work.claim(cancelled.id, job(cancelled.id))
    assert claim is not None
    await bench.library.cancel(cancelled.id, owner)
    expired = await bench.upload(owner, photo(shade=5), put=False)
    async with bench.database.connection() as connection:
        await connection.execute("UPDATE media SET upload_expires_at = now()")
    await bench.upkeep.look_for_uploads()
    assert await bench.upkeep.discard() == 0, "its owner may still look, and bytes may still come"

    async with bench.database.connection() as connection:
        await connection.execute("UPDATE media SET updated_at = now() - interval '3 days'")
    assert await bench.upkeep.discard() == 2
    await bench.media.upload(cancelled.original_key, b"late", content_type="image/jpeg")
    assert await bench.upkeep.purge() == 1, "a worker may still be writing to the other one"
    await bench.work.release(claim)
    assert await bench.upkeep.purge() == 1
    assert [item async for item in bench.media.list(f"media/{cancelled.id}/")] == []
    assert [item async for item in bench.uploads.list("incoming/")] == []
    for media in (cancelled, expired):
        row = await bench.row(media.id)
        assert (row["state"], row["file_name"]) == ("deleted", "")
    assert await bench.moves(expired.id) == ["waiting", "expired", "deleted"]
