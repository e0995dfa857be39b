"""`/api/feed` and likes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field, field_validator

from mediaplatform.feed.model import LIKES_LIMIT, Liked
from mediaplatform.media.model import Kind
from mediaplatform_api.endpoints.feed_page import FeedPage
from mediaplatform_api.operations import Access, Call, Model, Operation, PageIn


class ImageOut(Model):
    name: str
    format: str = Field(examples=["image/jpeg"])
    width: int
    height: int
    url: str = Field(description="good for an hour at least")


class OwnerOut(Model):
    id: UUID
    name: str


class ItemOut(Model):
    id: UUID
    kind: Kind
    title: str
    owner: OwnerOut
    published_at: datetime
    width: int
    height: int
    placeholder: str | None = Field(description="ThumbHash, base64")
    images: list[ImageOut] = Field(description="the sizes useful in a feed")
    likes_count: int


class FeedOut(Model):
    items: list[ItemOut]
    next_cursor: str | None = Field(description="null on the last page")


class LikesIn(Model):
    ids: list[UUID] = Field(max_length=LIKES_LIMIT, description="separated by commas")

    @field_validator("ids", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split(",") if isinstance(value, str) else value


class LikedOut(Model):
    liked: bool
    likes_count: int


class LikeOut(LikedOut):
    id: UUID


class LikesOut(Model):
    items: list[LikeOut] = Field(description="those that you may see, in no order")


async def likes(call: Call) -> LikesOut:
    query: LikesIn = call.query
    found = await call.services.feed.liked(query.ids, call.user)
    return LikesOut(
        items=[
            LikeOut(id=media_id, liked=liked.liked, likes_count=liked.likes_count)
            for media_id, liked in found.items()
        ]
    )


async def like(call: Call) -> LikedOut:
    return _liked(await call.services.feed.like(call.media_id, call.user))


async def unlike(call: Call) -> LikedOut:
    return _liked(await call.services.feed.unlike(call.media_id, call.user))


def _liked(liked: Liked) -> LikedOut:
    return LikedOut(liked=liked.liked, likes_count=liked.likes_count)


LIKE = "/api/media/{id}/like"
OPERATIONS = (
    Operation(
        "GET",
        "/api/feed",
        "What is public, newest first",
        app=lambda services: FeedPage(services.feed),
        access=Access.ANYBODY,
        query=PageIn,
        answer=FeedOut,
        description="The same for everybody, with a weak ETag; ask for your likes apart.",
        headers={"If-None-Match": "the ETag of the page that you hold"},
    ),
    Operation(
        "GET",
        "/api/feed/likes",
        "Which of these you like, and how many do",
        likes,
        query=LikesIn,
        answer=LikesOut,
    ),
    Operation("PUT", LIKE, "Like", like, answer=LikedOut, problems=(404,)),
    Operation("DELETE", LIKE, "Take a like back", unlike, answer=LikedOut, problems=(404,)),
)
