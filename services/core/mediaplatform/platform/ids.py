"""Identifiers that sort by time: UUID version 7 (RFC 9562, section 5.7)."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_id() -> UUID:
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | (random >> 68) << 64  # version, 12 random bits
    value |= 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF  # variant, 62 random bits
    return UUID(int=value)
