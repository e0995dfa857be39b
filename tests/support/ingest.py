"""What an ingest worker is given: messages, and a sandbox without an end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from mediaplatform.platform.ports.queue import Message


def event(name: str, key: str, sequencer: str) -> str:
    thing = {"key": key, "sequencer": sequencer}
    record = {"eventVersion": "2.1", "eventName": name, "s3": {"object": thing}}
    return json.dumps({"Records": [record]})


def delivery(body: str, *, message: str = "m1", receives: int = 1) -> Message:
    return Message(message, body, "no receipt", receives)


def job(media_id: UUID, **how: Any) -> Message:
    return delivery(json.dumps({"job": "ingest", "mediaId": str(media_id)}), **how)


class Endless:
    """A sandbox whose jobs never come to an end."""

    @asynccontextmanager
    async def job(self, source: Path, *, first_tier: bool = True) -> AsyncIterator[Any]:  # noqa: ARG002
        await asyncio.Event().wait()
        yield None
