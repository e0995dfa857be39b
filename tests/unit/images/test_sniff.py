from __future__ import annotations

import pytest
from tests.support import samples
from tests.support.images import encoded, quadrants
from tests.support.samples import sample

from mediaplatform.errors import Rejected
from mediaplatform.media.model import Kind
from mediaplatform_worker.images.sniff import HEAD_BYTES, sniff


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("AVIF", "image/avif"),
        ("TIFF", "image/tiff"),
        ("HEIF", "image/heic"),
    ],
)
def test_an_image_is_told_by_its_first_bytes(kind: str, media_type: str) -> None:
    found = sniff(encoded(quadrants(), kind)[:HEAD_BYTES])
    assert (found.kind, found.media_type) == (Kind.IMAGE, media_type)


def test_an_animated_png_or_avif_is_an_image() -> None:
    frames = [quadrants(64, 64), quadrants(64, 64).rotate(90)]
    for kind, media_type in (("PNG", "image/png"), ("AVIF", "image/avif")):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert sniff(content[:HEAD_BYTES]).media_type == media_type


@pytest.mark.parametrize(
    ("name", "kind", "media_type"),
    [
        (samples.VIDEO_MP4, Kind.VIDEO, "video/mp4"),
        (samples.VIDEO_AVI, Kind.VIDEO, "video/x-msvideo"),
        (samples.VIDEO_MPEG, Kind.VIDEO, "video/mpeg"),
        (samples.VIDEO_OGG, Kind.VIDEO, "video/ogg"),
        (samples.AUDIO_MP3, Kind.AUDIO, "audio/mpeg"),
        (samples.AUDIO_OGG, Kind.AUDIO, "audio/ogg"),
        (samples.AUDIO_WAV, Kind.AUDIO, "audio/x-wav"),
    ],
)
def test_video_and_sound_are_told_apart(name: str, kind: Kind, media_type: str) -> None:
    found = sniff(sample(name).read_bytes()[:HEAD_BYTES])
    assert (found.kind, found.media_type) == (kind, media_type)


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "image/avif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "video/mp4"),
        (b"\0\0\0\x14ftypM4A \0\0\0\0M4A ", "audio/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
        (b"\x47" + bytes(187) + b"\x47", "video/mp2t"),
    ],
)
def test_a_family_of_formats_is_told_by_its_brand(head: bytes, media_type: str) -> None:
    assert sniff(head).media_type == media_type


@pytest.mark.parametrize(
    "head",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'\xef\xbb\xbf <?xml version="1.0"?><svg/>',
        b"<!DOCTYPE html><img src=x onerror=alert(1)>",
        b"%PDF-1.7",
        b"PK\x03\x04" + bytes(100),
        b"MZ" + bytes(100),
        b"\x7fELF" + bytes(100),
        b"BM" + bytes(100),
        b"#EXTM3U\n#EXT-X-VERSION:3\nfile:///etc/passwd",
        b"ffconcat version 1.0\nfile /etc/passwd",
        b"plain text",
        bytes(4096),
        b"\xff",
        b"G",
    ],
)
def test_anything_else_is_refused_with_what_to_do(head: bytes) -> None:
    with pytest.raises(Rejected, match="Upload JPEG, PNG") as refused:
        sniff(head)
    assert refused.value.code == "unsupported_type"


def test_nothing_at_all_is_refused_as_empty() -> None:
    with pytest.raises(Rejected, match="empty") as refused:
        sniff(b"")
    assert refused.value.code == "empty"
