"""Everything a request may need, made once per process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from mediaplatform.accounts.model import SESSION
from mediaplatform.accounts.passwords import Passwords
from mediaplatform.accounts.service import AccountService
from mediaplatform.accounts.store import AccountStore
from mediaplatform.accounts.tokens import AccessTokens
from mediaplatform.feed.cache import FeedCache
from mediaplatform.feed.service import FeedService
from mediaplatform.feed.store import FeedStore
from mediaplatform.media.outbox import Outbox
from mediaplatform.media.service import Limits, MediaService
from mediaplatform.media.store import MediaStore
from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.adapters.cache import RedisCache
from mediaplatform.platform.adapters.clock import SystemClock
from mediaplatform.platform.adapters.objects import S3Bucket
from mediaplatform.platform.adapters.queue import SqsQueue
from mediaplatform.platform.database import Database
from mediaplatform.platform.ports.cache import Cache
from mediaplatform.platform.ports.clock import Clock
from mediaplatform.platform.ports.objects import ObjectStore
from mediaplatform.platform.ports.queue import Queue
from mediaplatform.platform.settings import Settings
from mediaplatform_api.idempotency import Idempotency
from mediaplatform_api.limits import RateLimit


@dataclass(frozen=True)
class Outside:
    """The world behind the ports."""

    database: Database
    cache: Cache
    uploads: ObjectStore
    media: ObjectStore
    ingest: Queue
    clock: Clock


@dataclass(frozen=True)
class Services:
    settings: Settings
    outside: Outside
    accounts: AccountService
    media: MediaService
    feed: FeedService
    idempotency: Idempotency
    rate_limit: RateLimit

    @property
    def secure(self) -> bool:
        """Whether cookies may travel over TLS only."""
        return self.settings.public_url.startswith("https:")

    @property
    def cookie_seconds(self) -> int:
        return int(SESSION.total_seconds())


@asynccontextmanager
async def open_outside(settings: Settings) -> AsyncIterator[Outside]:
    """The real adapters, closed at the end."""
    async with AsyncExitStack() as stack:
        aws = Aws(
            settings.region,
            endpoint=settings.aws_endpoint,
            public_endpoint=settings.aws_public_endpoint,
        )
        stack.callback(aws.close)
        cache = RedisCache(settings.redis_url)
        stack.push_async_callback(cache.close)
        yield Outside(
            database=await stack.enter_async_context(Database(settings.database_url)),
            cache=cache,
            uploads=S3Bucket(aws, settings.uploads_bucket),
            media=S3Bucket(aws, settings.media_bucket),
            ingest=SqsQueue(aws, settings.ingest_queue_url),
            clock=SystemClock(),
        )


def make_services(settings: Settings, outside: Outside) -> Services:
    database, cache, clock = outside.database, outside.cache, outside.clock
    return Services(
        settings=settings,
        outside=outside,
        accounts=AccountService(
            store=AccountStore(database),
            passwords=Passwords(),
            tokens=AccessTokens(settings.token_secret, settings.public_url, clock),
            cache=cache,
            clock=clock,
        ),
        media=MediaService(
            store=MediaStore(database),
            outbox=Outbox(database, {"ingest": outside.ingest}),
            uploads=outside.uploads,
            media=outside.media,
            clock=clock,
            limits=Limits(
                upload_bytes=settings.upload_bytes,
                storage_per_user=settings.storage_per_user,
                abandoned_upload_days=settings.abandoned_upload_days,
            ),
        ),
        feed=FeedService(FeedStore(database), FeedCache(cache), outside.media),
        idempotency=Idempotency(database),
        rate_limit=RateLimit(cache, settings.requests_per_minute),
    )
