"""Schema migrations: numbered SQL files, each in a `pre` and perhaps a `post` half.

`pre` only adds, so old code runs on it and it is applied before new code rolls out. `post`
removes what only old code needed, and is applied once no old code runs. A file that was applied
is never changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import LiteralString

import psycopg

from mediaplatform.errors import ConfigurationError

LOCK = 0x6D656469  # "medi": one migration at a time per database
LOCK_TIMEOUT = "60s"
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


async def migrate(url: str, *, post: bool = True) -> tuple[str, ...]:
    """Apply what is pending, each file in a transaction of its own, and return their names."""
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=5)
    async with connection:
        await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        await connection.execute(LEDGER)
        cursor = await connection.execute("SELECT name, checksum FROM schema_migrations")
        applied: dict[str, str] = dict(await cursor.fetchall())
        todo = pending(known_migrations(), applied, post=post)
        for migration in todo:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)",
                    (migration.name, migration.checksum),
                )
        return tuple(migration.name for migration in todo)


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
    except (psycopg.Error, ConfigurationError) as fault:
        print(f"migration failed: {fault}", file=sys.stderr)
        return 1
    print("applied " + ", ".join(done) if done else "nothing to apply")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
