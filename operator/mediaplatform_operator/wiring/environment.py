"""From a resource and its wiring to the settings of the services."""

from __future__ import annotations

from mediaplatform.platform.settings import Settings
from mediaplatform_operator.resource.model import MediaPlatform
from mediaplatform_operator.wiring.wire import Wired


def settings(
    resource: MediaPlatform, wired: Wired, *, public_url: str, database_url: str, redis_url: str
) -> Settings:
    """What every component shares; ports, secrets and folders are the host's to add."""
    spec = resource.spec
    return Settings(
        public_url=public_url,
        database_url=database_url,
        redis_url=redis_url,
        region=spec.aws.region,
        uploads_bucket=wired.names.uploads,
        media_bucket=wired.names.media,
        ingest_queue_url=wired.ingest_queue_url,
        render_queue_url=wired.render_queue_url,
        aws_endpoint=spec.aws.endpoint,
        aws_public_endpoint=spec.aws.public_endpoint,
        upload_bytes=spec.limits.upload,
        storage_per_user=spec.limits.storage,
        requests_per_minute=spec.limits.requests_per_minute,
        visibility_seconds=spec.queues.visibility_seconds,
        max_receives=spec.queues.max_receives,
        abandoned_upload_days=spec.storage.lifecycle.abandoned_upload_days,
        trash_days=spec.storage.lifecycle.trash_days,
        unused_days=spec.storage.lifecycle.unused_days,
    )
