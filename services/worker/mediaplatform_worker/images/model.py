"""What is learnt from an image, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mediaplatform.media.model import Kind


@dataclass(frozen=True)
class Inspection:
    """What the bytes say, never the name or the declared type."""

    kind: Kind
    detected_type: str  # media type, 'image/heic'
    width: int  # pixels, as it is seen: after orientation
    height: int
    placeholder: str  # ThumbHash, base64
    metadata: Mapping[str, str | int | float] = field(default_factory=dict)  # camelCase keys
    position: Mapping[str, float] | None = None  # latitude, longitude; altitude in metres if known
    taken_at: datetime | None = None  # aware; UTC is assumed where the camera gave no offset


@dataclass(frozen=True)
class RenditionFile:
    name: str  # 'jpeg-512'
    tier: int
    format: str  # media type, 'image/jpeg'
    width: int  # pixels
    height: int
    path: Path
    size: int  # bytes
