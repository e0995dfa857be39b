"""People and media items, written straight into the database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from mediaplatform.platform.database import Database
from mediaplatform.platform.ids import new_id

_USER = "INSERT INTO users (id, email, name) VALUES (%(id)s, %(email)s, %(name)s)"
_MEDIA = """
INSERT INTO media (id, owner_id, state, visibility, kind, title, file_name, content_type,
                   size_bytes, sha256, upload_key, upload_expires_at, width, height, placeholder,
                   tiers, published_at)
VALUES (%(id)s, %(owner_id)s, %(state)s, %(visibility)s, 'IMAGE', %(title)s, 'photo.jpg',
        'image/jpeg', 1000, %(sha256)s, %(upload_key)s, now(), 4032, 3024, 'placeholder',
        2, %(published_at)s)
"""
_RENDITION = """
INSERT INTO renditions (media_id, name, tier, format, width, height, size_bytes, key)
SELECT %(id)s, 'jpeg-' || width, 1, 'image/jpeg', width, width * 3 / 4, 1000,
       'media/' || %(id)s || '/jpeg-' || width || '.jpg'
FROM unnest(ARRAY[256, 512, 1024, 2016]) width
"""


async def add_user(database: Database, name: str = "Ada") -> UUID:
    user_id = new_id()
    async with database.connection() as connection:
        values = {"id": user_id, "email": f"{user_id}@example.com", "name": name}
        await connection.execute(_USER, values)
    return user_id


async def add_media(
    database: Database,
    owner_id: UUID,
    *,
    state: str = "ready",
    visibility: str = "public",
    title: str = "A photo",
    published_at: datetime | None = None,
) -> UUID:
    """An item with four JPEG renditions; published now unless told when."""
    media_id = new_id()
    values: Mapping[str, Any] = {
        "id": media_id,
        "owner_id": owner_id,
        "state": state,
        "visibility": visibility,
        "title": title,
        "sha256": hashlib.sha256(media_id.bytes).digest(),
        "upload_key": f"incoming/{owner_id}/{media_id}",
        "published_at": published_at or datetime.now(UTC),
    }
    async with database.transaction() as connection:
        await connection.execute(_MEDIA, values)
        await connection.execute(_RENDITION, values)
    return media_id
