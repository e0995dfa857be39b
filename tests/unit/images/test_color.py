from __future__ import annotations

import pytest
from PIL import Image, ImageCms
from tests.support.images import ADOBE_RGB, DISPLAY_P3, cmyk_profile, matrix_profile, quadrants

from mediaplatform.errors import Rejected
from mediaplatform_worker.images.color import to_srgb

# XYZ under D50 to linear sRGB (the inverse of sRGB's own primaries, adapted by Bradford).
_TO_SRGB = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)


def expected(
    color: tuple[int, int, int], primaries: tuple[tuple[float, ...], ...], gamma: float
) -> tuple[int, ...]:
    linear = [(part / 255) ** gamma for part in color]
    xyz = [sum(primaries[c][axis] * linear[c] for c in range(3)) for axis in range(3)]
    return srgb(xyz)


def srgb(xyz: list[float]) -> tuple[int, ...]:
    rgb = (sum(row[axis] * xyz[axis] for axis in range(3)) for row in _TO_SRGB)
    return tuple(round(255 * _curve(min(1.0, max(0.0, part)))) for part in rgb)


def _curve(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def profiled(color: tuple[int, ...] | int, profile: bytes, mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, (4, 4), color)
    image.info["icc_profile"] = profile
    return image


def pixel(image: Image.Image) -> tuple[int, ...]:
    value = image.getpixel((1, 1))
    assert isinstance(value, tuple)
    return tuple(int(part) for part in value)


@pytest.mark.parametrize("color", [(120, 160, 90), (200, 60, 60), (30, 90, 200), (255, 255, 255)])
@pytest.mark.parametrize(("primaries", "gamma"), [(DISPLAY_P3, 2.2), (ADOBE_RGB, 2.19921875)])
def test_a_wide_gamut_becomes_the_same_colour_in_srgb(
    primaries: tuple[tuple[float, ...], ...], gamma: float, color: tuple[int, int, int]
) -> None:
    wanted = expected(color, primaries, gamma)
    found = pixel(to_srgb(profiled(color, matrix_profile(primaries, gamma, "Wide"))))
    assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= 2
    if color == (120, 160, 90):
        assert found != color


def test_alpha_is_kept_while_colours_are_converted() -> None:
    profile = matrix_profile(DISPLAY_P3, 2.2, "Wide")
    found = pixel(to_srgb(profiled((120, 160, 90, 77), profile, "RGBA")))
    assert found[3] == 77
    opaque = pixel(to_srgb(profiled((120, 160, 90), profile)))
    assert max(abs(a - b) for a, b in zip(found[:3], opaque, strict=True)) <= 1


def test_ink_is_shown_as_its_profile_says() -> None:
    lightness, a, b = 60, -20, -20
    middle = (lightness + 16) / 116
    xyz = [
        white * part**3
        for white, part in zip(
            (0.9642, 1.0, 0.82491), (middle + a / 500, middle, middle - b / 200), strict=True
        )
    ]
    wanted = srgb(xyz)
    profile = cmyk_profile(cyan=(lightness, a, b))
    found = pixel(to_srgb(profiled((255, 0, 0, 0), profile, "CMYK")))
    assert max(abs(one - other) for one, other in zip(found, wanted, strict=True)) <= 3
    assert found != (0, 255, 255)
    paper = pixel(to_srgb(profiled((0, 0, 0, 0), profile, "CMYK")))
    assert min(paper) >= 253


def test_ink_without_a_profile_is_shown_all_the_same() -> None:
    assert pixel(to_srgb(Image.new("CMYK", (4, 4), (255, 0, 0, 0)))) == (0, 255, 255)


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"garbage",
        bytes(200),
        cmyk_profile((60, -40, -45)),
        matrix_profile(DISPLAY_P3, 2.2, "x")[:180],
    ],
)
def test_a_broken_profile_or_one_for_other_channels_is_left_out(profile: bytes) -> None:
    assert pixel(to_srgb(profiled((120, 160, 90), profile))) == (120, 160, 90)


def test_grey_with_a_profile_of_colours_stays_grey() -> None:
    profile = matrix_profile(DISPLAY_P3, 2.2, "Wide")
    assert pixel(to_srgb(profiled(99, profile, "L"))) == (99, 99, 99)


def test_the_common_profile_costs_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = profiled((120, 160, 90), srgb)
    assert to_srgb(image) is image


def test_lab_is_converted_and_floating_point_is_refused() -> None:
    assert min(pixel(to_srgb(Image.new("LAB", (4, 4), (255, 128, 128))))) >= 240
    with pytest.raises(Rejected, match="Save it with 8 bits") as refused:
        to_srgb(quadrants().convert("F"))
    assert refused.value.code == "unsupported_pixels"
