"""`/api/media`: uploads and the library."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, field_validator
from starlette.responses import RedirectResponse

from mediaplatform.errors import InvalidInput
from mediaplatform.media.model import Kind, Media, Rendition, State, Visibility
from mediaplatform.media.requests import Changes, LibraryQuery, UploadRequest
from mediaplatform.media.service import Upload
from mediaplatform.platform.paging import after
from mediaplatform_api.operations import Access, Call, Model, Operation, PageIn, Reply

WAIT_SECONDS = 25
LOOK_SECONDS = (0.1, 1.0)  # between two looks for a change, at least and at most
LOOK_SHARE = 0.3  # of the time for which nothing changed


class UploadIn(Model):
    file_name: str = Field(max_length=255, examples=["dawn.jpg"])
    size: int = Field(ge=1, description="bytes, exactly")
    content_type: str = Field(max_length=127, examples=["image/jpeg"])
    sha256: str = Field(pattern="^[0-9a-fA-F]{64}$", description="of the whole file, hexadecimal")
    visibility: Visibility = Visibility.PRIVATE


class ChangesIn(Model):
    title: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=5000)
    tags: list[str] | None = Field(None, max_length=50)
    visibility: Visibility | None = None


class LibraryIn(PageIn):
    q: str = Field("", max_length=200, description="words that must all be found")
    kind: Kind | None = None
    state: Literal["", "trashed"] = Field("", description="`trashed` for the trash")

    @field_validator("kind", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return value or None


class StatusIn(Model):
    wait: float = Field(0, ge=0, le=WAIT_SECONDS, description="seconds to wait for a change")
    known: str = Field("", description="the state that the client knows; another is told at once")


class DownloadIn(Model):
    rendition: str | None = Field(
        None, description="its name; left out, the original, for its owner"
    )


class DeleteIn(Model):
    permanent: bool = Field(False, description="out of the trash, for good")


class RenditionOut(Model):
    name: str
    format: str = Field(examples=["image/jpeg"])
    width: int
    height: int
    size: int = Field(description="bytes")
    url: str = Field(description="good for an hour")


class StatusOut(Model):
    id: UUID
    state: State
    reason: str | None = Field(description="why it failed, or stays at one tier: a code")
    reason_detail: str | None = Field(description="the same as a sentence that says what to do")
    tiers: int = Field(description="how many tiers of renditions are published, of 2")
    revision: int


class MediaOut(StatusOut):
    kind: Kind | None
    visibility: Visibility
    title: str
    description: str
    tags: list[str]
    file_name: str
    size: int = Field(description="bytes of the original")
    width: int | None
    height: int | None
    placeholder: str | None = Field(description="ThumbHash, base64")
    metadata: Mapping[str, Any]
    position: Mapping[str, float] | None = Field(description="for its owner alone")
    likes_count: int
    created_at: datetime
    taken_at: datetime | None
    published_at: datetime | None
    renditions: list[RenditionOut]


class RequestOut(Model):
    method: str
    url: str
    headers: Mapping[str, str] = Field(description="to be sent to the letter")


class UploadOut(Model):
    media: StatusOut
    upload: RequestOut | None = Field(description="null where these bytes are there already")


class LibraryOut(Model):
    items: list[MediaOut]
    next_cursor: str | None


async def upload_url(call: Call) -> UploadOut:
    body: UploadIn = call.body
    wanted = UploadRequest(
        body.file_name, body.size, body.content_type, bytes.fromhex(body.sha256), body.visibility
    )
    return _upload(await call.services.media.request_upload(call.user, wanted))


async def renew(call: Call) -> UploadOut:
    return _upload(await call.services.media.renew(call.media_id, call.user))


async def confirm(call: Call) -> StatusOut:
    return _status(await call.services.media.confirm(call.media_id, call.user))


async def status(call: Call) -> StatusOut:
    query: StatusIn = call.query
    end = asyncio.get_running_loop().time() + query.wait
    while True:
        media = await call.services.media.get(call.media_id, call.user_id)
        left = end - asyncio.get_running_loop().time()
        if media.state != query.known or left <= 0:
            return _status(media)
        await asyncio.sleep(min(_pause(media), left))


def _pause(media: Media) -> float:
    """Seconds until the next look: the longer nothing changed, the less near is a change."""
    unchanged = (datetime.now(UTC) - media.updated_at).total_seconds()
    least, most = LOOK_SECONDS
    return min(max(least, unchanged * LOOK_SHARE), most)


async def library(call: Call) -> LibraryOut:
    query: LibraryIn = call.query
    page = await call.services.media.library(
        call.user,
        LibraryQuery(
            after(query.cursor), query.limit, query.state == "trashed", query.kind, query.q
        ),
    )
    renditions = await call.services.media.renditions(page.items)
    items = [_media(call, media, renditions[media.id]) for media in page.items]
    return LibraryOut(items=items, next_cursor=page.next_cursor)


async def get(call: Call) -> Reply:
    return await _shown(call, await call.services.media.get(call.media_id, call.user_id))


async def patch(call: Call) -> Reply:
    body: ChangesIn = call.body
    tags = tuple(body.tags) if body.tags is not None else None
    changes = Changes(body.title, body.description, tags, body.visibility)
    media = await call.services.media.update(call.media_id, call.user, changes, _revision(call))
    await call.services.feed.invalidate(media.id)
    return await _shown(call, media)


async def delete(call: Call) -> None:
    query: DeleteIn = call.query
    if query.permanent:
        await call.services.media.delete(call.media_id, call.user)
    else:
        await call.services.media.trash(call.media_id, call.user)
        await call.services.feed.invalidate(call.media_id)


async def restore(call: Call) -> StatusOut:
    media = await call.services.media.restore(call.media_id, call.user)
    await call.services.feed.invalidate(media.id)
    return _status(media)


async def cancel(call: Call) -> StatusOut:
    return _status(await call.services.media.cancel(call.media_id, call.user))


async def download(call: Call) -> RedirectResponse:
    query: DownloadIn = call.query
    url = await call.services.media.download(call.media_id, call.user_id, query.rendition)
    return RedirectResponse(url, 302, {"cache-control": "no-store"})


def _revision(call: Call) -> int | None:
    """Of If-Match. Raises InvalidInput."""
    given = call.headers.get("if-match", "*").strip()
    if given == "*":
        return None
    try:
        return int(given.removeprefix("W/").strip('"'))
    except ValueError:
        raise InvalidInput(
            "If-Match must be the ETag of an earlier answer", field="If-Match"
        ) from None


async def _shown(call: Call, media: Media) -> Reply:
    renditions = await call.services.media.renditions((media,))
    headers = {"etag": f'"{media.revision}"', "cache-control": "private, no-cache"}
    return Reply(_media(call, media, renditions[media.id]), headers)


def _status(media: Media) -> StatusOut:
    return StatusOut(**_status_of(media))


def _status_of(media: Media) -> dict[str, Any]:
    return {
        "id": media.id,
        "state": media.state,
        "reason": media.reason,
        "reason_detail": media.reason_detail,
        "tiers": media.tiers,
        "revision": media.revision,
    }


def _media(call: Call, media: Media, renditions: tuple[Rendition, ...]) -> MediaOut:
    return MediaOut(
        **_status_of(media),
        kind=media.kind,
        visibility=media.visibility,
        title=media.title,
        description=media.description,
        tags=list(media.tags),
        file_name=media.file_name,
        size=media.size_bytes,
        width=media.width,
        height=media.height,
        placeholder=media.placeholder,
        metadata=media.metadata,
        position=media.position,
        likes_count=media.likes_count,
        created_at=media.created_at,
        taken_at=media.taken_at,
        published_at=media.published_at,
        renditions=[_rendition(call, rendition) for rendition in renditions],
    )


def _rendition(call: Call, rendition: Rendition) -> RenditionOut:
    return RenditionOut(
        name=rendition.name,
        format=rendition.format,
        width=rendition.width,
        height=rendition.height,
        size=rendition.size_bytes,
        url=call.services.media.sign(rendition),
    )


def _upload(upload: Upload) -> UploadOut:
    request = upload.request
    if request is None:
        return UploadOut(media=_status(upload.media), upload=None)
    asked = RequestOut(method=request.method, url=request.url, headers=request.headers)
    return UploadOut(media=_status(upload.media), upload=asked)


ITEM = "/api/media/{id}"
OPERATIONS = (
    Operation(
        "POST",
        "/api/media/upload-url",
        "Ask for a place to upload a file",
        upload_url,
        body=UploadIn,
        answer=UploadOut,
        status=201,
        problems=(413,),
        idempotent=True,
        description="PUT the file to the URL with the headers given, within five minutes, then "
        "confirm. The signature pins length, type and SHA-256, and allows one PUT. The same bytes "
        "in your library give that item and no URL.",
    ),
    Operation(
        "GET",
        "/api/media",
        "Your library, newest first",
        library,
        query=LibraryIn,
        answer=LibraryOut,
    ),
    Operation(
        "GET",
        ITEM,
        "One item",
        get,
        access=Access.KNOWN_IF_SIGNED_IN,
        answer=MediaOut,
        problems=(404,),
        description="Strangers see what is ready and not private.",
    ),
    Operation(
        "PATCH",
        ITEM,
        "Change title, description, tags or visibility",
        patch,
        body=ChangesIn,
        answer=MediaOut,
        problems=(404, 409, 412),
        headers={"If-Match": "the ETag of the item as you read it"},
    ),
    Operation(
        "DELETE",
        ITEM,
        "Put it in the trash, or delete it for good",
        delete,
        query=DeleteIn,
        status=204,
        problems=(404, 409),
    ),
    Operation(
        "POST",
        ITEM + "/confirm",
        "Say that the bytes are there",
        confirm,
        answer=StatusOut,
        problems=(404, 409),
    ),
    Operation(
        "GET",
        ITEM + "/status",
        "How far it is",
        status,
        access=Access.KNOWN_IF_SIGNED_IN,
        query=StatusIn,
        answer=StatusOut,
        problems=(404,),
        description="With `wait` and `known` it answers as soon as the state is another one.",
    ),
    Operation(
        "POST",
        ITEM + "/renew",
        "Another URL for an upload that has not come",
        renew,
        answer=UploadOut,
        problems=(404, 409),
    ),
    Operation(
        "POST",
        ITEM + "/cancel",
        "Give up an item that is not ready",
        cancel,
        answer=StatusOut,
        problems=(404, 409),
    ),
    Operation(
        "POST",
        ITEM + "/restore",
        "Out of the trash",
        restore,
        answer=StatusOut,
        problems=(404, 409),
    ),
    Operation(
        "GET",
        ITEM + "/download",
        "Download a rendition, or your original",
        download,
        access=Access.KNOWN_IF_SIGNED_IN,
        query=DownloadIn,
        status=302,
        problems=(404,),
    ),
)
