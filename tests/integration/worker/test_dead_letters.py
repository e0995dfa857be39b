"""What is given up, and what a redrive makes of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from tests.support.ingest import Endless, job
from tests.support.platform import RECEIVES, Bench, photo
from tests.support.waiting import eventually

from mediaplatform.errors import InvalidInput, NotFound
from mediaplatform_worker.consumer import Consumer
from mediaplatform_worker.health import Health
from mediaplatform_worker.sandbox.client import ProcessSandbox

pytestmark = pytest.mark.anyio


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
    await bench.execute("UPDATE media SET state = 'ready', tiers = 1")
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
    await bench.execute(
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
    await bench.execute(
        "UPDATE media SET state = %s, tiers = %s, reason = %s", (state, tiers, reason)
    )
    await bench.ingest(Endless(), tmp_path).handle(job(media.id, message="redriven"))
    row = await bench.row(media.id)
    assert (row["state"], row["tiers"], row["reason"]) == (state, tiers, said)
