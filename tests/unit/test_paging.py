from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediaplatform.errors import InvalidInput
from mediaplatform.platform.paging import START, Position, after, check_limit

positions = st.builds(
    Position,
    st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.uuids(),
)


@given(positions)
def test_a_cursor_leads_back_to_its_position(position: Position) -> None:
    assert Position.from_cursor(position.to_cursor()) == position


def test_a_cursor_needs_no_escaping_in_a_url() -> None:
    cursor = START.to_cursor()

    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text().filter(lambda text: len(text) != 32))
@example("=" * 32)
def test_what_was_never_a_cursor_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Position.from_cursor(text)
    assert refused.value.field == "cursor"


def test_a_cursor_beyond_the_calendar_is_refused() -> None:
    beyond = base64.urlsafe_b64encode(b"\xff" * 24).decode()

    with pytest.raises(InvalidInput):
        Position.from_cursor(beyond)


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_outside_its_bounds_is_refused_by_name(limit: int) -> None:
    with pytest.raises(InvalidInput, match=str(limit)) as refused:
        check_limit(limit)
    assert refused.value.field == "limit"


def test_no_cursor_begins_at_the_newest() -> None:
    assert after("") == START
    assert after(START.to_cursor()) == START
