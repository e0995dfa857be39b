"""The feed's pages and items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from mediaplatform.media.model import Kind

LIKES_LIMIT = 100  # ids in one question about likes

IMAGE_PIXELS = 1100  # a feed has no use for a longer side
IMAGE_SIZES = 2  # per format


@dataclass(frozen=True)
class Entry:
    """One line of a page. A revision of an item never changes, so it can be kept for long."""

    id: UUID
    revision: int


@dataclass(frozen=True)
class Listing:
    """What is on a page, in order, and where the next one begins."""

    entries: tuple[Entry, ...]
    next_cursor: str | None = None


@dataclass(frozen=True)
class Image:
    name: str  # 'jpeg-512'
    format: str  # media type
    width: int  # pixels
    height: int
    key: str  # in the media bucket


@dataclass(frozen=True)
class Item:
    """One revision of a public item. Likes are counted apart: they change without a revision."""

    id: UUID
    revision: int
    kind: Kind
    title: str
    owner_id: UUID
    owner_name: str
    published_at: datetime
    width: int
    height: int
    placeholder: str | None
    images: tuple[Image, ...]

    @property
    def entry(self) -> Entry:
        return Entry(self.id, self.revision)

    def to_json(self, urls: Mapping[str, str]) -> dict[str, Any]:
        """As clients see it; `urls` by the key of an image."""
        return {
            "id": str(self.id),
            "kind": self.kind.value,
            "title": self.title,
            "owner": {"id": str(self.owner_id), "name": self.owner_name},
            "publishedAt": self.published_at,
            "width": self.width,
            "height": self.height,
            "placeholder": self.placeholder,
            "images": [
                {
                    "name": image.name,
                    "format": image.format,
                    "width": image.width,
                    "height": image.height,
                    "url": urls[image.key],
                }
                for image in self.images
            ],
        }


@dataclass(frozen=True)
class Liked:
    liked: bool
    likes_count: int


@dataclass(frozen=True)
class Page:
    """A page as it is sent, and the validator of exactly these bytes."""

    body: bytes  # JSON
    etag: str


def useful_images(images: Iterable[Image]) -> tuple[Image, ...]:
    """Of each format the largest sizes that a feed can use, smallest first."""
    small = sorted(
        (image for image in images if max(image.width, image.height) <= IMAGE_PIXELS),
        key=lambda image: (image.format, image.width),
    )
    chosen: list[Image] = []
    for _, group in groupby(small, key=lambda image: image.format):
        chosen += list(group)[-IMAGE_SIZES:]
    return tuple(chosen)
