"""ThumbHash: an image in about 25 bytes, which pages show until the real one is there.

After Evan Wallace's description and reference implementation (MIT): the lowest terms of a cosine
transform of lightness, two colour differences and alpha, packed into nibbles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

from PIL import Image

MAX_SIDE = 32  # pixels; the format allows 100, and no term here needs them


@dataclass(frozen=True)
class _Channel:
    constant: float
    terms: Sequence[float]  # scaled to 0..1, lowest frequency first
    scale: float


def thumbhash(image: Image.Image) -> bytes:
    """The hash of an RGB, RGBA or YCbCr image of any size."""
    side = max(image.size) / MAX_SIDE
    width, height = (max(1, round(length / side)) for length in image.size)
    pixels = image.resize((width, height), Image.Resampling.BOX)
    if pixels.mode == "YCbCr":
        pixels = pixels.convert("RGB")
    pixels = pixels.convert("RGBA")
    light, yellow, red, alpha = _channels(pixels)
    translucent = min(alpha) < 1
    most = 5 if translucent else 7
    across = max(1, round(most * width / max(width, height)))
    down = max(1, round(most * height / max(width, height)))

    lightness = _transform(light, width, height, max(3, across), max(3, down))
    colors = [_transform(channel, width, height, 3, 3) for channel in (yellow, red)]
    opacity = [_transform(alpha, width, height, 5, 5)] if translucent else []
    landscape = width > height
    header = (
        _steps(lightness.constant, 63)
        | _steps(0.5 + 0.5 * colors[0].constant, 63) << 6
        | _steps(0.5 + 0.5 * colors[1].constant, 63) << 12
        | _steps(lightness.scale, 31) << 18
        | translucent << 23
    )
    second = (
        (down if landscape else across)
        | _steps(colors[0].scale, 63) << 3
        | _steps(colors[1].scale, 63) << 9
        | landscape << 15
    )
    packed = header.to_bytes(3, "little") + second.to_bytes(2, "little")
    if translucent:
        packed += bytes([_steps(opacity[0].constant, 15) | _steps(opacity[0].scale, 15) << 4])
    return packed + _nibbles([t for part in (lightness, *colors, *opacity) for t in part.terms])


def _channels(pixels: Image.Image) -> list[list[float]]:
    """Lightness, yellow against blue, red against green, alpha; each 0..1 or -1..1 per pixel.

    What can be seen through is put on the average colour.
    """
    bands = [[value / 255 for value in band.tobytes()] for band in pixels.split()]
    *colors, alpha = bands
    weight = sum(alpha)
    blended = []
    for band in colors:
        average = sum(map(mul, band, alpha)) / weight if weight else 0.0
        blended.append([average + (v - average) * a for v, a in zip(band, alpha, strict=True)])
    light, yellow, red = [], [], []
    for r, g, b in zip(*blended, strict=True):
        light.append((r + g + b) / 3)
        yellow.append((r + g) / 2 - b)
        red.append(r - g)
    return [light, yellow, red, alpha]


def _transform(channel: Sequence[float], width: int, height: int, nx: int, ny: int) -> _Channel:
    """The terms of the triangle x / nx + y / ny < 1: rows first, then columns."""
    rows = [channel[at : at + width] for at in range(0, width * height, width)]
    columns = [[sum(map(mul, row, wave)) for row in rows] for wave in _waves(width, nx)]
    waves = _waves(height, ny)
    constant = 0.0
    terms: list[float] = []
    for y in range(ny):
        for x in range(nx):
            if x * ny >= nx * (ny - y):
                break
            term = sum(map(mul, columns[x], waves[y])) / (width * height)
            if x or y:
                terms.append(term)
            else:
                constant = term
    scale = max(map(abs, terms), default=0.0)
    return _Channel(constant, [0.5 + 0.5 / scale * t for t in terms] if scale else terms, scale)


def _waves(length: int, count: int) -> list[list[float]]:
    return [
        [math.cos(math.pi / length * frequency * (at + 0.5)) for at in range(length)]
        for frequency in range(count)
    ]


def _steps(value: float, most: int) -> int:
    return min(most, max(0, math.floor(most * value + 0.5)))


def _nibbles(terms: Sequence[float]) -> bytes:
    values = [_steps(term, 15) for term in terms]
    values += [0] * (len(values) % 2)
    return bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))
