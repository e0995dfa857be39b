"""Images made for tests: of every kind, and of no good kind."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

pillow_heif.register_heif_opener()  # encodes, too

RED, GREEN, BLUE, GREY = (210, 40, 40), (40, 170, 60), (50, 60, 200), (128, 128, 128)


def quadrants(width: int = 300, height: int = 200, mode: str = "RGB") -> Image.Image:
    """Red and green above, blue and grey below."""
    image = Image.new("RGB", (width, height))
    half = width // 2, height // 2
    for at, color in (
        ((0, 0), RED),
        ((half[0], 0), GREEN),
        ((0, half[1]), BLUE),
        (half, GREY),
    ):
        image.paste(color, (*at, at[0] + width - half[0], at[1] + height - half[1]))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    target = BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def exif(orientation: int = 1, *, position: bool = False, **tags: Any) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010F], found[0x0110] = "Maker", "Model 7"
    details = found.get_ifd(0x8769)
    details[0x829A], details[0x829D], details[0x8827] = IFDRational(1, 250), 2.8, 400
    details[0x9003], details[0x9011] = "2024:02:29 23:30:00", "+02:00"
    details[0xA434], details[0x920A] = "Lens 50 mm", 50.0
    if position:
        gps = found.get_ifd(0x8825)
        gps[1], gps[2] = "S", (33.0, 51.0, 24.84)
        gps[3], gps[4] = "E", (151.0, 12.0, 36.0)
        gps[5], gps[6] = b"\x01", 12.5
    return found


def png_of_zeros(width: int, height: int) -> bytes:
    """A PNG of one colour: a bomb, when it is large."""

    def chunk(name: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)

    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * width)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def truncations(content: bytes, count: int) -> Iterator[bytes]:
    """The first 1/count, 2/count, ... of the content, never all of it."""
    for part in range(1, count):
        yield content[: len(content) * part // count]


# ICC.1:2010 profiles, just as large as they must be.

# Primaries of the media as XYZ under D50, as the published profiles have them.
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
_D50 = (0.9642, 1.0, 0.82491)


def matrix_profile(primaries: tuple[tuple[float, ...], ...], gamma: float, name: str) -> bytes:
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {b"desc": _description(name), b"cprt": _text("none"), b"wtpt": _xyz(_D50)}
    for letter, primary in zip(b"rgb", primaries, strict=True):
        tags[bytes([letter]) + b"XYZ"] = _xyz(primary)
        tags[bytes([letter]) + b"TRC"] = curve
    return _profile(b"RGB ", b"XYZ ", b"mntr", tags)


def cmyk_profile(cyan: tuple[int, int, int]) -> bytes:
    """Full cyan is this L*a*b* (0 to 100, then -128 to 127); no ink is white, the rest is black."""
    white, black = bytes([255, 128, 128]), bytes([0, 128, 128])
    full = bytes([round(cyan[0] * 2.55), cyan[1] + 128, cyan[2] + 128])
    grid = [black] * 16
    grid[0b0000], grid[0b1000] = white, full
    identity = struct.pack(">9I", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity
    table += ramp * 4 + b"".join(grid) + ramp * 3
    tags = {b"desc": _description("ink"), b"cprt": _text("none"), b"wtpt": _xyz(_D50)}
    return _profile(b"CMYK", b"Lab ", b"prtr", tags | {b"A2B0": table, b"A2B1": table})


def _profile(space: bytes, connection: bytes, device: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, content = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(content), len(value))
        content += value + bytes(-len(value) % 4)
    header = struct.pack(
        ">I4sI4s4s4s", start + len(content), b"test", 0x02400000, device, space, connection
    )
    header += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", *(round(part * 65536) for part in _D50))
    return header.ljust(128, b"\0") + table + content


def _xyz(value: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(part * 65536) for part in value))


def _text(value: str) -> bytes:
    return b"text" + bytes(4) + value.encode() + b"\0"


def _description(value: str) -> bytes:
    ascii_part = value.encode() + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(ascii_part)) + ascii_part + bytes(8 + 3 + 67)
