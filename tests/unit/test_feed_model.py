from __future__ import annotations

from mediaplatform.feed.model import Image, useful_images


def image(kind: str, width: int, height: int) -> Image:
    return Image(f"{kind}-{width}", f"image/{kind}", width, height, f"media/{kind}-{width}")


def test_a_feed_shows_the_two_largest_sizes_it_can_use_of_each_format() -> None:
    images = [
        image(kind, width, width * 3 // 4)
        for kind in ("jpeg", "avif")
        for width in (2016, 1024, 512, 256)
    ]

    assert [found.name for found in useful_images(images)] == [
        "avif-512",
        "avif-1024",
        "jpeg-512",
        "jpeg-1024",
    ]


def test_a_tall_image_is_measured_by_its_height() -> None:
    assert useful_images([image("jpeg", 768, 1024), image("jpeg", 1512, 2016)]) == (
        image("jpeg", 768, 1024),
    )
