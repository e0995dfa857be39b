"""The sizes of an image, each made from the next larger one, and written tier by tier."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from mediaplatform_worker.images.decode import Decoded, decode
from mediaplatform_worker.images.model import Inspection, RenditionFile
from mediaplatform_worker.images.thumbhash import thumbhash

SIZES = (2048, 1024, 512, 256)  # pixels of the longer side


@dataclass(frozen=True)
class Encoder:
    """One tier of renditions."""

    tier: int
    name: str
    media_type: str
    transparent: bool
    options: Mapping[str, Any]


JPEG = Encoder(1, "jpeg", "image/jpeg", False, {"quality": 80})
# As sharp to the eye (SSIM) as WebP of quality 80, in fewer bytes and two thirds of its time.
_FAST = {"quality": 66, "speed": 9, "max_threads": 1, "advanced": {"tune": "ssim"}}
AVIF = Encoder(2, "avif", "image/avif", True, _FAST)


@dataclass(frozen=True)
class Picture:
    """An image that decoded, at every size it will have."""

    decoded: Decoded
    sizes: Mapping[int, Image.Image]  # by the name of the size, largest first

    def inspection(self) -> Inspection:
        return Inspection(
            kind=self.decoded.sniffed.kind,
            detected_type=self.decoded.sniffed.media_type,
            width=self.decoded.width,
            height=self.decoded.height,
            placeholder=base64.b64encode(thumbhash(list(self.sizes.values())[-1])).decode(),
            metadata=self.decoded.facts.metadata,
            position=self.decoded.facts.position,
            taken_at=self.decoded.facts.taken_at,
        )

    def write(self, encoder: Encoder, folder: Path) -> tuple[RenditionFile, ...]:
        """Encode every size into the folder, without any metadata."""
        return tuple(_write(image, size, encoder, folder) for size, image in self.sizes.items())


def read(file: BinaryIO) -> Picture:
    """Raises Rejected for whatever cannot be published."""
    decoded = decode(file, longest=SIZES[0])
    return Picture(decoded, _cascade(decoded))


def sizes_of(longest: int) -> Sequence[int]:
    """The sizes an image has: those below its longer side, and one that holds it in full."""
    below = [size for size in SIZES if size < longest]
    holding = [size for size in SIZES if size >= longest][-1:]
    return [*holding, *below]


def _cascade(decoded: Decoded) -> Mapping[int, Image.Image]:
    width, height = decoded.width, decoded.height
    image = decoded.pixels
    sizes: dict[int, Image.Image] = {}
    for size in sizes_of(max(width, height)):
        if max(image.size) > size:
            scale = size / max(width, height)
            fitted = max(1, round(width * scale)), max(1, round(height * scale))
            image = _resized(image, fitted)
        sizes[size] = image
    return sizes


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.mode != "YCbCr":
        return image.resize(size, Image.Resampling.LANCZOS)
    # Eyes, and encoders, see colour coarsely: only lightness is worth the better filter. Colour
    # stays within 41 dB of LANCZOS's at every size (docs/decisions/images.md).
    light, *colors = image.split()
    coarse = (color.resize(size, Image.Resampling.BOX) for color in colors)
    return Image.merge("YCbCr", (light.resize(size, Image.Resampling.LANCZOS), *coarse))


def _write(image: Image.Image, size: int, encoder: Encoder, folder: Path) -> RenditionFile:
    if image.mode == "RGBA" and not encoder.transparent:
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    if image.mode == "YCbCr" and encoder is not JPEG:
        image = image.convert("RGB")
    name = f"{encoder.name}-{size}"
    path = folder / name
    image.save(path, format=encoder.name, **encoder.options)
    return RenditionFile(
        name=name,
        tier=encoder.tier,
        format=encoder.media_type,
        width=image.width,
        height=image.height,
        path=path,
        size=path.stat().st_size,
    )
