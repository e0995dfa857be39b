"""A cache that may be lost at any time: Redis as far as this project needs it.

Losing it makes the product slower and never wrong: every method answers as an empty cache does
when Redis cannot be reached, and counts the fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Cache(Protocol):
    async def get(self, key: str) -> bytes | None: ...

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values in the order of the keys."""
        ...

    async def set(self, key: str, value: bytes, *, ttl: int) -> None:
        """`ttl` in seconds."""
        ...

    async def set_many(self, values: Mapping[str, bytes], *, ttl: int) -> None: ...

    async def add(self, key: str, value: bytes, *, ttl: int) -> bool:
        """Set it unless it is there; True where it was set (or the cache is lost)."""
        ...

    async def delete(self, *keys: str) -> None: ...

    async def increment(self, key: str, by: int = 1, *, ttl: int) -> int | None:
        """Count up, starting the time to live at the first count; None where the cache is lost."""
        ...

    async def ping(self) -> bool: ...
