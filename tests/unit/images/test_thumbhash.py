from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support.images import quadrants

from mediaplatform_worker.images.thumbhash import thumbhash

# Made by the reference implementation (npm's thumbhash 0.1.1) from the same pixels.
REFERENCE = [
    ((32, 24), False, "9be80d1d966076876188789488877895f5880ad8a9"),
    ((24, 32), False, "d7c70925146076748808887889885798e89f1497f8"),
    ((32, 32), False, "1a080e1f166076777588887288688887788538fe3980880e"),
    ((32, 1), False, "cab91679ae8477878888088b7488408708"),
    ((1, 1), False, "000802070000000000000000000000000000000000000000"),
    ((32, 18), True, "9e3886138a37a288a08995c4892ffb7570777778877778"),
]


def pattern(width: int, height: int, *, translucent: bool) -> Image.Image:
    pixels = bytes(
        value % 256
        for y in range(height)
        for x in range(width)
        for value in (7 * x, 11 * y + x, x * y, 8 * x + y if translucent else 255)
    )
    return Image.frombytes("RGBA", (width, height), pixels)


@pytest.mark.parametrize(("size", "translucent", "wanted"), REFERENCE)
def test_the_hash_is_that_of_the_reference(
    size: tuple[int, int], translucent: bool, wanted: str
) -> None:
    assert thumbhash(pattern(*size, translucent=translucent)).hex() == wanted


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 40), st.sampled_from(["RGB", "RGBA"]))
def test_an_image_of_any_size_has_a_hash_of_few_bytes(width: int, height: int, mode: str) -> None:
    image = quadrants(width, height).convert(mode)
    assert 5 <= len(thumbhash(image)) <= 25


def test_an_image_that_is_all_clear_has_a_hash() -> None:
    assert len(thumbhash(Image.new("RGBA", (20, 10)))) > 5
