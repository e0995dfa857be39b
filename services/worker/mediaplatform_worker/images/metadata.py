"""What a camera wrote about an image (EXIF 3.0), as facts one can search, the position apart."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

MAX_TEXT = 200  # characters
_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)$")


@dataclass(frozen=True)
class Facts:
    orientation: int = 1  # EXIF: 1 is upright, 5 to 8 lie on their side
    metadata: Mapping[str, str | int | float] = field(default_factory=dict)
    position: Mapping[str, float] | None = None
    taken_at: datetime | None = None


def facts(image: Image.Image) -> Facts:
    """The facts of a loaded image. Whatever is damaged is left out."""
    main, exif, gps = _tags(image)
    taken = _taken(main, exif)
    found = {
        "cameraMake": _text(main.get(Base.Make)),
        "cameraModel": _text(main.get(Base.Model)),
        "lens": _text(exif.get(Base.LensModel)),
        "software": _text(main.get(Base.Software)),
        "exposureSeconds": _positive(exif.get(Base.ExposureTime)),
        "fNumber": _positive(exif.get(Base.FNumber)),
        "iso": _whole(exif.get(Base.ISOSpeedRatings)),
        "focalLengthMm": _positive(exif.get(Base.FocalLength)),
        "focalLength35Mm": _whole(exif.get(Base.FocalLengthIn35mmFilm)),
        "takenAt": taken.isoformat() if taken else None,
    }
    orientation = main.get(Base.Orientation, 1)
    return Facts(
        orientation if orientation in range(1, 9) else 1,
        {key: value for key, value in found.items() if value is not None},
        _position(gps),
        taken and (taken if taken.tzinfo else taken.replace(tzinfo=UTC)),
    )


def _tags(image: Image.Image) -> tuple[Mapping[int, Any], Mapping[int, Any], Mapping[int, Any]]:
    def part(read: Callable[[], Mapping[int, Any]]) -> Mapping[int, Any]:
        try:
            return dict(read())
        except Exception:  # whatever a parser makes of damaged bytes
            return {}

    return (
        part(image.getexif),
        part(lambda: image.getexif().get_ifd(IFD.Exif)),
        part(lambda: image.getexif().get_ifd(IFD.GPSInfo)),
    )


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return None
    kept = "".join(letter for letter in value[: 4 * MAX_TEXT] if letter.isprintable())
    return kept.strip()[:MAX_TEXT] or None


def _number(value: Any) -> float | None:
    try:
        number: float = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _positive(value: Any) -> float | None:
    number = _number(value)
    return round(number, 6) if number and 0 < number < 1e6 else None


def _whole(value: Any) -> int | None:
    number = _number(value[0] if isinstance(value, tuple) and value else value)
    return int(number) if number and 1 <= number < 1e9 else None


def _taken(main: Mapping[int, Any], exif: Mapping[int, Any]) -> datetime | None:
    """When the shutter opened, in the camera's own time; aware where it wrote its offset."""
    for source, time, offset in (
        (exif, Base.DateTimeOriginal, Base.OffsetTimeOriginal),
        (exif, Base.DateTimeDigitized, Base.OffsetTimeDigitized),
        (main, Base.DateTime, Base.OffsetTime),
    ):
        wall = _TIME.match(_text(source.get(time)) or "")
        with contextlib.suppress(ValueError):
            if wall:
                year, *rest = (int(part) for part in wall.groups())
                return datetime(year, *rest, tzinfo=_zone(_text(exif.get(offset))))  # type: ignore[misc, arg-type]
    return None


def _zone(text: str | None) -> timezone | None:
    """Of '+02:00'; what makes no sense is no offset."""
    try:
        hours, minutes = (int(part) for part in (text or "")[1:].split(":"))
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if (text or "")[0] == "-" else offset)
    except ValueError:
        return None


def _position(gps: Mapping[int, Any]) -> Mapping[str, float] | None:
    """Degrees, north and east positive; metres above the sea where they are known."""
    latitude = _degrees(gps.get(GPS.GPSLatitude), gps.get(GPS.GPSLatitudeRef), 90)
    longitude = _degrees(gps.get(GPS.GPSLongitude), gps.get(GPS.GPSLongitudeRef), 180)
    if latitude is None or longitude is None:
        return None
    position = {"latitude": latitude, "longitude": longitude}
    altitude = _number(gps.get(GPS.GPSAltitude))
    if altitude is not None and abs(altitude) < 100_000:
        below = gps.get(GPS.GPSAltitudeRef) in {1, b"\x01"}
        position["altitude"] = round(-altitude if below else altitude, 2)
    return position


def _degrees(value: Any, reference: Any, limit: int) -> float | None:
    parts = [_number(part) for part in value] if isinstance(value, tuple) else []
    if not parts or len(parts) > 3 or any(part is None for part in parts):
        return None
    degrees = sum((part or 0) / 60.0**power for power, part in enumerate(parts))
    if not 0 <= degrees <= limit:
        return None
    return round(-degrees if _text(reference) in {"S", "W"} else degrees, 7)
