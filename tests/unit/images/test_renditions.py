from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support import samples
from tests.support.images import DISPLAY_P3, encoded, exif, matrix_profile, quadrants
from tests.support.samples import sample
from tests.unit.images.test_decode import upright

from mediaplatform_worker.images.model import RenditionFile
from mediaplatform_worker.images.renditions import AVIF, JPEG, SIZES, Picture, read, sizes_of


def picture(image: Image.Image, kind: str = "PNG") -> Picture:
    return read(BytesIO(encoded(image, kind)))


def written(content: bytes, folder: Path) -> list[RenditionFile]:
    found = read(BytesIO(content))
    return [*found.write(JPEG, folder), *found.write(AVIF, folder)]


def test_a_photo_has_four_sizes_in_two_tiers(tmp_path: Path) -> None:
    files = written(sample(samples.PHONE_12_MP_TURNED).read_bytes(), tmp_path)
    assert [(file.name, file.tier, file.format, file.width, file.height) for file in files] == [
        ("jpeg-2048", 1, "image/jpeg", 2000, 1500),
        ("jpeg-1024", 1, "image/jpeg", 1024, 768),
        ("jpeg-512", 1, "image/jpeg", 512, 384),
        ("jpeg-256", 1, "image/jpeg", 256, 192),
        ("avif-2048", 2, "image/avif", 2000, 1500),
        ("avif-1024", 2, "image/avif", 1024, 768),
        ("avif-512", 2, "image/avif", 512, 384),
        ("avif-256", 2, "image/avif", 256, 192),
    ]
    for file in files:
        with Image.open(file.path) as image:
            assert image.size == (file.width, file.height)
            assert image.get_format_mimetype() == file.format
        assert file.path.stat().st_size == file.size


@pytest.mark.parametrize(
    ("longest", "sizes"),
    [
        (1, [256]),
        (256, [256]),
        (257, [512, 256]),
        (1024, [1024, 512, 256]),
        (1500, [2048, 1024, 512, 256]),
        (2048, [2048, 1024, 512, 256]),
        (9000, [2048, 1024, 512, 256]),
    ],
)
def test_an_image_has_the_sizes_below_its_own_and_one_that_holds_it(
    longest: int, sizes: list[int]
) -> None:
    assert sizes_of(longest) == sizes


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 2600), st.integers(1, 120), st.booleans(), st.sampled_from(["JPEG", "PNG"]))
def test_no_size_is_larger_than_the_image_or_its_name_or_out_of_shape(
    long: int, short: int, tall: bool, kind: str
) -> None:
    size = (short, long) if tall else (long, short)
    found = picture(Image.new("RGB", size), kind)
    assert found.sizes
    for name, image in found.sizes.items():
        assert name in SIZES
        assert max(image.size) <= name
        for side, whole in zip(image.size, size, strict=True):
            exact = whole * max(image.size) / max(size)
            assert 1 <= side <= whole
            assert abs(side - exact) <= 1.5
    largest = next(iter(found.sizes.values()))
    assert max(largest.size) >= min(max(size), 0.97 * 2048)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (20_000, 3), (7, 5)])
def test_odd_shapes_can_be_written_and_read(size: tuple[int, int], tmp_path: Path) -> None:
    for file in written(encoded(Image.new("RGB", size, "teal"), "PNG"), tmp_path):
        with Image.open(file.path) as image:
            image.load()
            assert image.size == (file.width, file.height)


def test_nothing_of_the_originals_metadata_is_in_a_rendition(tmp_path: Path) -> None:
    secret = b"SECRET-OF-THE-OWNER"
    tags = exif(6, position=True)
    tags[0x013B] = secret.decode()
    profile = matrix_profile(DISPLAY_P3, 2.2, secret.decode())
    for kind, more in (
        ("JPEG", {"comment": secret, "xmp": b"<x:xmpmeta>" + secret}),
        ("PNG", {"xmp": b"<x:xmpmeta>" + secret}),
        ("WEBP", {"xmp": b"<x:xmpmeta>" + secret}),
        ("AVIF", {"xmp": b"<x:xmpmeta>" + secret}),
        ("TIFF", {}),
        ("HEIF", {"xmp": b"<x:xmpmeta>" + secret}),
    ):
        content = encoded(
            quadrants(600, 400), kind, exif=tags.tobytes(), icc_profile=profile, **more
        )
        assert secret in content or kind == "PNG"
        for file in written(content, tmp_path):
            made = file.path.read_bytes()
            assert secret not in made
            assert b"Exif" not in made
            assert b"xmp" not in made.lower()
            with Image.open(file.path) as image:
                assert not image.getexif()
                assert not {"icc_profile", "exif", "xmp", "comment"} & set(image.info)


def test_a_phones_position_is_in_no_rendition(tmp_path: Path) -> None:
    files = written(sample(samples.PHONE_12_MP).read_bytes(), tmp_path)
    for file in files:
        with Image.open(file.path) as image:
            assert not image.getexif().get_ifd(0x8825)
        assert b"Xiaomi" not in file.path.read_bytes()


def test_what_can_be_seen_through_is_white_in_jpeg_and_kept_in_avif(tmp_path: Path) -> None:
    image = Image.new("RGBA", (300, 300), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 150, 300))
    for file in written(encoded(image, "PNG"), tmp_path):
        with Image.open(file.path) as made:
            clear = made.getpixel((20, 20))
            solid = made.convert("RGB").getpixel((made.width - 20, 20))
        assert isinstance(clear, tuple)
        assert isinstance(solid, tuple)
        if file.tier == 1:
            assert min(clear) >= 250
        else:
            assert clear[3] <= 5
        assert solid[0] > 200
        assert max(solid[1:]) < 40


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_renditions_show_what_the_image_shows(kind: str, tmp_path: Path) -> None:
    for file in written(encoded(quadrants(), kind), tmp_path):
        with Image.open(file.path) as image:
            assert upright(image.convert("RGB"))


def test_the_inspection_says_what_was_found() -> None:
    content = encoded(quadrants(4000, 3000), "JPEG", exif=exif(6, position=True))
    found = read(BytesIO(content)).inspection()
    assert (found.kind, found.detected_type) == ("IMAGE", "image/jpeg")
    assert (found.width, found.height) == (3000, 4000)
    assert found.metadata["cameraModel"] == "Model 7"
    assert found.position
    assert found.taken_at
    assert 20 <= len(base64.b64decode(found.placeholder)) <= 25


def test_a_page_or_an_archive_inside_a_photo_does_not_come_out_again(tmp_path: Path) -> None:
    photo = encoded(quadrants(), "JPEG", comment=b"<script>alert(1)</script>")
    for file in written(photo + b"PK\x03\x04<html><script>alert(2)</script>", tmp_path):
        made = file.path.read_bytes()
        assert b"<script>" not in made
        assert b"PK\x03\x04" not in made
