"""What a file is, by its first bytes. Its name and declared type are never asked.

The decoder has the last word: a file that begins like a JPEG and does not decode is no JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass

import filetype

from mediaplatform.errors import Rejected
from mediaplatform.media.model import Kind

HEAD_BYTES = 4096  # what `sniff` wants to see of a file
READABLE = "JPEG, PNG, GIF, WebP, AVIF, TIFF or HEIC"

# ISO/IEC 14496-12 names a file's family in its ftyp box: one major brand, then compatible ones.
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"hevx": "image/heic",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_STILL_BRANDS = frozenset({b"mif1", b"msf1"})  # say "an image", not of which codec

_IMAGES = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "image/avif",
        "image/tiff",
        "image/heic",
    }
)
_ALIASES = {"image/apng": "image/png", "image/heif": "image/heic"}
_TEXT = (b"<svg", b"<!doctype", b"<html", b"<?xml", b"<script", b"<?php", b"%!ps", b"{\\rtf", b"#!")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TS_PACKET = 188  # bytes, ISO/IEC 13818-1


@dataclass(frozen=True)
class Sniffed:
    kind: Kind
    media_type: str


def sniff(head: bytes) -> Sniffed:
    """The kind and media type of the file that begins with `head`.

    Raises Rejected for whatever is no image, video or sound, and for images that no decoder here
    reads.
    """
    if not head:
        raise Rejected("empty", "The file is empty. Upload it again.")
    media_type = _media_type(head)
    family = media_type.partition("/")[0]
    if family in {"video", "audio"}:
        return Sniffed(Kind(family.upper()), media_type)
    if media_type not in _IMAGES:
        what = f"This is {media_type}, which" if media_type else "What is in this file"
        raise Rejected("unsupported_type", f"{what} cannot be shown. Upload {READABLE}.")
    return Sniffed(Kind.IMAGE, media_type)


def _media_type(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    start = head.removeprefix(_BYTE_ORDER_MARK).lstrip()[:16].lower()
    if start.startswith(_TEXT):
        return "image/svg+xml" if b"<svg" in head.lower() else "text"
    if head.startswith(b"OggS") and b"theora" in head[:64]:
        return "video/ogg"
    if head[0] == 0x47 and head[_TS_PACKET : _TS_PACKET + 1] == b"\x47":
        return "video/mp2t"
    guess = filetype.guess(head)
    return "" if guess is None else _ALIASES.get(guess.mime, guess.mime)


def _by_brand(head: bytes) -> str:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    major, *compatible = (head[at : at + 4] for at in range(8, end, 4) if at != 12)
    if major in _BRANDS:
        return _BRANDS[major]
    if major in _STILL_BRANDS:
        return next((_BRANDS[brand] for brand in compatible if brand in _BRANDS), "image/heif")
    return "video/mp4"
