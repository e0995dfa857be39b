from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support import samples
from tests.support.images import encoded, exif, quadrants
from tests.support.samples import sample

from mediaplatform_worker.images.metadata import MAX_TEXT, Facts, facts


def of(tags: Image.Exif, kind: str = "JPEG") -> Facts:
    image = Image.open(BytesIO(encoded(quadrants(), kind, exif=tags.tobytes())))
    image.load()
    return facts(image)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_facts_and_position_are_found_in_every_format(kind: str) -> None:
    found = of(exif(position=True), kind)
    assert found.metadata == {
        "cameraMake": "Maker",
        "cameraModel": "Model 7",
        "lens": "Lens 50 mm",
        "exposureSeconds": 0.004,
        "fNumber": 2.8,
        "iso": 400,
        "focalLengthMm": 50.0,
        "takenAt": "2024-02-29T23:30:00+02:00",
    }
    assert found.position == {"latitude": -33.8569, "longitude": 151.21, "altitude": -12.5}
    assert found.taken_at == datetime(2024, 2, 29, 21, 30, tzinfo=UTC)


def test_a_phone_photo_gives_what_its_camera_wrote() -> None:
    with Image.open(sample(samples.PHONE_12_MP_TURNED)) as image:
        found = facts(image)
    assert found.orientation == 3
    assert found.metadata["cameraModel"] == "Mi A3"
    assert found.metadata["iso"] == 1792
    assert found.metadata["takenAt"] == "2020-01-24T23:11:53"
    assert found.taken_at == datetime(2020, 1, 24, 23, 11, 53, tzinfo=UTC)
    assert found.position == {"latitude": -15.83567, "longitude": -48.015564, "altitude": 1134.11}


def test_no_position_is_among_the_facts() -> None:
    with Image.open(sample(samples.PHONE_12_MP)) as image:
        found = facts(image)
    assert found.position
    assert "15.83" not in str(found.metadata)
    assert not {key for key in found.metadata if "gps" in key.lower() or "tude" in key.lower()}


def test_an_image_without_tags_gives_nothing() -> None:
    assert facts(quadrants()) == Facts()


@pytest.mark.parametrize(
    ("written", "offset", "taken"),
    [
        ("2024:02:30 10:00:00", "+02:00", None),  # no such day
        ("0000:00:00 00:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        ("2024-02-28T10:00:00", None, None),
        ("2024:02:28 10:00:00", "nonsense", datetime(2024, 2, 28, 10, tzinfo=UTC)),
        ("2024:02:28 10:00:00", "+99:00", datetime(2024, 2, 28, 10, tzinfo=UTC)),
        (
            "2024:02:28 10:00:00",
            "-03:30",
            datetime(2024, 2, 28, 10, tzinfo=timezone(-timedelta(hours=3, minutes=30))),
        ),
    ],
)
def test_a_time_is_taken_only_where_it_makes_sense(
    written: str, offset: str | None, taken: datetime | None
) -> None:
    tags = Image.Exif()
    details = tags.get_ifd(0x8769)
    details[0x9003] = written
    if offset:
        details[0x9011] = offset
    assert of(tags).taken_at == taken


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ((91.0, 0.0, 0.0), (10.0, 0.0, 0.0)),
        ((10.0, 0.0, 0.0), (181.0, 0.0, 0.0)),
        ((float("nan"), 0.0, 0.0), (10.0, 0.0, 0.0)),
        ((10.0, 0.0, 0.0), None),
        ((), (10.0, 0.0, 0.0)),
    ],
)
def test_a_position_off_the_earth_is_left_out(latitude: Any, longitude: Any) -> None:
    class Tagged(Image.Exif):
        def get_ifd(self, tag: int) -> dict[int, Any]:
            return {1: "N", 2: latitude, 3: "E", 4: longitude} if tag == 0x8825 else {}

    image = quadrants()
    image.getexif = Tagged  # type: ignore[method-assign]
    assert facts(image).position is None


def test_text_is_bounded_and_printable() -> None:
    tags = Image.Exif()
    tags[0x0131] = "Editor\0\x1b[31m " + "x" * 5000
    software = of(tags).metadata["software"]
    assert isinstance(software, str)
    assert software.startswith("Editor[31m x")
    assert len(software) == MAX_TEXT


@given(st.binary(max_size=300))
def test_damaged_tags_leave_an_image_without_facts(damage: bytes) -> None:
    image = quadrants(8, 8)
    image.info["exif"] = b"Exif\0\0II*\0\x08\0\0\0" + damage
    found = facts(image)
    assert 1 <= found.orientation <= 8
    assert all(isinstance(value, str | int | float) for value in found.metadata.values())


# In a fresh clone the first text() makes a table of Unicode, which takes a second.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([0x010F, 0x0112, 0x0131, 0x8827, 0x829A, 0x9003, 0x920A]),
        st.one_of(st.text(), st.binary(), st.integers(), st.floats(), st.fractions(), st.none()),
    )
)
def test_tags_of_any_type_are_taken_or_left(tags: dict[int, Any]) -> None:
    class Tagged(dict[int, Any]):
        def get_ifd(self, _: int) -> dict[int, Any]:
            return tags

    image = quadrants(8, 8)
    image.getexif = lambda: Tagged(tags)  # type: ignore[method-assign, assignment, return-value]
    assert 1 <= facts(image).orientation <= 8
