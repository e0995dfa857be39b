"""The feed on PostgreSQL and Valkey."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from tests.support.seed import add_media, add_user
from tests.support.servers import valkey
from tests.support.waiting import eventually

from mediaplatform.errors import InvalidInput, NotFound
from mediaplatform.feed.cache import LOOKUPS, FeedCache
from mediaplatform.feed.model import Liked
from mediaplatform.feed.service import FeedService
from mediaplatform.feed.store import FeedStore
from mediaplatform.platform.adapters.cache import RedisCache
from mediaplatform.platform.database import Database
from mediaplatform.platform.fakes.objects import MemoryBucket
from mediaplatform.platform.paging import START, Position

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(database: Database) -> FeedStore:
    return FeedStore(database)


@pytest.fixture
def feed(store: FeedStore, cache: RedisCache) -> FeedService:
    return FeedService(store, FeedCache(cache), MemoryBucket("media"))


async def items(feed: FeedService, cursor: str = "", limit: int = 24) -> list[dict[str, Any]]:
    page = await feed.page(cursor, limit)
    shown: list[dict[str, Any]] = orjson.loads(page.body)["items"]
    return shown


async def ids(feed: FeedService) -> list[UUID]:
    return [UUID(item["id"]) for item in await items(feed)]


async def walk(
    store: FeedStore, limit: Callable[[], int], between: Callable[[], Awaitable[object]]
) -> list[UUID]:
    """Every id on every page, in order, with something happening after each page."""
    seen: list[UUID] = []
    after: Position | None = START
    while after is not None:
        listing = await store.page(after, limit())
        seen += [entry.id for entry in listing.entries]
        cursor = listing.next_cursor
        after = Position.from_cursor(cursor) if cursor else None
        await between()
    return seen


async def nothing() -> None:
    pass


async def test_pages_neither_skip_nor_repeat_items_of_the_same_moment(
    database: Database, store: FeedStore, owner: UUID
) -> None:
    added = [await add_media(database, owner, published_at=NOON) for _ in range(20)]

    assert await walk(store, lambda: 3, nothing) == sorted(added, reverse=True)


async def test_a_page_that_ends_with_the_last_item_has_no_next_one(
    database: Database, store: FeedStore, owner: UUID
) -> None:
    for _ in range(6):
        await add_media(database, owner)

    assert len(await walk(store, lambda: 3, nothing)) == 6
    assert (await store.page(START, 6)).next_cursor is None
    assert (await store.page(START, 5)).next_cursor is not None


@pytest.mark.parametrize("seed", range(8))
async def test_pages_partition_the_feed_while_items_are_added(
    database: Database, store: FeedStore, owner: UUID, seed: int
) -> None:
    chance = random.Random(seed)

    async def add() -> UUID:
        at = NOON + timedelta(microseconds=chance.randrange(6))
        return await add_media(database, owner, published_at=at)

    before = [await add() for _ in range(chance.randrange(10, 30))]
    seen = await walk(store, lambda: chance.randrange(1, 6), add)

    assert len(seen) == len(set(seen))
    assert set(before) <= set(seen)


@pytest.mark.parametrize(
    ("visibility", "state"),
    [
        ("private", "ready"),
        ("unlisted", "ready"),
        ("public", "processing"),
        ("public", "trashed"),
        ("public", "failed"),
    ],
)
async def test_what_is_not_both_public_and_ready_is_never_on_a_page(
    database: Database, feed: FeedService, owner: UUID, visibility: str, state: str
) -> None:
    shown = await add_media(database, owner)
    await add_media(database, owner, visibility=visibility, state=state)

    assert await ids(feed) == [shown]


async def test_an_item_says_what_a_client_needs_to_lay_it_out(
    database: Database, feed: FeedService, owner: UUID
) -> None:
    media_id = await add_media(database, owner, title="Dawn", published_at=NOON)

    (item,) = await items(feed)
    images = item.pop("images")
    assert item == {
        "id": str(media_id),
        "kind": "IMAGE",
        "title": "Dawn",
        "owner": {"id": str(owner), "name": "Ada"},
        "publishedAt": "2026-01-01T12:00:00Z",
        "width": 4032,
        "height": 3024,
        "placeholder": "placeholder",
        "likesCount": 0,
    }
    assert [(image["name"], image["width"], image["height"]) for image in images] == [
        ("jpeg-512", 512, 384),
        ("jpeg-1024", 1024, 768),
    ]
    assert all(image["url"].startswith("memory://media/media/") for image in images)


async def test_a_changed_item_shows_at_once_where_it_was_changed(
    database: Database, feed: FeedService, owner: UUID
) -> None:
    assert await ids(feed) == []
    media_id = await add_media(database, owner)
    await feed.invalidate(media_id)

    assert await ids(feed) == [media_id]
    async with database.connection() as connection:
        await connection.execute("UPDATE media SET visibility = 'private', revision = revision + 1")
    await feed.invalidate(media_id)

    assert await ids(feed) == []


async def test_a_change_by_another_process_shows_within_a_moment(
    database: Database, store: FeedStore, cache: RedisCache, feed: FeedService, owner: UUID
) -> None:
    assert await ids(feed) == []
    media_id = await add_media(database, owner)
    await FeedCache(cache).invalidate(media_id)

    async def shown() -> bool:
        return await ids(feed) == [media_id]

    await eventually(shown, seconds=1)


async def test_without_an_invalidation_a_list_is_read_from_the_cache(
    database: Database, store: FeedStore, cache: RedisCache, owner: UUID
) -> None:
    first = await add_media(database, owner)
    await ids(FeedService(store, FeedCache(cache), MemoryBucket()))
    await add_media(database, owner)

    assert await ids(FeedService(store, FeedCache(cache), MemoryBucket())) == [first]


async def test_many_who_ask_at_once_cost_one_rendering(
    database: Database, feed: FeedService, owner: UUID
) -> None:
    await add_media(database, owner)
    misses = LOOKUPS.labels("list", "miss")._value.get()

    pages = await asyncio.gather(*(feed.page() for _ in range(50)))

    assert len({page.body for page in pages}) == 1
    assert LOOKUPS.labels("list", "miss")._value.get() == misses + 1


async def test_a_page_has_another_etag_only_when_it_has_another_content(
    database: Database, feed: FeedService, owner: UUID
) -> None:
    media_id = await add_media(database, owner)
    first = await feed.page()
    await feed.invalidate(media_id)
    same = await feed.page()
    await feed.like(media_id, owner)
    await feed.invalidate(media_id)
    liked = await feed.page()

    assert first.etag == same.etag
    assert liked.etag != same.etag


@pytest.mark.parametrize("cursor", ["x", "A" * 31, "AAAA", "/" * 32, "ü" * 32])
async def test_a_cursor_that_was_tampered_with_is_refused(feed: FeedService, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        await feed.page(cursor)


async def test_liking_twice_counts_once_and_can_be_taken_back_once(
    database: Database, feed: FeedService, owner: UUID
) -> None:
    media_id = await add_media(database, owner)
    other = await add_user(database)

    counts = [
        (await feed.like(media_id, owner)).likes_count,
        (await feed.like(media_id, owner)).likes_count,
        (await feed.like(media_id, other)).likes_count,
        (await feed.unlike(media_id, owner)).likes_count,
        (await feed.unlike(media_id, owner)).likes_count,
    ]

    assert counts == [1, 1, 2, 1, 1]
    assert await feed.liked([media_id], other) == {media_id: Liked(True, 1)}
    assert await feed.liked([media_id], owner) == {media_id: Liked(False, 1)}


async def test_counts_are_exact_after_many_likes_at_once(
    database: Database, feed: FeedService, owner: UUID
) -> None:
    media_id = await add_media(database, owner)
    users = [await add_user(database) for _ in range(10)]
    chance = random.Random(1)
    moves = [
        (feed.like if chance.random() < 0.6 else feed.unlike)(media_id, chance.choice(users))
        for _ in range(200)
    ]
    limit = asyncio.Semaphore(50)

    async def within(move: Awaitable[object]) -> None:
        async with limit:
            await move

    await asyncio.gather(*map(within, moves))

    async with database.connection() as connection:
        cursor = await connection.execute(
            "SELECT likes_count, (SELECT count(*) FROM likes WHERE media_id = id) AS rows"
            " FROM media"
        )
        row = await cursor.fetchone()
    assert row is not None
    assert row["likes_count"] == row["rows"]
    likes_it = [user for user in users if (await feed.liked([media_id], user))[media_id].liked]
    assert len(likes_it) == row["rows"]


@pytest.mark.parametrize("visibility", ["private", "unlisted", "public"])
async def test_only_who_may_see_an_item_can_like_it(
    database: Database, feed: FeedService, owner: UUID, visibility: str
) -> None:
    media_id = await add_media(database, owner, visibility=visibility)
    stranger = await add_user(database)

    assert (await feed.like(media_id, owner)).likes_count == 1
    assert (media_id in await feed.liked([media_id], stranger)) == (visibility != "private")
    if visibility == "private":
        for move in (feed.like, feed.unlike):
            with pytest.raises(NotFound):
                await move(media_id, stranger)
    else:
        assert (await feed.like(media_id, stranger)).likes_count == 2


async def test_an_item_that_is_not_ready_cannot_be_liked(
    database: Database, feed: FeedService, owner: UUID
) -> None:
    media_id = await add_media(database, owner, state="processing")

    with pytest.raises(NotFound):
        await feed.like(media_id, owner)


async def test_a_like_shows_on_the_next_rendering(
    database: Database, store: FeedStore, cache: RedisCache, feed: FeedService, owner: UUID
) -> None:
    media_id = await add_media(database, owner)
    assert [item["likesCount"] for item in await items(feed)] == [0]
    await feed.like(media_id, owner)

    other_process = FeedService(store, FeedCache(cache), MemoryBucket())
    assert [item["likesCount"] for item in await items(other_process)] == [1]


async def test_too_many_ids_in_a_question_about_likes_are_refused(
    feed: FeedService, owner: UUID
) -> None:
    with pytest.raises(InvalidInput, match="at most 100"):
        await feed.liked([owner] * 101, owner)


async def test_the_answers_stay_the_same_when_redis_is_lost_in_the_middle(
    database: Database, store: FeedStore, owner: UUID
) -> None:
    media_id = await add_media(database, owner)
    with valkey() as url:
        cache = RedisCache(url)
        feed = FeedService(store, FeedCache(cache), MemoryBucket("media"))
        before = await items(feed)
        assert await cache.ping()
    assert not await cache.ping()
    await feed.like(media_id, owner)
    newer = await add_media(database, owner)
    await feed.invalidate(newer)

    after = await items(feed)

    assert [item["id"] for item in after] == [str(newer), str(media_id)]
    assert after[1] == {**before[0], "likesCount": 1}
    await cache.close()
