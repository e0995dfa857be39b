"""What can be asked of the library, checked: each fault names its field and what it wants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Self

from mediaplatform.errors import InvalidInput
from mediaplatform.media.model import Kind, Visibility
from mediaplatform.platform.paging import PAGE_SIZE, START, Position

NAME_LENGTH = 255
TITLE_LENGTH = 200
DESCRIPTION_LENGTH = 5000
TAGS = 50
TAG_LENGTH = 50
WORDS = 8  # of one search
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,63}/[\w!#$&^.+-]{1,63}", re.ASCII)  # RFC 6838, 4.2


@dataclass(frozen=True)
class UploadRequest:
    """A file that somebody wants to upload."""

    file_name: str
    size_bytes: int
    content_type: str
    sha256: bytes
    visibility: Visibility = Visibility.PRIVATE

    def checked(self, most_bytes: int) -> Self:
        """Raises InvalidInput."""
        if not 1 <= len(self.file_name) <= NAME_LENGTH or not self.file_name.isprintable():
            raise InvalidInput(
                f"fileName must be 1 to {NAME_LENGTH} printable characters", field="fileName"
            )
        if not 1 <= self.size_bytes <= most_bytes:
            raise InvalidInput(
                f"size must be 1 to {most_bytes} bytes, not {self.size_bytes}", field="size"
            )
        if not _MEDIA_TYPE.fullmatch(self.content_type):
            raise InvalidInput(
                f"contentType must be a media type like image/jpeg, not {self.content_type!r}",
                field="contentType",
            )
        if len(self.sha256) != 32:
            raise InvalidInput("sha256 must be 64 hexadecimal digits", field="sha256")
        return self

    @property
    def title(self) -> str:
        """Until its owner gives it another one."""
        return PurePath(self.file_name).stem[:TITLE_LENGTH]


@dataclass(frozen=True)
class Changes:
    """What its owner says about an item; None leaves it as it is."""

    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    visibility: Visibility | None = None

    def checked(self) -> Self:
        """Raises InvalidInput."""
        if self == type(self)():
            raise InvalidInput("nothing to change: give title, description, tags or visibility")
        _at_most("title", self.title, TITLE_LENGTH)
        _at_most("description", self.description, DESCRIPTION_LENGTH)
        tags = self.tags or ()
        if len(tags) > TAGS or not all(1 <= len(tag) <= TAG_LENGTH for tag in tags):
            raise InvalidInput(
                f"tags must be at most {TAGS}, each 1 to {TAG_LENGTH} characters", field="tags"
            )
        for text in (self.title, self.description, *tags):
            if text and "\0" in text:
                raise InvalidInput("text must not hold the character NUL")
        return self


@dataclass(frozen=True)
class LibraryQuery:
    """Which of the owner's items, and where the page begins."""

    after: Position = START
    limit: int = PAGE_SIZE
    trashed: bool = False
    kind: Kind | None = None
    text: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Each must be found; more than a few are not looked for."""
        return tuple(self.text.replace("\0", "").split()[:WORDS])


def _at_most(field: str, text: str | None, length: int) -> None:
    if text is not None and len(text) > length:
        raise InvalidInput(
            f"{field} must be at most {length} characters, not {len(text)}", field=field
        )
