"""The schema from nothing, and the code of this release on the schema of the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from uuid import uuid4

import psycopg
import pytest
from tests.support.seed import add_media, add_user
from tests.support.servers import create_database, postgres

from mediaplatform.errors import ConfigurationError
from mediaplatform.feed.store import FeedStore
from mediaplatform.media.requests import Changes, LibraryQuery
from mediaplatform.media.store import MediaStore
from mediaplatform.platform.database import Database
from mediaplatform.platform.migrate import (
    LEDGER,
    Migration,
    known_migrations,
    main,
    migrate,
    pending,
)

pytestmark = pytest.mark.anyio

# What a next release may do in its `pre` half: add columns with defaults, tables, indexes.
NEXT_PRE = """
ALTER TABLE media ADD COLUMN duration_ms integer;
ALTER TABLE media ADD COLUMN blocked boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD COLUMN locale text NOT NULL DEFAULT 'en';
ALTER TABLE renditions ADD COLUMN bitrate integer;
CREATE TABLE albums (id uuid PRIMARY KEY, owner_id uuid NOT NULL REFERENCES users);
CREATE INDEX media_by_duration ON media (duration_ms);
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def empty(server: str) -> str:
    return create_database(server, f"m{uuid4().hex[:12]}")


async def test_an_empty_database_gets_every_migration_once(empty: str) -> None:
    names = tuple(migration.name for migration in known_migrations())
    assert await migrate(empty) == names
    assert await migrate(empty) == ()


def install(url: str, release: Sequence[Migration]) -> None:
    """The database as a release with these migrations left it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LEDGER)
        for migration in release:
            connection.execute(migration.sql.encode())
            connection.execute(
                "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)",
                (migration.name, migration.checksum),
            )


def shape(url: str) -> list[tuple[str, ...]]:
    """Every column and every index, by name."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            """SELECT table_name || '.' || column_name, data_type, is_nullable, column_default
               FROM information_schema.columns WHERE table_schema = 'public'
               UNION ALL SELECT indexname, indexdef, '', '' FROM pg_indexes
               WHERE schemaname = 'public' ORDER BY 1"""
        ).fetchall()


async def test_every_older_release_ends_with_the_schema_of_an_empty_database(
    server: str, empty: str
) -> None:
    await migrate(empty)
    known = known_migrations()
    for count in range(1, len(known)):
        older = create_database(server, f"m{uuid4().hex[:12]}")
        install(older, known[:count])
        assert await migrate(older) == tuple(item.name for item in known[count:])
        assert shape(older) == shape(empty)


async def test_two_who_migrate_at_once_do_it_once(empty: str) -> None:
    done = await asyncio.gather(migrate(empty), migrate(empty))
    assert sorted(map(len, done)) == [0, len(known_migrations())]


async def test_an_applied_file_that_was_changed_is_refused(empty: str) -> None:
    await migrate(empty)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("UPDATE schema_migrations SET checksum = 'another'")
    with pytest.raises(ConfigurationError, match="was changed after it was applied"):
        await migrate(empty)


def test_the_pre_half_is_applied_alone_and_before_the_post_half() -> None:
    known = (Migration("0002_b.pre", "a"), Migration("0002_b.post", "b"))
    assert [item.name for item in pending(known, {}, post=False)] == ["0002_b.pre"]
    assert [item.name for item in pending(known, {})] == ["0002_b.pre", "0002_b.post"]


def test_numbers_are_unique_and_in_order() -> None:
    names = [migration.name for migration in known_migrations()]
    assert names == sorted(names, key=lambda name: (name[:4], name.endswith(".post")))
    pre = [name[:4] for name in names if name.endswith(".pre")]
    assert len(set(pre)) == len(pre)


async def test_this_release_works_on_the_schema_of_the_next(empty: str) -> None:
    await migrate(empty)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(NEXT_PRE)
    async with Database(empty) as database:
        owner = await add_user(database)
        media_id = await add_media(database, owner)
        store = MediaStore(database)
        found = await store.get(media_id)
        assert found is not None
        assert found.id == media_id
        changed = await store.update(media_id, owner, Changes(title="Dawn"), found.revision)
        assert changed is not None
        assert changed.title == "Dawn"
        assert [item.id for item in await store.library(owner, LibraryQuery())] == [media_id]
        assert len((await store.renditions([media_id]))[media_id]) == 4
        assert (await FeedStore(database).like(media_id, owner)) is not None


async def test_a_connection_that_is_at_work_lives_through_the_next_schema(empty: str) -> None:
    """psycopg prepares what it has sent five times; then PostgreSQL allows no new column in it."""
    await migrate(empty)
    async with Database(empty, most=1) as database:
        owner = await add_user(database)
        media_id = await add_media(database, owner)
        store = MediaStore(database)
        for _ in range(10):
            await store.library(owner, LibraryQuery())
        with psycopg.connect(empty, autocommit=True) as connection:
            connection.execute(NEXT_PRE)
        assert [item.id for item in await store.library(owner, LibraryQuery())] == [media_id]


def test_the_command_applies_the_halves_and_says_what_it_did(
    empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDIAPLATFORM_DATABASE_URL", empty)
    assert main(["pre"]) == 0
    assert "applied 0001_initial.pre" in capsys.readouterr().out
    assert main(["all"]) == 0
    assert "nothing to apply" in capsys.readouterr().out
    monkeypatch.setenv("MEDIAPLATFORM_DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    assert main(["pre"]) == 1
    assert "migration failed" in capsys.readouterr().err
    assert main(["sideways"]) == 2
    assert "pre" in capsys.readouterr().err
