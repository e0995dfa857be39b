"""Keyset pages: where one ends, and the opaque cursor in which clients carry that place."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from mediaplatform.errors import InvalidInput

PAGE_SIZE = 24
PAGE_LIMIT = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR = struct.Struct(">Q16s")  # 24 bytes: no padding in base64


@dataclass(frozen=True)
class Position:
    """A place in a list, newest first. A page begins after one, so new items shift nothing."""

    at: datetime
    id: UUID

    @classmethod
    def from_cursor(cls, cursor: str) -> Position:
        """Raises InvalidInput where this was never a cursor."""
        try:
            raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
            since, item_id = _CURSOR.unpack(raw)
            return cls(_EPOCH + since * _MICROSECOND, UUID(bytes=item_id))
        except (ValueError, OverflowError, struct.error):
            raise InvalidInput(
                "cursor must be the nextCursor of an earlier page; leave it out to begin anew",
                field="cursor",
            ) from None

    def to_cursor(self) -> str:
        """Opaque to clients: microseconds since 1970 and the id."""
        since = (self.at - _EPOCH) // _MICROSECOND
        return base64.urlsafe_b64encode(_CURSOR.pack(since, self.id.bytes)).decode()


START = Position(datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))


def after(cursor: str) -> Position:
    """Where a page begins; an empty cursor begins at the newest item. Raises InvalidInput."""
    return Position.from_cursor(cursor) if cursor else START


def check_limit(limit: int) -> int:
    """Raises InvalidInput outside 1 to PAGE_LIMIT."""
    if not 1 <= limit <= PAGE_LIMIT:
        raise InvalidInput(f"limit must be 1 to {PAGE_LIMIT}, not {limit}", field="limit")
    return limit
