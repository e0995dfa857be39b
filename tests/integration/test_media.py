"""The library on PostgreSQL, with buckets and queues in memory."""

from __future__ import annotations

import asyncio
import hashlib
import json
from uuid import UUID, uuid4

import pytest
from tests.support.seed import add_media, add_user

from mediaplatform.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    QuotaExceeded,
    StaleRevision,
)
from mediaplatform.media.model import State, Visibility
from mediaplatform.media.outbox import Outbox
from mediaplatform.media.requests import Changes, LibraryQuery, UploadRequest
from mediaplatform.media.service import Limits, MediaService, Upload
from mediaplatform.media.store import MediaStore
from mediaplatform.platform.database import Database
from mediaplatform.platform.fakes.clock import FakeClock
from mediaplatform.platform.fakes.objects import MemoryBucket
from mediaplatform.platform.fakes.queue import MemoryQueue
from mediaplatform.platform.paging import after

pytestmark = pytest.mark.anyio

QUOTA = 1000


@pytest.fixture
def library(
    database: Database, uploads: MemoryBucket, queue: MemoryQueue, clock: FakeClock
) -> MediaService:
    return MediaService(
        store=MediaStore(database),
        outbox=Outbox(database, {"ingest": queue}),
        uploads=uploads,
        media=MemoryBucket("media"),
        clock=clock,
        limits=Limits(upload_bytes=500, storage_per_user=QUOTA, abandoned_upload_days=1),
    )


def photo(content: bytes = b"photo", *, size: int | None = None) -> UploadRequest:
    size = len(content) if size is None else size
    return UploadRequest("dawn.jpg", size, "image/jpeg", hashlib.sha256(content).digest())


async def put(uploads: MemoryBucket, upload: Upload, content: bytes = b"photo") -> None:
    await uploads.upload(upload.media.upload_key, content, content_type="image/jpeg")


async def moves(database: Database, media_id: UUID) -> list[str]:
    async with database.connection() as connection:
        cursor = await connection.execute(
            "SELECT to_state FROM media_moves WHERE media_id = %s ORDER BY id", (media_id,)
        )
        return [row["to_state"] for row in await cursor.fetchall()]


async def test_an_upload_gets_a_place_that_nobody_else_can_name(
    library: MediaService, owner: UUID
) -> None:
    upload = await library.request_upload(owner, photo())

    assert upload.media.state is State.WAITING
    assert upload.media.title == "dawn"
    assert upload.media.upload_key.startswith(f"incoming/{owner}/")
    assert upload.request is not None
    assert upload.request.headers["content-length"] == "5"


async def test_the_same_bytes_lead_to_the_same_item_even_when_asked_for_at_once(
    library: MediaService, owner: UUID
) -> None:
    answers = await asyncio.gather(*(library.request_upload(owner, photo()) for _ in range(8)))

    assert len({upload.media.id for upload in answers}) == 1


async def test_others_with_the_same_bytes_get_items_of_their_own(
    database: Database, library: MediaService, owner: UUID
) -> None:
    mine = await library.request_upload(owner, photo())
    theirs = await library.request_upload(await add_user(database), photo())

    assert mine.media.id != theirs.media.id


async def test_confirming_moves_it_once_and_sends_one_job(
    database: Database,
    library: MediaService,
    uploads: MemoryBucket,
    queue: MemoryQueue,
    owner: UUID,
) -> None:
    upload = await library.request_upload(owner, photo())
    await put(uploads, upload)
    answers = await asyncio.gather(*(library.confirm(upload.media.id, owner) for _ in range(8)))

    assert {media.state for media in answers} == {State.UPLOADED}
    messages = await queue.receive(limit=10, wait=0)
    assert [json.loads(message.body) for message in messages] == [
        {"job": "ingest", "mediaId": str(upload.media.id)}
    ]
    assert await moves(database, upload.media.id) == ["waiting", "uploaded"]
    assert (await library.request_upload(owner, photo())).request is None


