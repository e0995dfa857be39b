from __future__ import annotations

import contextlib
import random
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support import samples
from tests.support.images import (
    BLUE,
    GREEN,
    GREY,
    RED,
    encoded,
    exif,
    png_of_zeros,
    quadrants,
    truncations,
)
from tests.support.samples import sample

from mediaplatform.errors import Rejected
from mediaplatform_worker.images import decode as module
from mediaplatform_worker.images.decode import Decoded, decode

# Where the colours of an image are found, read row by row, when it is shown without turning it.
STORED = {
    1: (RED, GREEN, BLUE, GREY),
    2: (GREEN, RED, GREY, BLUE),
    3: (GREY, BLUE, GREEN, RED),
    4: (BLUE, GREY, RED, GREEN),
    5: (RED, BLUE, GREEN, GREY),
    6: (GREEN, GREY, RED, BLUE),
    7: (GREY, GREEN, BLUE, RED),
    8: (BLUE, RED, GREY, GREEN),
}


def read(content: bytes, longest: int = 2048) -> Decoded:
    return decode(BytesIO(content), longest=longest)


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    image = image.convert("RGB")
    across, down = image.width // 4, image.height // 4
    found = []
    for y in (down, image.height - 1 - down):
        for x in (across, image.width - 1 - across):
            pixel = image.getpixel((x, y))
            assert isinstance(pixel, tuple)
            found.append(pixel)
    return found


