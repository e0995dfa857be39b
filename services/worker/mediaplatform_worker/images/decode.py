"""From untrusted bytes to pixels: no larger than needed, in sRGB, the right way up."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import pillow_heif
from PIL import (
    AvifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from mediaplatform.errors import Rejected
from mediaplatform.media.model import Kind
from mediaplatform_worker.images.color import to_srgb
from mediaplatform_worker.images.metadata import Facts, facts
from mediaplatform_worker.images.sniff import HEAD_BYTES, READABLE, Sniffed, sniff

# Pixels. A baseline JPEG is decoded at a fraction of its size, the others in whole, where WebP
# needs 16 bytes a pixel and the others up to 12.
MAX_PIXELS = {"image/webp": 48_000_000, "image/avif": 48_000_000, "image/heic": 50_000_000}
MAX_PIXELS_BASELINE_JPEG = 200_000_000
MAX_PIXELS_OTHERWISE = 64_000_000

SNAP = 0.97  # of the longest side: a JPEG that decodes this close to it is not resized again

# Each type is opened by its own plugin alone. All are loaded before a child is confined.
_PLUGINS = {
    "image/jpeg": ("JPEG", MpoImagePlugin.MpoImageFile.format),
    "image/png": ("PNG",),
    "image/gif": ("GIF",),
    "image/webp": (WebPImagePlugin.WebPImageFile.format,),
    "image/avif": (AvifImagePlugin.AvifImageFile.format,),
    "image/tiff": (TiffImagePlugin.TiffImageFile.format,),
    "image/heic": ("HEIF",),
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Decoded:
    sniffed: Sniffed
    width: int  # pixels of the file, as it is seen
    height: int
    # sRGB (also as the YCbCr of a JPEG), perhaps scaled down already; without any metadata
    pixels: Image.Image
    facts: Facts


def prepare() -> None:
    """Load the decoders, one thread each: parallel work is the business of parallel jobs."""
    pillow_heif.register_heif_opener(thumbnails=False)
    pillow_heif.options.DECODE_THREADS = 1
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.MAX_IMAGE_PIXELS = None  # ours are tighter, and differ by type
    Image.preinit()


def decode(file: BinaryIO, *, longest: int) -> Decoded:
    """The first frame of an image, its longer side at least SNAP of `longest` if it has that much.

    Raises Rejected for whatever is no image, is too large, or does not decode.
    """
    sniffed = sniff(file.read(HEAD_BYTES))
    if sniffed.kind is not Kind.IMAGE:
        name = sniffed.kind.value
        raise Rejected(
            f"{name.lower()}_not_supported",
            f"{name.capitalize()} files cannot be published yet. Upload {READABLE}.",
        )
    file.seek(0)
    with _faults_of_the_file(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(file, formats=_PLUGINS[sniffed.media_type])
        width, height = image.size
        _check_size(image, sniffed.media_type)
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            _scale_while_decoding(image, longest)
        image.load()
        found = facts(image)
        pixels = _plain(image, found.orientation)
    if found.orientation >= 5:
        width, height = height, width
    return Decoded(sniffed, width, height, pixels, found)


@contextmanager
def _faults_of_the_file() -> Iterator[None]:
    """Decoders raise anything on bad input. A fault of the machine has an errno, and passes."""
    try:
        yield
    except (Rejected, MemoryError, ImportError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Rejected(
            "corrupt",
            "The file is damaged or not complete. Check that it opens, and upload it again.",
        ) from error


def _check_size(image: Image.Image, media_type: str) -> None:
    pixels = image.width * image.height
    limit = MAX_PIXELS.get(media_type, MAX_PIXELS_OTHERWISE)
    if media_type == "image/jpeg" and not image.info.get("progressive"):
        limit = MAX_PIXELS_BASELINE_JPEG
    if pixels > limit:
        raise Rejected(
            "too_many_pixels",
            f"It has {image.width} x {image.height} pixels, {pixels / 1e6:.0f} million; "
            f"at most {limit / 1e6:.0f} million can be processed. Upload a smaller version.",
        )


def _scale_while_decoding(image: JpegImagePlugin.JpegImageFile, longest: int) -> None:
    """JPEG decodes at 1/2, 1/4 or 1/8 for less than the price of the whole.

    Its YCbCr is kept where no profile asks for RGB: it is quicker to resize and to encode again.
    """
    scale = next((each for each in (8, 4, 2) if max(image.size) / each >= SNAP * longest), 1)
    # Rounded down: Pillow takes the largest scale that leaves at least this size.
    size = max(1, image.width // scale), max(1, image.height // scale)
    is_ycbcr = [layer[0] for layer in image.layer] == [1, 2, 3]
    keeps = is_ycbcr and image.info.get("adobe_transform", 1) and "icc_profile" not in image.info
    image.draft("YCbCr" if keeps else None, size)


def _plain(image: Image.Image, orientation: int) -> Image.Image:
    pixels = to_srgb(image)
    if orientation in _TURNS:
        pixels = pixels.transpose(_TURNS[orientation])
    pixels.info = {}  # savers fall back to what they find here
    return pixels
