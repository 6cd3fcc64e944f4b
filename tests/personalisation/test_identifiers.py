from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.personalisation import identifiers
from simulator.personalisation.identifiers import BILLING, FINESS, RPPS, SIRET, Identifier, check_structure_id


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("9990006527", "9"),  # RPPS of public test professionals.
        ("9990006414", "0"),
        ("1000345670", "3"),
        ("1010098765", "9"),
        ("99112976", "8"),  # Billing numbers.
        ("99113063", "4"),
        ("75100123", "1"),
        ("13200045", "6"),
        ("75071218", "4"),  # FINESS of three hospitals.
        ("69078181", "0"),
        ("13078604", "9"),
    ],
)
def test_luhn_of_public_numbers(body: str, key: str) -> None:
    assert identifiers.luhn_key(body) == key
    assert identifiers.luhn_sum(body + key) == 0


@settings(deadline=None)
@given(st.text("0123456789", min_size=1, max_size=20), st.integers(0, 19), st.integers(1, 9))
def test_luhn_sees_every_wrong_digit(body: str, position: int, shift: int) -> None:
    number = body + identifiers.luhn_key(body)
    position %= len(number)
    wrong = f"{number[:position]}{(int(number[position]) + shift) % 10}{number[position + 1 :]}"
    assert identifiers.luhn_sum(number) == 0
    assert identifiers.luhn_sum(wrong) != 0


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (RPPS, "99900065279"),
        (RPPS, "99700000054"),
        (BILLING, "991129768"),
        (FINESS, "0B0000014"),
        (SIRET, "99000000100000"),
    ],
)
def test_laboratory_numbers_pass(kind: Identifier, value: str) -> None:
    assert kind.check(value) == value


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (RPPS, "99900065278", "fails the Luhn check: its last digit should be 9"),
        (RPPS, "9990006527", "must be 11 digits"),
        (RPPS, "9990006527A", "must be 11 digits"),
        (RPPS, "٩٩٩٠٠٠٦٥٢٧٩", "must be 11 digits"),
        (RPPS, "10003456703", "could be a real one: a laboratory number begins with 997 or 999"),
        (BILLING, "751001231", "could be a real one"),
        (FINESS, "750712184", "could be a real one"),
        (FINESS, "0B0000015", "last digit should be 4"),
        (SIRET, "9900000010000", "must be 14 digits"),
    ],
)
def test_wrong_or_real_numbers_are_refused_in_words(kind: Identifier, value: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        kind.check(value)


@pytest.mark.parametrize(("value", "words"), [("0991129768", "unknown type digit"), ("", "unknown"), ("1", "FINESS")])
def test_wrong_structure_ids(value: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_structure_id(value)
