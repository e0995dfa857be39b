"""The public feed and likes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from mediaplatform.errors import InvalidInput
from mediaplatform.feed.cache import FeedCache, Memo, Recent
from mediaplatform.feed.model import (
    LIKES_LIMIT,
    Entry,
    Item,
    Liked,
    Listing,
    Page,
)
from mediaplatform.feed.store import FeedStore
from mediaplatform.platform.paging import PAGE_SIZE, after, check_limit
from mediaplatform.platform.ports.objects import ObjectStore

PAGE_SECONDS = 0.25  # how late another process's change may show here
PAGES = 64
ITEM_SECONDS = 900
ITEMS = 512
URL_SECONDS = 7200  # a URL is handed on for at most ITEM_TTL + ITEM_SECONDS of them


class FeedService:
    """Pages are the same for everybody, so they are rendered once and sent many times.

    What one user likes is asked apart. `media` is the bucket of renditions.
    """

    def __init__(self, store: FeedStore, cache: FeedCache, media: ObjectStore) -> None:
        self._store, self._cache, self._media = store, cache, media
        self._pages: Recent[tuple[str, int], Page] = Recent(
            Memo(seconds=PAGE_SECONDS, most=PAGES), "page"
        )
        self._items: Memo[Entry, dict[str, Any]] = Memo(seconds=ITEM_SECONDS, most=ITEMS)

    async def page(self, cursor: str = "", limit: int = PAGE_SIZE) -> Page:
        """The items after a cursor, newest first. Raises InvalidInput."""
        return await self._pages.get((cursor, limit), partial(self._render, cursor, limit))

    async def like(self, media_id: UUID, user_id: UUID) -> Liked:
        """Liking twice counts once. Raises NotFound where the user may not see the item."""
        liked = await self._store.like(media_id, user_id)
        await self._cache.forget_count(media_id)
        return liked

    async def unlike(self, media_id: UUID, user_id: UUID) -> Liked:
        """Raises NotFound where the user may not see the item."""
        liked = await self._store.unlike(media_id, user_id)
        await self._cache.forget_count(media_id)
        return liked

    async def liked(self, ids: Sequence[UUID], user_id: UUID) -> dict[UUID, Liked]:
        """What the user likes, of the items that they may see, with counts from this moment: what
        somebody just did must show to themselves. Raises InvalidInput for too many.
        """
        if len(ids) > LIKES_LIMIT:
            raise InvalidInput(f"ask for at most {LIKES_LIMIT} ids, not {len(ids)}", field="ids")
        return await self._store.liked(ids, user_id)

    async def invalidate(self, media_id: UUID) -> None:
        """As `FeedCache.invalidate`, and at once in this process."""
        await self._cache.invalidate(media_id)
        self._pages.clear()

    async def _render(self, cursor: str, limit: int) -> Page:
        listing = await self._listing(cursor, check_limit(limit))
        items = await self._items_of(listing.entries)
        counts = await self._counts_of(list(items))
        shown = [
            {**items[entry.id], "likesCount": counts[entry.id]}
            for entry in listing.entries
            if entry.id in counts
        ]
        body = orjson.dumps({"items": shown, "nextCursor": listing.next_cursor})
        digest = hashlib.blake2b(body, digest_size=12).hexdigest()
        return Page(body, f'W/"{digest}"')

    async def _listing(self, cursor: str, limit: int) -> Listing:
        start = after(cursor)
        name = f"{await self._cache.version()}:{limit}:{cursor}"
        listing = await self._cache.listing(name)
        if listing is None:
            listing = await self._store.page(start, limit)
            await self._cache.keep_listing(name, listing)
        return listing

    async def _items_of(self, entries: Sequence[Entry]) -> dict[UUID, dict[str, Any]]:
        """What is shown of each, but for those that are no longer public."""
        found = {entry: held for entry in entries if (held := self._items.get(entry)) is not None}
        lacking = [entry for entry in entries if entry not in found]
        fetched = await self._cache.items(lacking)
        unknown = [entry.id for entry in lacking if entry not in fetched]
        if unknown:
            made = {item.entry: self._signed(item) for item in await self._store.items(unknown)}
            await self._cache.keep_items(made)
            fetched |= {entry: orjson.loads(value) for entry, value in made.items()}
        for entry, value in fetched.items():
            self._items.put(entry, value)
        return {entry.id: value for entry, value in (found | fetched).items()}

    async def _counts_of(self, ids: Sequence[UUID]) -> dict[UUID, int]:
        counts = await self._cache.counts(ids)
        unknown = [media_id for media_id in ids if media_id not in counts]
        if unknown:
            fresh = await self._store.likes_counts(unknown)
            await self._cache.keep_counts(fresh)
            counts |= fresh
        return counts

    def _signed(self, item: Item) -> bytes:
        urls = {
            image.key: self._media.sign_get(image.key, expires=URL_SECONDS) for image in item.images
        }
        return orjson.dumps(item.to_json(urls), option=orjson.OPT_UTC_Z)
