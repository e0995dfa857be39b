"""A cache in memory; `lose()` makes it behave as when Redis is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic


class MemoryCache:
    def __init__(self) -> None:
        self._values: dict[str, tuple[float, bytes]] = {}
        self._lost = False

    def lose(self, *, lost: bool = True) -> None:
        self._lost = lost
        self._values.clear()

    async def get(self, key: str) -> bytes | None:
        expires, value = self._values.get(key, (0.0, b""))
        return value if expires > monotonic() else None

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        return [await self.get(key) for key in keys]

    async def set(self, key: str, value: bytes, *, ttl: int) -> None:
        if not self._lost:
            self._values[key] = (monotonic() + ttl, value)

    async def set_many(self, values: Mapping[str, bytes], *, ttl: int) -> None:
        for key, value in values.items():
            await self.set(key, value, ttl=ttl)

    async def add(self, key: str, value: bytes, *, ttl: int) -> bool:
        if await self.get(key) is not None:
            return False
        await self.set(key, value, ttl=ttl)
        return True

    async def delete(self, *keys: str) -> None:
        for key in keys:
            self._values.pop(key, None)

    async def increment(self, key: str, by: int = 1, *, ttl: int) -> int | None:
        if self._lost:
            return None
        count = int(await self.get(key) or 0) + by
        expires = self._values[key][0] if await self.get(key) else monotonic() + ttl
        self._values[key] = (expires, str(count).encode())
        return count

    async def ping(self) -> bool:
        return not self._lost
