"""Media items in PostgreSQL. Every move is one statement that names the states it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from mediaplatform.media.model import (
    Kind,
    Media,
    Rendition,
    State,
    Visibility,
)
from mediaplatform.media.outbox import Promise
from mediaplatform.media.requests import Changes, LibraryQuery, UploadRequest
from mediaplatform.platform.database import (
    Connection,
    Database,
    fetch_all,
    fetch_one,
    load_queries,
)
from mediaplatform.platform.telemetry import current_traceparent

QUERIES = load_queries("mediaplatform.media")
_COLUMNS = frozenset(field.name for field in fields(Media))


class MediaStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        return self._database.transaction()

    async def lock_owner(self, connection: Connection, owner_id: UUID) -> None:
        """Others who ask for an upload of the same owner wait until the transaction ends."""
        await fetch_one(connection, QUERIES["lock_owner"], {"owner_id": owner_id})

    async def used(self, connection: Connection, owner_id: UUID) -> int:
        """Bytes that count against the owner's quota."""
        row = await fetch_one(connection, QUERIES["used"], {"owner_id": owner_id})
        return int(row["used"]) if row else 0

    async def duplicate(
        self, connection: Connection, owner_id: UUID, sha256: bytes
    ) -> Media | None:
        values = {"owner_id": owner_id, "sha256": sha256}
        return _optional(await fetch_one(connection, QUERIES["duplicate"], values))

    async def insert(
        self,
        connection: Connection,
        media_id: UUID,
        owner_id: UUID,
        wanted: UploadRequest,
        *,
        upload_key: str,
        upload_expires_at: datetime,
    ) -> Media:
        values = {
            "id": media_id,
            "owner_id": owner_id,
            "visibility": wanted.visibility.value,
            "title": wanted.title,
            "file_name": wanted.file_name,
            "content_type": wanted.content_type,
            "size_bytes": wanted.size_bytes,
            "sha256": wanted.sha256,
            "upload_key": upload_key,
            "upload_expires_at": upload_expires_at,
            "traceparent": current_traceparent(),
        }
        (row,) = await fetch_all(connection, QUERIES["insert"], values)
        return media_of(row)

    async def renew(self, media_id: UUID, owner_id: UUID, until: datetime) -> Media | None:
        """None where it does not wait for its bytes."""
        return await self._one("renew", id=media_id, owner_id=owner_id, upload_expires_at=until)

    async def get(self, media_id: UUID) -> Media | None:
        return await self._one("get", id=media_id)

    async def renditions(self, ids: Sequence[UUID]) -> dict[UUID, tuple[Rendition, ...]]:
        """Smallest first, for each of the items."""
        async with self._database.connection() as connection:
            rows = await fetch_all(connection, QUERIES["renditions"], {"ids": list(ids)})
        found: dict[UUID, tuple[Rendition, ...]] = dict.fromkeys(ids, ())
        for row in rows:
            media_id = row.pop("media_id")
            found[media_id] += (Rendition(**row),)
        return found

    async def library(self, owner_id: UUID, query: LibraryQuery) -> list[Media]:
        """Up to one item more than the limit, which tells whether there is another page."""
        values = {
            "owner_id": owner_id,
            "trashed": query.trashed,
            "kind": query.kind.value if query.kind else None,
            "words": [f"%{_literally(word)}%" for word in query.words] or ["%"],
            "created_at": query.after.at,
            "id": query.after.id,
            "limit": query.limit + 1,
        }
        async with self._database.connection() as connection:
            return [
                media_of(row) for row in await fetch_all(connection, QUERIES["library"], values)
            ]

    async def update(
        self, media_id: UUID, owner_id: UUID, changes: Changes, revision: int | None
    ) -> Media | None:
        """None where there is no such item, it is past changing, or it has another revision."""
        return await self._one(
            "update",
            id=media_id,
            owner_id=owner_id,
            revision=revision,
            title=changes.title,
            description=changes.description,
            tags=list(changes.tags) if changes.tags is not None else None,
            visibility=changes.visibility.value if changes.visibility else None,
        )

    async def uploaded(self, media_id: UUID, etag: str) -> Promise | None:
        """The promised job, or None where the item no longer waits for its bytes."""
        values = {"id": media_id, "etag": etag}
        async with self._database.connection() as connection:
            row = await fetch_one(connection, QUERIES["uploaded"], values)
        return Promise(**row) if row else None

    async def cancel(self, media_id: UUID, owner_id: UUID) -> Media | None:
        return await self._one("cancel", id=media_id, owner_id=owner_id)

    async def trash(self, media_id: UUID, owner_id: UUID) -> Media | None:
        return await self._one("trash", id=media_id, owner_id=owner_id)

    async def restore(self, media_id: UUID, owner_id: UUID) -> Media | None:
        return await self._one("restore", id=media_id, owner_id=owner_id)

    async def delete(self, media_id: UUID, owner_id: UUID) -> Media | None:
        return await self._one("delete", id=media_id, owner_id=owner_id)

    async def _one(self, query: str, **values: Any) -> Media | None:
        async with self._database.connection() as connection:
            return _optional(await fetch_one(connection, QUERIES[query], values))


def _optional(row: DictRow | None) -> Media | None:
    return media_of(row) if row else None


def media_of(row: DictRow) -> Media:
    kept = {name: value for name, value in row.items() if name in _COLUMNS}
    return Media(
        **kept
        | {
            "state": State(row["state"]),
            "visibility": Visibility(row["visibility"]),
            "kind": Kind(row["kind"]) if row["kind"] else None,
            "tags": tuple(row["tags"]),
        }
    )


def _literally(word: str) -> str:
    """The word with the signs that ILIKE reads as patterns taken as they are."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
