"""The feed and likes in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from mediaplatform.errors import NotFound
from mediaplatform.feed.model import Entry, Image, Item, Liked, Listing, useful_images
from mediaplatform.media.model import Kind
from mediaplatform.platform.database import Database, fetch_all, fetch_one, load_queries
from mediaplatform.platform.paging import Position

QUERIES = load_queries("mediaplatform.feed")


class FeedStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, after: Position, limit: int) -> Listing:
        """Up to `limit` items; one more is asked for, to know whether there is another page."""
        rows = await self._all("page", published_at=after.at, id=after.id, limit=limit + 1)
        entries = tuple(Entry(row["id"], row["revision"]) for row in rows[:limit])
        if len(rows) <= limit:
            return Listing(entries)
        last = rows[limit - 1]
        return Listing(entries, Position(last["published_at"], last["id"]).to_cursor())

    async def items(self, ids: Sequence[UUID]) -> list[Item]:
        """Those of them that are public, in no order."""
        return [_item(row) for row in await self._all("items", ids=list(ids))]

    async def likes_counts(self, ids: Sequence[UUID]) -> dict[UUID, int]:
        rows = await self._all("likes_counts", ids=list(ids))
        return {row["id"]: row["likes_count"] for row in rows}

    async def like(self, media_id: UUID, user_id: UUID) -> Liked:
        """Raises NotFound where the user may not see the item."""
        return Liked(True, await self._count("like", media_id, user_id))

    async def unlike(self, media_id: UUID, user_id: UUID) -> Liked:
        """Raises NotFound where the user may not see the item."""
        return Liked(False, await self._count("unlike", media_id, user_id))

    async def liked(self, ids: Sequence[UUID], user_id: UUID) -> dict[UUID, Liked]:
        """Of those that the user may see."""
        rows = await self._all("liked", ids=list(ids), user_id=user_id)
        return {row["id"]: Liked(row["liked"], row["likes_count"]) for row in rows}

    async def _all(self, query: str, **values: Any) -> list[DictRow]:
        async with self._database.connection() as connection:
            return await fetch_all(connection, QUERIES[query], values)

    async def _count(self, query: str, media_id: UUID, user_id: UUID) -> int:
        values = {"media_id": media_id, "user_id": user_id}
        async with self._database.connection() as connection:
            row = await fetch_one(connection, QUERIES[query], values)
        if row is None:
            raise NotFound("There is no such item, or it is not ready yet.")
        return int(row["likes_count"])


def _item(row: DictRow) -> Item:
    images = useful_images(Image(**image) for image in row["images"] or ())
    return Item(**{**row, "kind": Kind(row["kind"]), "images": images})
