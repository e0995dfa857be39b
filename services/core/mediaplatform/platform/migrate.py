"""Schema migrations: numbered SQL files, each in a `pre` and perhaps a `post` half.

`pre` only adds, so old code runs on it and it is applied before new code rolls out. `post`
removes what only old code needed, and is applied once no old code runs. A file that was applied
is never changed.

An index on a table that is there already has a file of its own, with the one statement
`CREATE INDEX CONCURRENTLY IF NOT EXISTS`: the table is written while it is built.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import LiteralString

import psycopg
from psycopg.sql import SQL, Identifier

from mediaplatform.errors import ConfigurationError, MediaPlatformError, Unavailable

LOCK = 0x6D656469  # "medi": one migration at a time per database
WAIT_S = 60  # for another migration, and in each file for others to let go of a table
POLL_S = 0.2
BUILD = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)\s+ON [^;]+;?")
COMMENT = re.compile(r"--.*")
LEDGER: LiteralString = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name       text PRIMARY KEY,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


@dataclass(frozen=True)
class Migration:
    name: str  # '0001_initial.pre'
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def is_post(self) -> bool:
        return self.name.endswith(".post")

    @property
    def index(self) -> str | None:
        """The one that it builds while the table is written, outside a transaction.

        Raises ConfigurationError where the file does anything else too.
        """
        statement = COMMENT.sub("", self.sql).strip()
        if "CONCURRENTLY" not in statement:
            return None
        found = BUILD.fullmatch(statement)
        if found is None:
            raise ConfigurationError(
                f"migration {self.name} must be one CREATE INDEX CONCURRENTLY IF NOT EXISTS"
            )
        return found[1]


def known_migrations() -> tuple[Migration, ...]:
    """All migrations of this release, in the order in which they apply."""
    folder = files("mediaplatform").joinpath("migrations")
    found = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: (file.name.split("_")[0], file.name.endswith(".post.sql")),
    )
    return tuple(Migration(file.name.removesuffix(".sql"), file.read_text()) for file in found)


def pending(
    known: Iterable[Migration], applied: Mapping[str, str], *, post: bool = True
) -> tuple[Migration, ...]:
    """What is still to be applied. Raises ConfigurationError where an applied file was changed."""
    missing = []
    for migration in known:
        checksum = applied.get(migration.name)
        if checksum is None and (post or not migration.is_post):
            missing.append(migration)
        elif checksum not in (None, migration.checksum):
            raise ConfigurationError(
                f"migration {migration.name} was changed after it was applied; restore the file"
            )
    return tuple(missing)


async def migrate(
    url: str,
    *,
    post: bool = True,
    known: Sequence[Migration] | None = None,
    wait_seconds: float = WAIT_S,
) -> tuple[str, ...]:
    """Apply what is pending, each file in a transaction or an index, and return their names.

    `known` are this release's own unless given. Raises ConfigurationError for a file that was
    changed or that mixes what cannot be mixed, Unavailable where another migration takes too long.
    """
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=5)
    async with connection:
        await _be_alone(connection, wait_seconds)
        await connection.execute(LEDGER)
        cursor = await connection.execute("SELECT name, checksum FROM schema_migrations")
        applied: dict[str, str] = dict(await cursor.fetchall())
        todo = pending(known_migrations() if known is None else known, applied, post=post)
        for migration in todo:
            if migration.index:
                await _build(connection, migration, migration.index)
            else:
                await _apply(connection, migration)
        return tuple(migration.name for migration in todo)


async def _be_alone(connection: psycopg.AsyncConnection, wait_seconds: float) -> None:
    """Asks again and again: who waits within a statement holds up another's index for ever."""
    try:
        async with asyncio.timeout(wait_seconds):
            while not await _is_alone(connection):  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise Unavailable("another migration is still at work on this database") from None


async def _is_alone(connection: psycopg.AsyncConnection) -> bool:
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
    return await cursor.fetchone() == (True,)


async def _apply(connection: psycopg.AsyncConnection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{WAIT_S}s'")
        await connection.execute(migration.sql)
        await _note(connection, migration)


async def _build(connection: psycopg.AsyncConnection, migration: Migration, index: str) -> None:
    """Waits for whoever uses the table as long as it takes: nobody waits for it meanwhile.

    A build that failed leaves an index that is not valid, and one that was cut off may be whole.
    """
    cursor = await connection.execute(
        "SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid", (index,)
    )
    if await cursor.fetchone() is not None:
        await connection.execute(SQL("DROP INDEX CONCURRENTLY {}").format(Identifier(index)))
    await connection.execute(migration.sql)
    await _note(connection, migration)


async def _note(connection: psycopg.AsyncConnection, migration: Migration) -> None:
    await connection.execute(
        "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)",
        (migration.name, migration.checksum),
    )


def main(arguments: Sequence[str]) -> int:
    """`python -m mediaplatform.platform.migrate pre|all`: exit code 0 done, 1 failed, 2 wrong use.

    The database is that of MEDIAPLATFORM_DATABASE_URL.
    """
    url = os.environ.get("MEDIAPLATFORM_DATABASE_URL")
    if list(arguments) not in (["pre"], ["all"]) or not url:
        print("wants `pre` or `all`, and MEDIAPLATFORM_DATABASE_URL", file=sys.stderr)
        return 2
    try:
        done = asyncio.run(migrate(url, post=arguments[0] == "all"))
    except (psycopg.Error, MediaPlatformError) as fault:
        print(f"migration failed: {fault}", file=sys.stderr)
        return 1
    print("applied " + ", ".join(done) if done else "nothing to apply")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
