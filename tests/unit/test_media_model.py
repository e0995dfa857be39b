"""The table of moves, which is checked when it is loaded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaplatform.media.model import FINAL, MOVES, State, _check, may_move, sources_of

STATES = st.sampled_from(State)


def test_only_what_is_deleted_stays_as_it_is() -> None:
    assert frozenset({State.DELETED}) == FINAL


@given(STATES, STATES)
def test_sources_and_targets_agree(source: State, target: State) -> None:
    assert may_move(source, target) == (source in sources_of(target))


@given(STATES)
def test_nothing_moves_to_where_it_is_or_back_to_waiting(state: State) -> None:
    assert not may_move(state, state)
    assert not may_move(state, State.WAITING)


@given(st.sampled_from([state for state in State if state is not State.DELETED]))
def test_a_table_in_which_a_state_cannot_be_left_is_refused(state: State) -> None:
    with pytest.raises(AssertionError, match="never"):
        _check({**MOVES, state: frozenset()})


def test_a_table_that_forgets_a_state_is_refused() -> None:
    with pytest.raises(AssertionError, match="no moves for"):
        _check({state: moves for state, moves in MOVES.items() if state is not State.TRASHED})