def near(found: tuple[int, ...], wanted: tuple[int, ...], tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


def upright(image: Image.Image) -> bool:
    wanted = (RED, GREEN, BLUE, GREY)
    return all(near(a, b) for a, b in zip(corners(image), wanted, strict=True))


def stored(orientation: int) -> Image.Image:
    """What a camera held so writes of the four quadrants, 300 wide and 200 high once turned."""
    size = (300, 200) if orientation < 5 else (200, 300)
    image = Image.new("RGB", size)
    for at, color in enumerate(STORED[orientation]):
        left, top = at % 2 * size[0] // 2, at // 2 * size[1] // 2
        image.paste(color, (left, top, left + size[0] // 2, top + size[1] // 2))
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_ends_upright(kind: str, orientation: int) -> None:
    decoded = read(encoded(stored(orientation), kind, exif=exif(orientation)))
    assert (decoded.width, decoded.height) == decoded.pixels.size == (300, 200)
    assert upright(decoded.pixels)


def test_a_turned_heic_is_turned_once() -> None:
    decoded = read(encoded(stored(6), "HEIF", exif=exif(6).tobytes()))
    assert decoded.pixels.size == (300, 200)
    assert upright(decoded.pixels)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_left_out(orientation: int) -> None:
    assert upright(read(encoded(quadrants(), "JPEG", exif=exif(orientation))).pixels)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"])
def test_a_png_or_tiff_of_any_mode_becomes_colours(mode: str) -> None:
    if mode == "I;16":
        image = quadrants(mode="L").convert("I").point(lambda value: value * 257).convert("I;16")
    else:
        image = quadrants(mode="RGBA" if mode == "PA" else "RGB").convert(mode)
    decoded = read(encoded(image, "TIFF" if mode == "PA" else "PNG"))
    assert decoded.pixels.mode == "RGB"
    if mode in {"L", "LA", "I;16"}:
        grey = quadrants(mode="L")
        for x, y in ((10, 10), (290, 10), (10, 190), (290, 190)):
            level = grey.getpixel((x, y))
            assert decoded.pixels.getpixel((x, y)) == (level, level, level)


def test_what_can_be_seen_through_stays_so() -> None:
    image = quadrants(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    for kind in ("PNG", "WEBP", "TIFF", "AVIF"):
        decoded = read(encoded(image, kind))
        assert decoded.pixels.mode == "RGBA"
        assert decoded.pixels.getchannel("A").getextrema()[0] < 10  # type: ignore[operator]


def test_a_colour_that_stands_for_nothing_is_seen_through() -> None:
    for mode in ("L", "RGB", "P"):
        image = quadrants().convert(mode)
        background = image.getpixel((0, 0))
        decoded = read(encoded(image, "PNG", transparency=background))
        assert decoded.pixels.mode == "RGBA"
        pixel = decoded.pixels.getpixel((0, 0))
        assert isinstance(pixel, tuple)
        assert pixel[3] == 0


def test_of_an_animation_only_the_first_frame_is_read() -> None:
    frames = [quadrants(), Image.new("RGB", (300, 200), "black")]
    for kind in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        decoded = read(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
        assert upright(decoded.pixels), kind


def test_a_progressive_jpeg_and_one_of_two_pictures_are_read() -> None:
    assert upright(read(encoded(quadrants(), "JPEG", progressive=True)).pixels)
    two = encoded(quadrants(), "MPO", save_all=True, append_images=[quadrants()])
    assert upright(read(two).pixels)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_of_any_channels_shows_its_colours(mode: str) -> None:
    content = encoded(quadrants(mode=mode), "JPEG", keep_rgb=True, quality=95)
    pixels = read(content).pixels.convert("RGB")
    wanted = quadrants(mode=mode).convert("RGB")
    for found, right in zip(corners(pixels), corners(wanted), strict=True):
        assert near(found, right, 6)


@pytest.mark.parametrize(
    ("longer", "decoded"),
    [
        (4096, 2048),
        (4000, 2000),
        (4032, 2016),
        (3900, 3900),
        (8192, 2048),
        (2100, 2100),
        (4001, 2001),
    ],
)
def test_a_jpeg_is_decoded_no_larger_than_needed(longer: int, decoded: int) -> None:
    found = read(encoded(Image.new("RGB", (longer, 65), RED), "JPEG"))
    assert (found.width, found.height) == (longer, 65)
    assert found.pixels.width == decoded


def test_the_size_is_that_of_the_file_as_it_is_seen() -> None:
    content = encoded(Image.new("RGB", (4000, 100)), "JPEG", exif=exif(6))
    found = read(content)
    assert (found.width, found.height) == (100, 4000)
    assert found.pixels.size == (50, 2000)


def test_what_is_decoded_carries_nothing_to_write_again() -> None:
    content = encoded(quadrants(), "JPEG", exif=exif(position=True), comment="Ann was here")
    assert read(content).pixels.info == {}


def test_video_and_sound_are_refused_by_name() -> None:
    for name, code in (
        (samples.VIDEO_MP4, "video_not_supported"),
        (samples.AUDIO_MP3, "audio_not_supported"),
    ):
        with pytest.raises(Rejected, match="cannot be published yet") as refused:
            read(sample(name).read_bytes())
        assert refused.value.code == code


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_a_file_that_ends_too_soon_is_refused_wherever_it_ends(kind: str) -> None:
    noise = Image.effect_noise((200, 150), 60).convert("RGB")
    for part in truncations(encoded(noise, kind), 12):
        with pytest.raises(Rejected) as refused:
            read(part)
        assert refused.value.code in {"corrupt", "too_many_pixels"}


@pytest.mark.parametrize(
    "head", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"\0\0\0\x18ftypavif"]
)
def test_a_file_that_only_begins_like_an_image_is_refused(head: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        read(head + b"<script>alert(1)</script>" * 100)
    assert refused.value.code in {"corrupt", "too_many_pixels"}


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(Rejected, match="20000 x 20000 pixels, 400 million; at most 64") as refused:
        read(png_of_zeros(20_000, 20_000))
    assert refused.value.code == "too_many_pixels"


def test_a_large_baseline_jpeg_is_read_where_a_progressive_one_is_refused() -> None:
    image = Image.new("L", (13_000, 13_000))
    assert read(encoded(image, "JPEG")).width == 13_000
    with pytest.raises(Rejected, match="169 million"):
        read(encoded(image, "JPEG", progressive=True))


def test_a_fault_of_the_machine_is_not_blamed_on_the_file() -> None:
    class Failing(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 1000:
                raise OSError(5, "Input/output error")
            return super().read(-1 if size is None else min(size, 4096))

    with pytest.raises(OSError, match="Input/output"):
        decode(Failing(encoded(Image.effect_noise((900, 900), 90), "JPEG")), longest=2048)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**9), kind=st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "TIFF"]))
def test_flipped_bits_give_pixels_or_a_refusal(seed: int, kind: str) -> None:
    flipped = bytearray(encoded(quadrants(60, 40), kind))
    rolls = random.Random(seed)
    for _ in range(rolls.randint(1, 20)):
        flipped[rolls.randrange(len(flipped))] ^= 1 << rolls.randrange(8)
    with contextlib.suppress(Rejected):  # and nothing else
        assert read(bytes(flipped)).pixels.mode in {"RGB", "RGBA", "YCbCr"}


def test_limits_differ_by_what_a_decoder_needs() -> None:
    assert max(module.MAX_PIXELS.values()) <= module.MAX_PIXELS_OTHERWISE
    assert module.MAX_PIXELS_OTHERWISE < module.MAX_PIXELS_BASELINE_JPEG
