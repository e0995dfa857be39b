"""A queue in memory, with visibility and receive counts; `lose()` makes it refuse messages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import uuid4

from mediaplatform.errors import MessageGone, Unavailable
from mediaplatform.platform.ports.queue import Message, QueueDepth


@dataclass
class _Held:
    id: str
    body: str
    traceparent: str | None
    visible_at: float
    delayed: bool
    receives: int = 0
    receipt: str = ""


class MemoryQueue:
    def __init__(self, *, visibility: float = 30) -> None:
        self._visibility = visibility
        self._held: dict[str, _Held] = {}
        self._changed = asyncio.Event()
        self._lost = False

    def lose(self, *, lost: bool = True) -> None:
        self._lost = lost

    async def send(self, body: str, *, traceparent: str | None = None, delay: int = 0) -> str:
        if self._lost:
            raise Unavailable
        item = _Held(str(uuid4()), body, traceparent, monotonic() + delay, delayed=delay > 0)
        self._held[item.id] = item
        self._changed.set()
        return item.id

    async def receive(
        self, *, limit: int = 1, wait: int = 20, hide: int | None = None
    ) -> Sequence[Message]:
        deadline = monotonic() + wait
        while True:
            visible = [item for item in self._held.values() if item.visible_at <= monotonic()]
            if visible or monotonic() >= deadline:
                return [self._hand_out(item, hide) for item in visible[:limit]]
            await self._wait_for_change(deadline)

    async def delete(self, message: Message) -> None:
        self._held.pop(message.id, None)

    async def hide(self, message: Message, seconds: int) -> None:
        item = self._held.get(message.id)
        if item is None or item.receipt != message.receipt or item.visible_at <= monotonic():
            raise MessageGone
        item.visible_at = monotonic() + seconds
        self._changed.set()

    async def depth(self) -> QueueDepth:
        now = monotonic()
        hidden = [item for item in self._held.values() if item.visible_at > now]
        delayed = sum(item.delayed and not item.receives for item in hidden)
        return QueueDepth(len(self._held) - len(hidden), len(hidden) - delayed, delayed)

    def _hand_out(self, item: _Held, hide: int | None) -> Message:
        item.receives += 1
        item.receipt = str(uuid4())
        item.visible_at = monotonic() + (self._visibility if hide is None else hide)
        return Message(item.id, item.body, item.receipt, item.receives, item.traceparent)

    async def _wait_for_change(self, deadline: float) -> None:
        times = [item.visible_at for item in self._held.values()]
        until = min([deadline, *times])
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), max(0.0, until - monotonic()))
        except TimeoutError:
            return
