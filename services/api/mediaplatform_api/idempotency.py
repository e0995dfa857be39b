"""A create that is sent again with the same key gets the first answer, and is done once."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from starlette.responses import Response

from mediaplatform.errors import Conflict, InvalidInput
from mediaplatform.platform.database import Database, fetch_one

KEY_LENGTH = 200
HOURS = 24
STALE_SECONDS = 60  # after which a first request that never answered is given up
_CLAIM = """
INSERT INTO idempotency_keys (user_id, key, request_hash) VALUES (%(user)s, %(key)s, %(hash)s)
ON CONFLICT (user_id, key) DO UPDATE SET request_hash = excluded.request_hash, status = NULL,
    headers = NULL, body = NULL, created_at = now()
WHERE idempotency_keys.created_at < now() - make_interval(hours => %(hours)s)
   OR (idempotency_keys.status IS NULL
       AND idempotency_keys.created_at < now() - make_interval(secs => %(stale)s))
RETURNING key
"""
_FIND = "SELECT * FROM idempotency_keys WHERE user_id = %(user)s AND key = %(key)s"
_KEEP = """
UPDATE idempotency_keys SET status = %(status)s, headers = %(headers)s, body = %(body)s
WHERE user_id = %(user)s AND key = %(key)s
"""
_DROP = "DELETE FROM idempotency_keys WHERE user_id = %(user)s AND key = %(key)s"


class Idempotency:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def once(
        self, user_id: UUID, key: str, request: bytes, answer: Callable[[], Awaitable[Response]]
    ) -> Response:
        """The answer to the first request with this key; only success is kept.

        Raises InvalidInput where the key was used for something else, or Conflict where the first
        request is still at work.
        """
        if len(key) > KEY_LENGTH:
            raise InvalidInput(f"Idempotency-Key must be at most {KEY_LENGTH} characters")
        digest = hashlib.sha256(request).digest()
        values = {"user": user_id, "key": key, "hash": digest}
        async with self._database.connection() as connection:
            mine = await fetch_one(
                connection, _CLAIM, {**values, "hours": HOURS, "stale": STALE_SECONDS}
            )
            kept = None if mine else await fetch_one(connection, _FIND, values)
        if kept is not None:
            return _repeat(kept, digest)
        try:
            response = await answer()
        except BaseException:
            await self._run(_DROP, values)
            raise
        headers = Jsonb({"content-type": response.headers.get("content-type", "")})
        values |= {"status": response.status_code, "headers": headers, "body": response.body}
        await self._run(_KEEP, values)
        return response

    async def _run(self, query: str, values: dict[str, object]) -> None:
        async with self._database.connection() as connection:
            await connection.execute(query.encode(), values)


def _repeat(kept: DictRow, digest: bytes) -> Response:
    if kept["request_hash"] != digest:
        raise InvalidInput("This Idempotency-Key was used for another request. Draw a new one.")
    if kept["status"] is None:
        raise Conflict("The first request with this Idempotency-Key is still at work.")
    headers = {**kept["headers"], "idempotency-replayed": "true", "cache-control": "no-store"}
    return Response(kept["body"], kept["status"], headers)
