"""One message of the ingest queue, from its delivery to the renditions in the media bucket."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from mediaplatform.errors import (
    MediaPlatformError,
    MessageGone,
    ObjectChanged,
    ObjectMissing,
    Rejected,
    Unavailable,
)
from mediaplatform.media.events import IngestJob, parse
from mediaplatform.media.model import Media, Rendition, State
from mediaplatform.media.work import INCOMPLETE, MISSING, Claim, Found, MediaWork
from mediaplatform.platform.ports.objects import ObjectStore
from mediaplatform.platform.ports.queue import Message
from mediaplatform_worker.images.model import RenditionFile
from mediaplatform_worker.sandbox.port import FirstTier, Sandbox

IMMUTABLE = "private, max-age=31536000, immutable"
SPARE_DISK = 256 * 1024**2  # bytes to leave free, for what a job writes itself
log = structlog.get_logger()


class ClaimLost(MediaPlatformError):
    """Another delivery has the item now, or its owner cancelled it."""


class Ingest:
    """`announce` is told of an item after each commit that changes what others may see.

    `extend` keeps a message from others for `visibility_seconds` more; see `Consumer`.
    """

    def __init__(
        self,
        *,
        work: MediaWork,
        extend: Callable[[Message], Awaitable[None]],
        uploads: ObjectStore,
        media: ObjectStore,
        sandbox: Sandbox,
        scratch: Path,
        visibility_seconds: int,
        announce: Callable[[UUID], Awaitable[None]],
    ) -> None:
        self._work, self._extend, self._uploads, self._media = work, extend, uploads, media
        self._sandbox, self._scratch, self._announce = sandbox, scratch, announce
        self._visibility = visibility_seconds

    async def handle(self, message: Message) -> None:
        """Do all that the message asks for; when this returns, it may be deleted.

        Raises InvalidInput for a message that says nothing we know, and Unavailable where trying
        again later may work.
        """
        for part in parse(message.body):
            if isinstance(part, IngestJob):
                await self._ingest(part.media_id, message)
            else:
                media_id = await self._work.record(part)
                if media_id is not None:
                    await self._ingest(media_id, message)

    async def _ingest(self, media_id: UUID, message: Message) -> None:
        claim = await self._work.claim(media_id, message)
        if claim is None:
            return
        story = {"media_id": str(media_id)}
        if claim.media.traceparent:  # S3's own events know nothing of the upload's trace
            story["traceparent"] = claim.media.traceparent
        with structlog.contextvars.bound_contextvars(**story):
            try:
                async with self._heartbeat(claim, message):
                    await self._process(claim)
            except ClaimLost:
                log.info("claim lost", claim=claim.token)
            except Rejected as rejection:
                await self._reject(claim, rejection)
            except BaseException:
                # Also when the worker is told to stop: the next delivery need not wait.
                with contextlib.suppress(Unavailable):
                    await asyncio.shield(self._work.release(claim))
                raise

    async def _process(self, claim: Claim) -> None:
        media = claim.media
        self._check_room(media.size_bytes)
        folder = Path(tempfile.mkdtemp(prefix="upload-", dir=self._scratch))
        try:
            source = folder / "source"
            await self._fetch(claim, source)
            with first_fault():
                async with asyncio.TaskGroup() as tasks:
                    original = tasks.create_task(self._keep_original(media, source))
                    await self._make(claim, source, original)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _make(self, claim: Claim, source: Path, original: Awaitable[None]) -> None:
        first_tier = claim.media.state is not State.READY
        async with self._sandbox.job(source, first_tier=first_tier) as job:
            if first_tier:
                await self._publish_first(claim, await job.first_tier())
            try:
                made = await job.second_tier()
            except Rejected as rejection:
                # What is public stays public; only the smaller files are missing.
                log.warning("no second tier", reason=rejection.code)
                made = ()
            # Once the item is complete nobody fetches the upload again, and it is soon deleted.
            await original
            await self._publish_second(claim, made)

    async def _publish_first(self, claim: Claim, first: FirstTier) -> None:
        renditions = await self._upload(claim.media.id, first.renditions)
        if not await self._work.publish_first(claim, _found(first), renditions):
            raise ClaimLost
        log.info("first tier published")
        await self._announce(claim.media.id)

    async def _publish_second(self, claim: Claim, made: Sequence[RenditionFile]) -> None:
        renditions = await self._upload(claim.media.id, made)
        if not await self._work.publish_second(claim, renditions):
            raise ClaimLost
        log.info("second tier published")
        await self._announce(claim.media.id)

    async def _fetch(self, claim: Claim, source: Path) -> None:
        """Raises Rejected where the bytes are not, or no longer, the announced ones."""
        try:
            digest = await self._download(claim, source)
        except ObjectMissing:
            raise Rejected("missing", MISSING) from None
        if digest != claim.media.sha256:
            raise Rejected(
                "changed", "The uploaded bytes are not the announced ones. Upload again."
            )

    async def _download(self, claim: Claim, source: Path) -> bytes:
        key = claim.media.upload_key
        try:
            return await self._uploads.download(key, source, etag=claim.media.etag)
        except ObjectChanged:
            found = await self._uploads.head(key)
            await self._work.pin(claim, found.etag)
            return await self._uploads.download(key, source, etag=found.etag)

    async def _keep_original(self, media: Media, source: Path) -> None:
        kind = media.content_type
        await self._media.upload(
            media.original_key, source, content_type=kind, cache_control=IMMUTABLE
        )

    async def _upload(self, media_id: UUID, files: Sequence[RenditionFile]) -> list[Rendition]:
        renditions = [_rendition(media_id, file) for file in files]
        await together(*map(self._upload_one, renditions, files))
        return renditions

    async def _upload_one(self, rendition: Rendition, file: RenditionFile) -> None:
        await self._media.upload(
            rendition.key, file.path, content_type=file.format, cache_control=IMMUTABLE
        )

    async def _reject(self, claim: Claim, rejection: Rejected) -> None:
        log.info("rejected", reason=rejection.code)
        is_seen = claim.media.state is State.READY  # an earlier delivery published its first tier
        await self._work.fail(claim, rejection.code, INCOMPLETE if is_seen else rejection.message)

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(self._scratch).free
        if free < 2 * size + SPARE_DISK:
            raise Unavailable(f"{free} bytes of scratch space are too few for {size} more.")

    @asynccontextmanager
    async def _heartbeat(self, claim: Claim, message: Message) -> AsyncIterator[None]:
        """Keep both while the block runs; ends it with ClaimLost or Unavailable when that fails."""
        with first_fault():
            async with asyncio.TaskGroup() as tasks:
                beating = tasks.create_task(self._beat(claim, message))
                yield
                beating.cancel()

    async def _beat(self, claim: Claim, message: Message) -> None:
        """Extend both every third of the visibility.

        Raises ClaimLost, or Unavailable where they may end before the next try.
        """
        loop = asyncio.get_running_loop()
        held_until = loop.time() + self._visibility
        while True:
            await asyncio.sleep(self._visibility / 3)
            try:
                if not await self._work.extend(claim):
                    raise ClaimLost
                await self._extend(message)
                held_until = loop.time() + self._visibility
            except MessageGone:
                raise ClaimLost from None
            except Unavailable:
                if loop.time() > held_until - self._visibility / 3:
                    raise


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """All at once; the first fault cancels the others and is raised."""
    with first_fault():
        async with asyncio.TaskGroup() as tasks:
            for piece in work:
                tasks.create_task(piece)


@contextmanager
def first_fault() -> Iterator[None]:
    """Raise what ended a group of tasks as itself, not as a group."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def _found(first: FirstTier) -> Found:
    seen = first.inspection
    return Found(
        seen.kind, seen.detected_type, seen.width, seen.height, seen.placeholder,
        dict(seen.metadata), dict(seen.position) if seen.position else None, seen.taken_at,
    )  # fmt: skip


def _rendition(media_id: UUID, file: RenditionFile) -> Rendition:
    extension = file.path.suffix or f".{file.format.rpartition('/')[2]}"
    key = f"media/{media_id}/{file.name}{extension}"
    return Rendition(file.name, file.tier, file.format, file.width, file.height, file.size, key)
