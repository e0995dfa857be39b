"""The sweeper's round: all that is to be done, whatever one step runs into."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from tests.support.platform import Bench
from tests.support.waiting import eventually

from mediaplatform.media.upkeep import BATCH
from mediaplatform.platform.database import fetch_all, fetch_one
from mediaplatform_worker.health import MARGIN_S, Health
from mediaplatform_worker.sweep import FAULTS, STEP_S, Sweeper

pytestmark = pytest.mark.anyio

TRASH = """
INSERT INTO media (id, owner_id, state, trashed_at, purged, file_name, content_type, size_bytes,
                   sha256, upload_key, upload_expires_at)
SELECT gen_random_uuid(), %(owner)s, 'trashed', now() - interval '40 days', true, 'a', 'b/c', 1,
       sha256(n::text::bytea), 'incoming/' || n, now()
FROM generate_series(1, %(count)s) AS n"""
PROMISED = """
INSERT INTO outbox (queue, body, created_at)
SELECT %(queue)s, '{}', now() - interval '1 minute' FROM generate_series(1, %(count)s)"""
WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = %(table)s::regclass"
LEFT = "SELECT count(*) AS left FROM media WHERE state = 'trashed'"


async def fill_trash(bench: Bench, owner: UUID, count: int) -> None:
    await bench.execute(TRASH, {"owner": owner, "count": count})


async def left_in_trash(bench: Bench) -> int:
    async with bench.database.connection() as connection:
        row = await fetch_one(connection, LEFT)
    assert row is not None
    return int(row["left"])


async def test_a_step_with_more_to_do_than_its_bound_is_run_again_at_once(
    bench: Bench, owner: UUID
) -> None:
    await fill_trash(bench, owner, 2 * BATCH + 1)
    await Sweeper(bench.upkeep, Health(), interval_seconds=30).sweep()
    assert await left_in_trash(bench) == 0


async def test_a_backlog_that_takes_too_long_goes_on_in_the_next_round_and_is_no_fault(
    bench: Bench, owner: UUID
) -> None:
    await fill_trash(bench, owner, 2 * BATCH + 1)
    sweeper = Sweeper(bench.upkeep, Health(), interval_seconds=30, backlog_seconds=0)
    before = FAULTS.labels("trash")._value.get()
    left = []
    for _ in range(3):
        await sweeper.sweep()
        left.append(await left_in_trash(bench))
    assert left == [BATCH + 1, 1, 0]
    assert FAULTS.labels("trash")._value.get() == before


async def test_a_step_that_meets_something_unforeseen_stops_no_other(
    bench: Bench, owner: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def relay() -> int:
        raise KeyError

    await fill_trash(bench, owner, 1)
    monkeypatch.setattr(bench.upkeep, "relay", relay)
    await Sweeper(bench.upkeep, Health(), interval_seconds=30).sweep()
    assert await left_in_trash(bench) == 0


async def test_what_a_newer_release_promised_is_left_to_it_and_holds_nothing_up(
    bench: Bench,
) -> None:
    async with bench.database.connection() as connection:
        # This sweeper has no queue `render`, and these rows are the oldest.
        await connection.execute(PROMISED, {"queue": "render", "count": BATCH + 1})
        await connection.execute(PROMISED, {"queue": "ingest", "count": BATCH + 1})
    sweeper = Sweeper(bench.upkeep, Health(), interval_seconds=30)
    with capture_logs() as logs:
        await sweeper.sweep()
    assert (await bench.queue.depth()).total == BATCH + 1
    [told] = [line for line in logs if line["log_level"] == "warning"]
    assert (told["queue"], told["rows"]) == ("render", BATCH + 1)
    async with bench.database.connection() as connection:
        left = await fetch_all(connection, "SELECT queue, count(*) FROM outbox GROUP BY queue", {})
    assert left == [{"queue": "render", "count": BATCH + 1}]


async def waits_for(bench: Bench, table: str) -> None:
    async def is_so() -> bool:
        async with bench.database.connection() as connection:
            return await fetch_one(connection, WAITING, {"table": table}) is not None

    await eventually(is_so)


async def test_each_step_has_its_time_and_one_that_stands_still_is_told(bench: Bench) -> None:
    ahead = [0.0]
    health = Health(lambda: time.monotonic() + ahead[0])
    sweeper = Sweeper(bench.upkeep, health, interval_seconds=30)
    async with bench.database.transaction() as later:
        await later.execute("LOCK TABLE media")
        async with bench.database.transaction() as first:
            await first.execute("LOCK TABLE outbox")
            running = asyncio.create_task(sweeper.run())
            await waits_for(bench, "outbox")
            ahead[0] += STEP_S
            assert health.live() == {"status": "ok"}
        await waits_for(bench, "media")
        ahead[0] += STEP_S
        assert health.live() == {"status": "ok"}
        ahead[0] += MARGIN_S
        assert list(health.live()["stuck"]) == ["sweeper"]
    sweeper.stop()
    await running


async def test_a_long_pause_between_two_rounds_is_alive(bench: Bench) -> None:
    ahead = [0.0]
    health = Health(lambda: time.monotonic() + ahead[0])
    sweeper = Sweeper(bench.upkeep, health, interval_seconds=3600)
    running = asyncio.create_task(sweeper.run())

    async def pausing() -> bool:
        return "sweeper" in health._moves and health._moves["sweeper"].within > STEP_S

    await eventually(pausing)
    ahead[0] += 2800
    assert health.live() == {"status": "ok"}
    sweeper.stop()
    await running
