"""PostgreSQL: a pool, transactions, and the queries that features keep in `.sql` files."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Any, LiteralString, Self

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from mediaplatform.errors import Unavailable

Connection = psycopg.AsyncConnection[DictRow]

STATEMENT_TIMEOUT_MS = 15_000
CONNECT_TIMEOUT_S = 5
LOST_AFTER_S = 10  # for a server that is gone without a word; the kernel gives up after 15 minutes
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


class Database:
    """A pool of connections; `async with database:` opens and closes it."""

    def __init__(self, url: str, *, most: int = 10) -> None:
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            open=False,
            min_size=1,
            max_size=most,
            timeout=CONNECT_TIMEOUT_S,
            check=AsyncConnectionPool.check_connection,
            kwargs={
                "autocommit": True,
                # A prepared `SELECT *` fails for good once a migration adds a column.
                "prepare_threshold": None,
                "row_factory": dict_row,
                "connect_timeout": CONNECT_TIMEOUT_S,
                "tcp_user_timeout": LOST_AFTER_S * 1000,
                "keepalives_idle": LOST_AFTER_S // 2,
                "keepalives_interval": LOST_AFTER_S // 2,
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC",
            },
        )

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection on which each statement is its own transaction.

        Raises Unavailable where PostgreSQL does not answer.
        """
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, psycopg.OperationalError) as fault:
            raise Unavailable("The database does not answer. Try again in a moment.") from fault

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside one transaction, committed when the block ends well."""
        async with self.connection() as connection, connection.transaction():
            yield connection


@cache
def load_queries(package: str) -> Mapping[str, LiteralString]:
    """The queries of `queries.sql` in a package, by the name in `-- name: ...` above each."""
    text = files(package).joinpath("queries.sql").read_text()
    pieces = _NAME.split(text)[1:]
    named = dict(zip(pieces[::2], pieces[1::2], strict=True))
    return {name: query.strip() for name, query in named.items()}


async def fetch_one(
    connection: Connection, query: LiteralString, values: Mapping[str, Any] | None = None
) -> DictRow | None:
    cursor = await connection.execute(query, values)
    return await cursor.fetchone()


async def fetch_all(
    connection: Connection, query: LiteralString, values: Mapping[str, Any] | None = None
) -> list[DictRow]:
    cursor = await connection.execute(query, values)
    return await cursor.fetchall()
