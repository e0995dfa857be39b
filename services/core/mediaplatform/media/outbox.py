"""Messages that a committed transaction promised.

The row is written with the move. Whoever committed publishes at once; what is lost on the way the
sweeper relays. A message may thus be sent twice, and every job is idempotent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mediaplatform.errors import Unavailable
from mediaplatform.platform.database import Database
from mediaplatform.platform.ports.queue import Queue


@dataclass(frozen=True)
class Promise:
    id: int
    queue: str  # 'ingest' or 'render'
    body: str  # JSON
    traceparent: str | None = None


class Outbox:
    def __init__(self, database: Database, queues: Mapping[str, Queue]) -> None:
        self._database = database
        self._queues = queues

    @property
    def queues(self) -> list[str]:
        """The names it can publish to; a newer release may know more."""
        return list(self._queues)

    async def publish(self, promises: Sequence[Promise]) -> int:
        """Send what was promised, and return how many could be sent; the rest stays."""
        sent = []
        for promise in promises:
            try:
                await self._queues[promise.queue].send(
                    promise.body, traceparent=promise.traceparent
                )
            except Unavailable:
                break
            sent.append(promise.id)
        if sent:
            async with self._database.connection() as connection:
                await connection.execute("DELETE FROM outbox WHERE id = ANY(%s)", (sent,))
        return len(sent)
