"""An upload that is gone, or another one, before a worker could read it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from tests.support.ingest import Endless, delivery, event, job
from tests.support.platform import Bench, photo

from mediaplatform_worker.sandbox.client import ProcessSandbox

pytestmark = pytest.mark.anyio


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


async def test_a_rejected_item_that_was_trashed_meanwhile_comes_back_incomplete(
    bench: Bench, owner: UUID
) -> None:
    media = await bench.upload(owner, photo())
    await bench.execute("UPDATE media SET state = 'ready', tiers = 1")
    claim = await bench.work.claim(media.id, job(media.id))
    assert claim is not None
    await bench.library.trash(media.id, owner)
    assert await bench.work.fail(claim, "missing", "It is gone.")
    await bench.library.restore(media.id, owner)
    row = await bench.row(media.id)
    assert (row["state"], row["tiers"], row["reason"]) == ("ready", 1, "missing")


async def test_a_late_event_of_an_expired_upload_that_is_gone_fails_it_as_missing(
    bench: Bench, owner: UUID, tmp_path: Path
) -> None:
    media = await bench.upload(owner, photo(), put=False)
    await bench.execute("UPDATE media SET state = 'expired'")
    redriven = delivery(event("ObjectCreated:Put", media.upload_key, "0A"))
    await bench.ingest(Endless(), tmp_path).handle(redriven)
    row = await bench.row(media.id)
    assert (row["state"], row["reason"], row["tiers"]) == ("failed", "missing", 0)