async def test_confirming_without_bytes_is_refused_and_can_be_repeated(
    library: MediaService, uploads: MemoryBucket, owner: UUID
) -> None:
    upload = await library.request_upload(owner, photo())
    with pytest.raises(Conflict, match="PUT the file"):
        await library.confirm(upload.media.id, owner)
    await put(uploads, upload)

    assert (await library.confirm(upload.media.id, owner)).state is State.UPLOADED


async def test_a_job_that_cannot_be_sent_stays_promised(
    database: Database,
    library: MediaService,
    uploads: MemoryBucket,
    queue: MemoryQueue,
    owner: UUID,
) -> None:
    upload = await library.request_upload(owner, photo())
    await put(uploads, upload)
    queue.lose()
    await library.confirm(upload.media.id, owner)

    async with database.connection() as connection:
        cursor = await connection.execute("SELECT body FROM outbox")
        rows = await cursor.fetchall()
    assert [row["body"]["mediaId"] for row in rows] == [str(upload.media.id)]


async def test_a_full_quota_is_told_with_what_is_left(library: MediaService, owner: UUID) -> None:
    await library.request_upload(owner, photo(b"a", size=400))
    await library.request_upload(owner, photo(b"b", size=400))

    with pytest.raises(QuotaExceeded, match="needs 300 bytes and 200 are left"):
        await library.request_upload(owner, photo(b"c", size=300))


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (photo(size=0), "size"),
        (photo(size=501), "size"),
        (UploadRequest("", 1, "image/jpeg", bytes(32)), "fileName"),
        (UploadRequest("a\nb", 1, "image/jpeg", bytes(32)), "fileName"),
        (UploadRequest("a" * 256, 1, "image/jpeg", bytes(32)), "fileName"),
        (UploadRequest("a", 1, "jpeg", bytes(32)), "contentType"),
        (UploadRequest("a", 1, "image/jpeg\r\nx: y", bytes(32)), "contentType"),
        (UploadRequest("a", 1, "image/jpeg", bytes(31)), "sha256"),
    ],
)
async def test_a_wrong_request_names_its_field(
    library: MediaService, owner: UUID, wanted: UploadRequest, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await library.request_upload(owner, wanted)
    assert refused.value.field == field


async def test_an_item_goes_to_the_trash_and_back_and_for_good(
    database: Database, library: MediaService, owner: UUID
) -> None:
    media_id = await add_media(database, owner)

    assert (await library.trash(media_id, owner)).state is State.TRASHED
    assert (await library.trash(media_id, owner)).state is State.TRASHED
    assert (await library.restore(media_id, owner)).state is State.READY
    with pytest.raises(Conflict, match="trash first"):
        await library.delete(media_id, owner)
    await library.trash(media_id, owner)
    await library.delete(media_id, owner)
    with pytest.raises(NotFound):
        await library.get(media_id, owner)
    assert await moves(database, media_id) == ["trashed", "ready", "trashed", "deleted"]


@pytest.mark.parametrize("state", ["waiting", "uploaded", "processing"])
async def test_an_item_can_be_cancelled_until_it_is_ready(
    database: Database, library: MediaService, owner: UUID, state: str
) -> None:
    media_id = await add_media(database, owner, state=state)

    assert (await library.cancel(media_id, owner)).state is State.CANCELLED
    assert (await library.cancel(media_id, owner)).state is State.CANCELLED


async def test_a_ready_item_cannot_be_cancelled(
    database: Database, library: MediaService, owner: UUID
) -> None:
    with pytest.raises(Conflict, match="ready"):
        await library.cancel(await add_media(database, owner), owner)


async def test_only_a_waiting_upload_gets_a_new_url(
    database: Database, library: MediaService, owner: UUID
) -> None:
    upload = await library.request_upload(owner, photo())

    assert (await library.renew(upload.media.id, owner)).request is not None
    with pytest.raises(Conflict):
        await library.renew(await add_media(database, owner), owner)


async def test_a_change_of_an_older_revision_is_refused(
    database: Database, library: MediaService, owner: UUID
) -> None:
    media_id = await add_media(database, owner)
    first = await library.get(media_id, owner)
    changed = await library.update(media_id, owner, Changes(title="Dusk"), first.revision)

    assert (changed.title, changed.revision) == ("Dusk", first.revision + 1)
    with pytest.raises(StaleRevision):
        await library.update(media_id, owner, Changes(title="Noon"), first.revision)


async def test_publishing_again_keeps_the_first_moment(
    database: Database, library: MediaService, owner: UUID
) -> None:
    media_id = await add_media(database, owner, visibility="private")
    first = await library.update(media_id, owner, Changes(visibility=Visibility.PUBLIC))
    await library.update(media_id, owner, Changes(visibility=Visibility.PRIVATE))
    again = await library.update(media_id, owner, Changes(visibility=Visibility.PUBLIC))

    assert first.published_at is not None
    assert again.published_at == first.published_at


@pytest.mark.parametrize(
    ("visibility", "state", "seen"),
    [
        ("public", "ready", True),
        ("unlisted", "ready", True),
        ("private", "ready", False),
        ("public", "processing", False),
        ("public", "trashed", False),
    ],
)
async def test_a_stranger_sees_what_is_ready_and_not_private(
    database: Database,
    library: MediaService,
    owner: UUID,
    visibility: str,
    state: str,
    *,
    seen: bool,
) -> None:
    media_id = await add_media(database, owner, visibility=visibility, state=state)

    assert (await library.get(media_id, owner)).id == media_id
    for stranger in (None, uuid4()):
        if seen:
            assert (await library.get(media_id, stranger)).position is None
        else:
            with pytest.raises(NotFound):
                await library.get(media_id, stranger)


async def test_every_move_of_another_one_s_item_finds_nothing(
    database: Database, library: MediaService, owner: UUID
) -> None:
    media_id = await add_media(database, owner)
    stranger = await add_user(database)

    for refused in (
        library.confirm(media_id, stranger),
        library.renew(media_id, stranger),
        library.cancel(media_id, stranger),
        library.trash(media_id, stranger),
        library.restore(media_id, stranger),
        library.delete(media_id, stranger),
        library.update(media_id, stranger, Changes(title="Mine")),
        library.download(media_id, stranger),
    ):
        with pytest.raises(NotFound):
            await refused


async def test_a_library_is_paged_and_keeps_the_trash_apart(
    database: Database, library: MediaService, owner: UUID
) -> None:
    added = [await add_media(database, owner) for _ in range(5)]
    await add_media(database, await add_user(database))
    await library.trash(added[0], owner)

    first = await library.library(owner, LibraryQuery(limit=3))
    assert first.next_cursor is not None
    second = await library.library(owner, LibraryQuery(limit=3, after=after(first.next_cursor)))
    trash = await library.library(owner, LibraryQuery(trashed=True))

    assert [media.id for media in first.items + second.items] == added[:0:-1]
    assert second.next_cursor is None
    assert [media.id for media in trash.items] == added[:1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("harbour", True),
        ("HARB dusk", True),
        ("harbour noon", False),
        ("sea", True),
        ("%", False),
        ("_", False),
        ("100%", False),
        ("\\", False),
        ("photo.jpg", True),
    ],
)
async def test_a_search_finds_every_word_wherever_it_stands_and_takes_signs_as_they_are(
    database: Database, library: MediaService, owner: UUID, text: str, *, found: bool
) -> None:
    media_id = await add_media(database, owner, title="The harbour at dusk")
    await library.update(media_id, owner, Changes(tags=("sea",)))

    listed = await library.library(owner, LibraryQuery(text=text))
    assert [media.id for media in listed.items] == [media_id] * found


async def test_a_rendition_is_downloaded_by_who_sees_it_and_the_original_by_its_owner(
    database: Database, library: MediaService, owner: UUID
) -> None:
    media_id = await add_media(database, owner, title="Dawn")

    assert "Dawn-jpeg-512.jpg" in await library.download(media_id, None, "jpeg-512")
    assert f"media/{media_id}/original" in await library.download(media_id, owner)
    with pytest.raises(NotFound):
        await library.download(media_id, None)
    with pytest.raises(NotFound, match="jpeg-7"):
        await library.download(media_id, owner, "jpeg-7")
