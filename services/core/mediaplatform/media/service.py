"""The library: uploads, what becomes of them, and who may see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from mediaplatform.errors import Conflict, NotFound, ObjectMissing, QuotaExceeded, StaleRevision
from mediaplatform.media.model import Media, Rendition, State, Visibility
from mediaplatform.media.outbox import Outbox
from mediaplatform.media.requests import Changes, LibraryQuery, UploadRequest
from mediaplatform.media.store import MediaStore
from mediaplatform.platform.ids import new_id
from mediaplatform.platform.paging import Position
from mediaplatform.platform.ports.clock import Clock
from mediaplatform.platform.ports.objects import ObjectStore, SignedRequest

PUT_SECONDS = 300  # in which a PUT must begin
GET_SECONDS = 3600
ON_THEIR_WAY = frozenset({State.UPLOADED, State.PROCESSING, State.READY})


@dataclass(frozen=True)
class Limits:
    upload_bytes: int
    storage_per_user: int
    abandoned_upload_days: int


@dataclass(frozen=True)
class Upload:
    """An item, and what to send where; no request where the bytes are there already."""

    media: Media
    request: SignedRequest | None


@dataclass(frozen=True)
class Library:
    items: tuple[Media, ...]
    next_cursor: str | None


class MediaService:
    """`uploads` is the bucket that clients write, `media` the one that only workers write."""

    def __init__(
        self,
        *,
        store: MediaStore,
        outbox: Outbox,
        uploads: ObjectStore,
        media: ObjectStore,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._store, self._outbox, self._clock, self._limits = store, outbox, clock, limits
        self._uploads, self._media = uploads, media

    async def request_upload(self, owner_id: UUID, wanted: UploadRequest) -> Upload:
        """A place for a file, or the item that has the same bytes already.

        Raises InvalidInput or QuotaExceeded.
        """
        wanted.checked(self._limits.upload_bytes)
        async with self._store.transaction() as connection:
            await self._store.lock_owner(connection, owner_id)
            media = await self._store.duplicate(connection, owner_id, wanted.sha256)
            if media is None:
                used = await self._store.used(connection, owner_id)
                self._check_quota(used, wanted.size_bytes)
                media = await self._store.insert(
                    connection,
                    new_id(),
                    owner_id,
                    wanted,
                    upload_key=f"incoming/{owner_id}/{new_id()}",
                    upload_expires_at=self._deadline(),
                )
        return self._upload(media)

    async def renew(self, media_id: UUID, owner_id: UUID) -> Upload:
        """Another URL for an upload that has not come. Raises NotFound or Conflict."""
        media = await self._store.renew(media_id, owner_id, self._deadline())
        return self._upload(media or await self._refuse(media_id, owner_id, "given a new URL"))

    async def confirm(self, media_id: UUID, owner_id: UUID) -> Media:
        """The client says that the bytes are there. Saying it again changes nothing.

        Raises NotFound, or Conflict where S3 does not have them or the item has gone another way.
        """
        media = await self.own(media_id, owner_id)
        if media.state in ON_THEIR_WAY:
            return media
        if media.state not in {State.WAITING, State.EXPIRED}:
            await self._refuse(media_id, owner_id, "confirmed")
        try:
            found = await self._uploads.head(media.upload_key)
        except ObjectMissing:
            raise Conflict("No bytes have arrived: PUT the file, then confirm again.") from None
        promise = await self._store.uploaded(media_id, found.etag)
        if promise is not None:
            await self._outbox.publish([promise])
        return await self.own(media_id, owner_id)

    async def get(self, media_id: UUID, viewer_id: UUID | None) -> Media:
        """Raises NotFound alike for what is not there and for what is not theirs to see."""
        media = await self._store.get(media_id)
        if media is None or not may_see(media, viewer_id):
            raise NotFound("There is no such item.")
        return media if media.owner_id == viewer_id else replace(media, position=None)

    async def own(self, media_id: UUID, owner_id: UUID) -> Media:
        """Raises NotFound where it is not theirs."""
        media = await self._store.get(media_id)
        if media is None or media.owner_id != owner_id:
            raise NotFound("There is no such item.")
        return media

    async def renditions(self, items: tuple[Media, ...]) -> dict[UUID, tuple[Rendition, ...]]:
        """Of each item, smallest first."""
        return await self._store.renditions([media.id for media in items])

    async def library(self, owner_id: UUID, query: LibraryQuery) -> Library:
        items = await self._store.library(owner_id, query)
        kept = tuple(items[: query.limit])
        if len(items) == len(kept):
            return Library(kept, None)
        return Library(kept, Position(kept[-1].created_at, kept[-1].id).to_cursor())

    async def update(
        self, media_id: UUID, owner_id: UUID, changes: Changes, revision: int | None = None
    ) -> Media:
        """Raises InvalidInput, NotFound, Conflict, or StaleRevision where `revision` is older."""
        media = await self._store.update(media_id, owner_id, changes.checked(), revision)
        if media is not None:
            return media
        held = await self.own(media_id, owner_id)
        if revision not in {None, held.revision}:
            raise StaleRevision
        return await self._refuse(media_id, owner_id, "changed")

    async def cancel(self, media_id: UUID, owner_id: UUID) -> Media:
        """Raises NotFound, or Conflict once it is ready."""
        media = await self._store.cancel(media_id, owner_id)
        return media or await self._already(State.CANCELLED, media_id, owner_id, "cancelled")

    async def trash(self, media_id: UUID, owner_id: UUID) -> Media:
        """Raises NotFound or Conflict."""
        media = await self._store.trash(media_id, owner_id)
        return media or await self._already(State.TRASHED, media_id, owner_id, "put in the trash")

    async def restore(self, media_id: UUID, owner_id: UUID) -> Media:
        """Raises NotFound or Conflict."""
        media = await self._store.restore(media_id, owner_id)
        return media or await self._already(State.READY, media_id, owner_id, "restored")

    async def delete(self, media_id: UUID, owner_id: UUID) -> None:
        """For good, out of the trash. Raises NotFound or Conflict."""
        if await self._store.delete(media_id, owner_id) is None:
            await self._refuse(media_id, owner_id, "deleted for good; put it in the trash first")

    async def download(
        self, media_id: UUID, viewer_id: UUID | None, rendition: str | None = None
    ) -> str:
        """A URL of a rendition, or of the original for its owner alone: it holds the position.

        Raises NotFound.
        """
        media = await self.get(media_id, viewer_id)
        if rendition is None:
            if media.owner_id != viewer_id or media.tiers < 2:
                raise NotFound("There is no original for you. Choose a rendition.")
            return self._media.sign_get(
                media.original_key, expires=GET_SECONDS, download_as=media.file_name
            )
        for made in (await self.renditions((media,)))[media.id]:
            if made.name == rendition:
                name = f"{media.title or media.id}-{made.name}.{made.key.rpartition('.')[2]}"
                return self._media.sign_get(made.key, expires=GET_SECONDS, download_as=name)
        raise NotFound(f"There is no rendition {rendition!r} of this item.")

    def sign(self, rendition: Rendition) -> str:
        """A URL at which a browser may show it for an hour."""
        return self._media.sign_get(rendition.key, expires=GET_SECONDS)

    def _upload(self, media: Media) -> Upload:
        if media.state is not State.WAITING:
            return Upload(media, None)
        request = self._uploads.sign_put(
            media.upload_key,
            size=media.size_bytes,
            content_type=media.content_type,
            sha256=media.sha256,
            expires=PUT_SECONDS,
        )
        return Upload(media, request)

    def _check_quota(self, used: int, more: int) -> None:
        left = self._limits.storage_per_user - used
        if more > left:
            raise QuotaExceeded(
                f"This file needs {more} bytes and {max(left, 0)} are left. "
                "Delete something for good to make room."
            )

    def _deadline(self) -> datetime:
        return self._clock.now() + timedelta(days=self._limits.abandoned_upload_days)

    async def _already(self, state: State, media_id: UUID, owner_id: UUID, what: str) -> Media:
        """The item, where the move was made before."""
        media = await self.own(media_id, owner_id)
        return media if media.state is state else await self._refuse(media_id, owner_id, what)

    async def _refuse(self, media_id: UUID, owner_id: UUID, what: str) -> Media:
        media = await self.own(media_id, owner_id)
        raise Conflict(f"This item is {media.state} and cannot be {what}.")


def may_see(media: Media, viewer_id: UUID | None) -> bool:
    """Its owner always; others what is ready and not private."""
    if media.owner_id == viewer_id:
        return media.state is not State.DELETED
    return media.state is State.READY and media.visibility is not Visibility.PRIVATE
