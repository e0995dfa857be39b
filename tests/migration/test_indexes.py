"""Indexes on tables that are written meanwhile: no lock, and whatever an earlier try left."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from tests.support.servers import create_database, postgres
from tests.support.waiting import eventually

from mediaplatform.errors import ConfigurationError, Unavailable
from mediaplatform.platform.migrate import LOCK, Migration, known_migrations, migrate

pytestmark = pytest.mark.anyio

BUILD = Migration(
    "9000_by_name.pre",
    """-- Lists are sorted by it.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_by_name
    ON users (name);
""",
)
WITH_BUILD = (*known_migrations(), BUILD)
ADD_USER = "INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), %s, %s)"
VALID = """SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('users_by_name')"""
BUILDING = "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%%'"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
async def database(server: str) -> str:
    url = create_database(server, f"m{uuid4().hex[:12]}")
    await migrate(url)
    return url


@pytest.fixture
def sql(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


async def build_waits(sql: psycopg.Connection) -> None:
    async def waits() -> bool:
        return sql.execute(BUILDING).fetchone() == (1,)

    await eventually(waits)


async def test_a_table_is_written_while_its_index_is_built(
    database: str, sql: psycopg.Connection
) -> None:
    with psycopg.connect(database) as writer:
        writer.execute(ADD_USER, ("ada@x", "ada"))  # the build waits for the end of this
        build = asyncio.create_task(migrate(database, known=WITH_BUILD))
        await build_waits(sql)
        sql.execute("SET lock_timeout = '5s'")
        sql.execute(ADD_USER, ("bob@x", "bob"))
        assert not build.done()
    assert await build == (BUILD.name,)
    assert sql.execute(VALID).fetchone() == (True,)
    assert await migrate(database, known=WITH_BUILD) == ()


async def test_what_a_failed_build_left_is_dropped_and_built_again(
    database: str, sql: psycopg.Connection
) -> None:
    for email in ("ada@x", "other@x"):
        sql.execute(ADD_USER, (email, "ada"))
    with pytest.raises(psycopg.errors.UniqueViolation):
        await migrate(database, known=WITH_BUILD)
    assert sql.execute(VALID).fetchone() == (False,), "PostgreSQL leaves it like this"
    sql.execute("DELETE FROM users WHERE email = 'other@x'")
    assert await migrate(database, known=WITH_BUILD) == (BUILD.name,)
    assert sql.execute(VALID).fetchone() == (True,)


def build(database: str) -> None:
    asyncio.run(migrate(database, known=WITH_BUILD))


async def test_a_build_whose_process_was_killed_is_completed_by_the_next(
    database: str, sql: psycopg.Connection
) -> None:
    with psycopg.connect(database) as writer:
        writer.execute(ADD_USER, ("ada@x", "ada"))
        process = multiprocessing.get_context("spawn").Process(target=build, args=(database,))
        process.start()
        await build_waits(sql)
        process.kill()
        process.join()
        assert sql.execute(BUILDING).fetchone() == (1,), "PostgreSQL goes on without it"
    assert await migrate(database, known=WITH_BUILD) == (BUILD.name,)
    assert sql.execute(VALID).fetchone() == (True,)


async def test_an_index_that_was_built_and_not_noted_is_kept(
    database: str, sql: psycopg.Connection
) -> None:
    sql.execute(BUILD.sql.encode())
    before = sql.execute("SELECT to_regclass('users_by_name')::oid").fetchone()
    assert await migrate(database, known=WITH_BUILD) == (BUILD.name,)
    assert sql.execute("SELECT to_regclass('users_by_name')::oid").fetchone() == before


async def test_two_who_build_at_once_do_it_once_and_do_not_wait_for_each_other(
    database: str,
) -> None:
    done = await asyncio.gather(*(migrate(database, known=WITH_BUILD) for _ in range(2)))
    assert sorted(done) == [(), (BUILD.name,)]


async def test_who_waits_too_long_for_another_says_so(
    database: str, sql: psycopg.Connection
) -> None:
    sql.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    with pytest.raises(Unavailable, match="another migration"):
        await migrate(database, wait_seconds=0.1)


@pytest.mark.parametrize(
    "more", ["ANALYZE users;", "CREATE INDEX CONCURRENTLY IF NOT EXISTS b ON users (email);"]
)
async def test_a_build_is_alone_in_its_file(database: str, more: str) -> None:
    crowded = Migration("9000_crowded.pre", BUILD.sql + more)
    with pytest.raises(ConfigurationError, match=r"9000_crowded\.pre"):
        await migrate(database, known=(*known_migrations(), crowded))


def locking(migration: Migration) -> list[str]:
    """Indexes whose building keeps writers of a table waiting that was there before."""
    made = set(re.findall(r"CREATE TABLE (\w+)", migration.sql))
    found = re.findall(r"CREATE (?:UNIQUE )?INDEX (\w+)\s+ON (\w+)", migration.sql)
    return [index for index, table in found if table not in made]


def test_no_migration_keeps_writers_waiting_for_an_index() -> None:
    found = {item.name: locking(item) for item in known_migrations() if locking(item)}
    # It was there before this rule; a file that was applied somewhere is never changed.
    assert found == {"0002_discarded.pre": ["media_ended"]}
