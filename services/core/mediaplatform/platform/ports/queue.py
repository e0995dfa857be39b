"""A queue of messages: SQS as far as this project needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Message:
    id: str
    body: str
    receipt: str
    receives: int  # how often it was handed out, this time included
    traceparent: str | None = None  # W3C Trace Context


@dataclass(frozen=True)
class QueueDepth:
    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight + self.delayed


class Queue(Protocol):
    """One queue. Every call raises Unavailable when SQS cannot be reached or is throttling."""

    async def send(self, body: str, *, traceparent: str | None = None, delay: int = 0) -> str:
        """Put a message on the queue and return its id; `delay` in seconds, at most 900."""
        ...

    async def receive(
        self, *, limit: int = 1, wait: int = 20, hide: int | None = None
    ) -> Sequence[Message]:
        """Up to `limit` (at most 10) messages, waiting `wait` seconds (at most 20) for the first.

        Each stays hidden for `hide` seconds, or for the queue's own visibility timeout.
        """
        ...

    async def delete(self, message: Message) -> None:
        """The message is done with. Deleting it again is no error."""
        ...

    async def hide(self, message: Message, seconds: int) -> None:
        """Keep it from others for so long from now; 0 hands it back at once.

        Raises MessageGone where it was deleted or this receipt ran out.
        """
        ...

    async def depth(self) -> QueueDepth: ...
