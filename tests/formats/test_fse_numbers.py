"""How numbers are written: their forms, and when one comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.lots import next_number
from bifente.simulator.formats.fse.model import LotKind
from bifente.simulator.formats.fse.numbers import MAX_SHEET, ROUNDS, Sequence, form


@pytest.mark.parametrize(
    ("sequence", "rank", "text"),
    [
        (Sequence.SHEET, 0, "1"),
        (Sequence.SHEET, MAX_SHEET - 1, "999999999"),
        (Sequence.LOT_FSE, 0, "000"),
        (Sequence.LOT_FSE, 999, "999"),
        (Sequence.LOT_FSE, 1000, "000"),
        (Sequence.LOT_DRE, 0, "ZZZ"),
        (Sequence.LOT_DRE, 1, "ZZY"),
        (Sequence.LOT_DRE, 25, "ZZA"),
        (Sequence.LOT_DRE, 26, "ZZ9"),
        (Sequence.LOT_DRE, 36, "ZYZ"),
        (Sequence.LOT_DRE, 36**3 - 1, "000"),
        (Sequence.LOT_DRE, 36**3, "ZZZ"),
        (Sequence.FILE, 1234, "234"),
    ],
)
def test_forms(sequence: Sequence, rank: int, text: str) -> None:
    assert form(sequence, rank) == text


@given(st.sampled_from(LotKind), st.integers(0, 200_000))
def test_the_forms_follow_each_other_as_lots_say(kind: LotKind, rank: int) -> None:
    sequence = Sequence.LOT_FSE if kind is LotKind.FSE else Sequence.LOT_DRE
    assert form(sequence, rank + 1) == next_number(kind, form(sequence, rank))


def test_a_form_comes_back_only_after_a_round() -> None:
    for sequence, turn in ROUNDS.items():
        assert len({form(sequence, rank) for rank in range(turn)}) == turn


@pytest.mark.parametrize("sequence", [Sequence.SHEET, Sequence.CLAIM])
def test_sheets_never_begin_again(sequence: Sequence) -> None:
    with pytest.raises(FseError, match="999999999 numbers are used"):
        form(sequence, MAX_SHEET)
    with pytest.raises(ValueError, match="not negative"):
        form(sequence, -1)
