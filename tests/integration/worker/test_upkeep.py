"""What the sweeper does: lost events, messages and promises; expired, trashed and deleted items."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from tests.support.ingest import job
from tests.support.platform import Bench, photo

from mediaplatform_worker.sandbox.client import ProcessSandbox

pytestmark = pytest.mark.anyio


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
    await bench.execute("UPDATE media SET upload_expires_at = now()")
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


async def test_what_was_cancelled_or_never_came_leaves_nothing_once_no_worker_has_it(
    bench: Bench, owner: UUID
) -> None:
    cancelled = await bench.upload(owner, photo())
    claim = await bench.work.claim(cancelled.id, job(cancelled.id))
    assert claim is not None
    await bench.library.cancel(cancelled.id, owner)
    expired = await bench.upload(owner, photo(shade=5), put=False)
    await bench.execute("UPDATE media SET upload_expires_at = now()")
    await bench.upkeep.look_for_uploads()
    assert await bench.upkeep.discard() == 0, "its owner may still look, and bytes may still come"

    await bench.execute("UPDATE media SET updated_at = now() - interval '3 days'")
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


async def test_only_one_sweeper_acts_at_a_time(bench: Bench) -> None:
    async with bench.upkeep.alone() as mine, bench.upkeep.alone() as theirs:
        assert (mine, theirs) == (True, False)
