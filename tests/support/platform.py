"""The pieces of a worker on real servers, for tests that watch them from close by."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

from PIL import Image

from mediaplatform.errors import MediaPlatformError
from mediaplatform.media.model import Media, Visibility
from mediaplatform.media.outbox import Outbox
from mediaplatform.media.requests import UploadRequest
from mediaplatform.media.service import Limits, MediaService
from mediaplatform.media.store import MediaStore
from mediaplatform.media.upkeep import Policy, Upkeep
from mediaplatform.media.work import MediaWork
from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.adapters.clock import SystemClock
from mediaplatform.platform.adapters.objects import S3Bucket
from mediaplatform.platform.adapters.queue import SqsQueue
from mediaplatform.platform.database import Database, fetch_all
from mediaplatform_worker.ingest import Ingest
from mediaplatform_worker.sandbox.port import Sandbox

VISIBILITY_S = 30
RECEIVES = 3


@dataclass
class Bench:
    """A library, an ingest handler and a sweeper that share a bucket pair and a queue."""

    database: Database
    aws: Aws
    uploads: S3Bucket
    media: S3Bucket
    queue: SqsQueue
    dead: SqsQueue
    library: MediaService
    work: MediaWork
    outbox: Outbox
    upkeep: Upkeep
    announced: list[UUID]
    uploads_name: str
    media_name: str

    async def execute(self, statement: LiteralString, values: Any = None) -> None:
        async with self.database.connection() as connection:
            await connection.execute(statement, values)

    @classmethod
    async def make(cls, database: Database, aws: Aws) -> Bench:
        mark = uuid4().hex[:12]
        names = [f"up-{mark}", f"media-{mark}"]
        for name in names:
            await aws.call(aws.s3.create_bucket, Bucket=name)
        dead = (await aws.call(aws.sqs.create_queue, QueueName=f"dead-{mark}"))["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:000000000000:dead-{mark}"
        policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": {RECEIVES}}}'
        attributes = {"RedrivePolicy": policy, "VisibilityTimeout": str(VISIBILITY_S)}
        made = await aws.call(
            aws.sqs.create_queue, QueueName=f"ingest-{mark}", Attributes=attributes
        )
        queue = SqsQueue(aws, made["QueueUrl"])
        uploads, media = (S3Bucket(aws, name) for name in names)
        outbox = Outbox(database, {"ingest": queue})
        announced: list[UUID] = []

        async def announce(media_id: UUID) -> None:
            announced.append(media_id)

        library = MediaService(
            store=MediaStore(database),
            outbox=outbox,
            uploads=uploads,
            media=media,
            clock=SystemClock(),
            limits=Limits(10**9, 10**10, 1),
        )
        upkeep = Upkeep(
            database,
            outbox=outbox,
            uploads=uploads,
            media=media,
            ingest=queue,
            policy=Policy(0, RECEIVES, trash_days=30, unused_days=0),
            announce=announce,
        )
        work = MediaWork(database, claim_seconds=VISIBILITY_S)
        return cls(
            database, aws, uploads, media, queue, SqsQueue(aws, dead), library, work, outbox,
            upkeep, announced, *names,
        )  # fmt: skip

    def ingest(self, sandbox: Sandbox, scratch: Path, **changes: Any) -> Ingest:
        async def announce(media_id: UUID) -> None:
            self.announced.append(media_id)

        parts: dict[str, Any] = {
            "work": self.work,
            "extend": lambda message: self.queue.hide(message, VISIBILITY_S),
            "uploads": self.uploads,
            "media": self.media,
            "sandbox": sandbox,
            "scratch": scratch,
            "visibility_seconds": VISIBILITY_S,
            "announce": announce,
        }
        return Ingest(**parts | changes)

    async def upload(
        self, owner: UUID, content: bytes, *, put: bool = True, confirm: bool = True
    ) -> Media:
        """An item with these bytes in S3, confirmed unless told otherwise."""
        wanted = UploadRequest(
            "photo.jpg", len(content), "image/jpeg", hashlib.sha256(content).digest(),
            Visibility.PUBLIC,
        )  # fmt: skip
        media = (await self.library.request_upload(owner, wanted)).media
        if put:
            await self.uploads.upload(media.upload_key, content, content_type="image/jpeg")
        if put and confirm:
            media = await self.library.confirm(media.id, owner)
        return media

    async def moves(self, media_id: UUID) -> list[str]:
        """The states that an item went through."""
        query = "SELECT to_state FROM media_moves WHERE media_id = %(id)s ORDER BY id"
        async with self.database.connection() as connection:
            rows = await fetch_all(connection, query, {"id": media_id})
        return [row["to_state"] for row in rows]

    async def row(self, media_id: UUID) -> dict[str, Any]:
        async with self.database.connection() as connection:
            rows = await fetch_all(
                connection, "SELECT * FROM media WHERE id = %(id)s", {"id": media_id}
            )
        if not rows:
            raise MediaPlatformError(f"no item {media_id}")
        return rows[0]


def photo(size: tuple[int, int] = (1200, 900), *, shade: int = 128) -> bytes:
    """A JPEG with something to see in it; another `shade` makes other bytes."""
    image = Image.radial_gradient("L").resize(size).point(lambda value: (value + shade) % 256)
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()
