"""What is kept of the feed: in Redis for all processes, and for a moment in each process.

Nothing here is ever deleted from a list. A list is kept under a version of the feed, and whoever
changes what the public sees draws another version after the commit: a reader that was still at
work then stores its list where nobody looks. An item is kept under its revision, so it is never
wrong either. Likes are counted apart, because they change far more often than anything else.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from prometheus_client import Counter

from mediaplatform.feed.model import Entry, Listing
from mediaplatform.platform.ports.cache import Cache

LISTING_TTL = 10  # seconds; bounds what a version that could not be drawn leaves behind
COUNT_TTL = 5
ITEM_TTL = 3600
VERSION_TTL = 86_400

LOOKUPS = Counter(
    "mediaplatform_feed_cache_lookups",
    "Lookups in the feed's caches: page is what a request asks for, the others make a page",
    ["part", "result"],
)

Key = TypeVar("Key")
Value = TypeVar("Value")

_VERSION = "feed:version"


class Memo(Generic[Key, Value]):
    """Values for some seconds in this process, the oldest dropped when there are too many."""

    def __init__(
        self, *, seconds: float, most: int, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._most, self._timer = seconds, most, timer
        self._held: dict[Key, tuple[float, Value]] = {}

    def get(self, key: Key) -> Value | None:
        held = self._held.get(key)
        return held[1] if held is not None and self._timer() < held[0] else None

    def put(self, key: Key, value: Value) -> None:
        self._held.pop(key, None)
        self._held[key] = self._timer() + self._seconds, value
        if len(self._held) > self._most:
            del self._held[next(iter(self._held))]

    def clear(self) -> None:
        self._held.clear()


class Recent(Generic[Key, Value]):
    """A memo that makes what it lacks: once for everybody who asks in the meantime."""

    def __init__(self, memo: Memo[Key, Value], part: str) -> None:
        self._memo = memo
        self._making: dict[Key, asyncio.Task[Value]] = {}
        self._hit, self._miss = LOOKUPS.labels(part, "hit").inc, LOOKUPS.labels(part, "miss").inc

    async def get(self, key: Key, make: Callable[[], Awaitable[Value]]) -> Value:
        value = self._memo.get(key)
        if value is not None:
            self._hit()
            return value
        making = self._making.get(key)
        if making is None:
            self._miss()
            making = self._making[key] = asyncio.create_task(self._make(key, make))
        else:
            self._hit()
        return await asyncio.shield(making)  # one client that goes away stops nobody else's

    def clear(self) -> None:
        """What is still being made is handed to those who wait for it, and not kept."""
        self._memo.clear()
        self._making.clear()

    async def _make(self, key: Key, make: Callable[[], Awaitable[Value]]) -> Value:
        this = asyncio.current_task()
        try:
            value = await make()
            if self._making.get(key) is this:
                self._memo.put(key, value)
            return value
        finally:
            if self._making.get(key) is this:
                del self._making[key]


class FeedCache:
    """The feed's part of Redis. Whoever changes what the public sees calls `invalidate`."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def invalidate(self, media_id: UUID) -> None:
        """After a commit that shows, hides or changes a public item: every page is read anew."""
        await self.forget_count(media_id)
        await self._cache.set(_VERSION, _draw(), ttl=VERSION_TTL)

    async def version(self) -> str:
        """A random word, never used before: what was kept under a lost one stays lost."""
        held = await self._cache.get(_VERSION)
        if held is None:
            drawn = _draw()
            added = await self._cache.add(_VERSION, drawn, ttl=VERSION_TTL)
            held = drawn if added else await self._cache.get(_VERSION) or drawn
        return held.decode()

    async def listing(self, name: str) -> Listing | None:
        held = await self._cache.get(f"feed:list:{name}")
        _count("list", hits=held is not None, misses=held is None)
        if held is None:
            return None
        entries, next_cursor = orjson.loads(held)
        listed = tuple(Entry(UUID(media_id), revision) for media_id, revision in entries)
        return Listing(listed, next_cursor)

    async def keep_listing(self, name: str, listing: Listing) -> None:
        entries = [(entry.id, entry.revision) for entry in listing.entries]
        value = orjson.dumps((entries, listing.next_cursor))
        await self._cache.set(f"feed:list:{name}", value, ttl=LISTING_TTL)

    async def items(self, entries: Sequence[Entry]) -> dict[Entry, Any]:
        """Those that are kept, as JSON."""
        return await self._found("item", {entry: _item_key(entry) for entry in entries})

    async def keep_items(self, items: Mapping[Entry, bytes]) -> None:
        if items:
            values = {_item_key(entry): value for entry, value in items.items()}
            await self._cache.set_many(values, ttl=ITEM_TTL)

    async def counts(self, ids: Iterable[UUID]) -> dict[UUID, int]:
        return await self._found("likes", {media_id: _count_key(media_id) for media_id in ids})

    async def keep_counts(self, counts: Mapping[UUID, int]) -> None:
        if counts:
            values = {_count_key(media_id): b"%d" % count for media_id, count in counts.items()}
            await self._cache.set_many(values, ttl=COUNT_TTL)

    async def forget_count(self, media_id: UUID) -> None:
        await self._cache.delete(_count_key(media_id))

    async def _found(self, part: str, keys: Mapping[Key, str]) -> dict[Key, Any]:
        values = await self._cache.get_many(list(keys.values())) if keys else []
        found = {
            name: orjson.loads(value)
            for name, value in zip(keys, values, strict=True)
            if value is not None
        }
        _count(part, hits=len(found), misses=len(keys) - len(found))
        return found


def _count(part: str, *, hits: int, misses: int) -> None:
    LOOKUPS.labels(part, "hit").inc(hits)
    LOOKUPS.labels(part, "miss").inc(misses)


def _draw() -> bytes:
    return secrets.token_hex(8).encode()


def _item_key(entry: Entry) -> str:
    return f"feed:item:{entry.id}:{entry.revision}"


def _count_key(media_id: UUID) -> str:
    return f"feed:likes:{media_id}"
