from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.fr import nir as stdnum_nir
from stdnum.fr import siret as stdnum_siret

from bifente.ground import identifiers
from bifente.ground.identifiers import (
    BILLING,
    FINESS,
    NIR,
    RPPS,
    RPPS_PRACTICE,
    SIRET,
    Identifier,
    check_structure_id,
    laboratory_nir,
    nir_key,
)


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
    ("body", "key"),
    [
        ("1421962965167", "94"),  # A public test card: month 19.
        ("2700427681086", "24"),
        ("1990175123456", "02"),
        ("275012A004001", "69"),  # The two departments of Corsica.
        ("180062B033002", "80"),
        ("8990175999001", "17"),  # Sex 8.
    ],
)
def test_nir_keys(body: str, key: str) -> None:
    assert nir_key(body) == key
    assert NIR.verify(body + key) == body + key


def test_corsican_letters_are_worth_what_subtracting_a_million_or_two_gives() -> None:
    for department, zeroes, less in (("2A", "20", 1_000_000), ("2B", "20", 2_000_000)):
        number = int(f"18006{zeroes}033002") - less
        assert nir_key(f"18006{department}033002") == f"{97 - number % 97:02d}"


@settings(deadline=None)
@given(st.integers(0, 99), st.sampled_from(["13", "2A", "2B", "97"]), st.integers(0, 999), st.data())
def test_a_nir_with_one_wrong_digit_is_seen(year: int, department: str, order: int, data: st.DataObject) -> None:
    number = laboratory_nir(year=year, department=department, order=order)
    position = data.draw(st.sampled_from([1, 2, *range(7, 15)]))
    shift = data.draw(st.integers(1, 9))
    wrong = f"{number[:position]}{(int(number[position]) + shift) % 10}{number[position + 1 :]}"
    with pytest.raises(ValueError, match="fails its key check"):
        NIR.verify(wrong)


@pytest.mark.parametrize("month", ["01", "12", "13", "19", "20", "50", "99"])
def test_a_nir_of_any_month_but_00_is_right(month: str) -> None:
    body = f"180{month}13055001"
    assert NIR.verify(body + nir_key(body))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("1800013055001" + nir_key("1800013055001"), id="month 00, that python-stdnum lets through"),
        pytest.param("5801913055001" + nir_key("5801913055001"), id="sex 5, that python-stdnum lets through"),
        pytest.param("1 42 19 62 965 167 94", id="spaces, that python-stdnum drops"),
        pytest.param("275012a00400169", id="lower case, that python-stdnum lifts"),
    ],
)
def test_python_stdnum_takes_what_the_bench_refuses(value: str) -> None:
    assert stdnum_nir.is_valid(value)
    with pytest.raises(ValueError, match="must be 15 characters"):
        NIR.verify(value)


@pytest.mark.parametrize("value", ["", "14219629651", "1421962965167", "142192C96516794", "14219629651679A", "1" * 16])
def test_malformed_nirs_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"NIR .* must be 15 characters"):
        NIR.verify(value)


def test_a_nir_that_could_be_somebodys_is_refused() -> None:
    with pytest.raises(ValueError, match="could be a real one: a laboratory number has month 19"):
        NIR.check("270042768108624")


@pytest.mark.parametrize("wrong", [{"sex": "9"}, {"year": 100}, {"department": "2C"}, {"commune": 1000}, {"order": -1}])
def test_a_nir_of_nobody_has_possible_parts(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be 15 characters"):
        laboratory_nir(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (RPPS, "99900065279"),
        (RPPS, "99700000054"),
        (BILLING, "991129768"),
        (FINESS, "0B0000014"),
        (SIRET, "99000000100000"),
        (RPPS_PRACTICE, "99900065279123"),
        (NIR, "142196296516794"),
        (NIR, laboratory_nir(department="2B", order=7)),
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
        (SIRET, "99000000100001", "last digit should be 0"),
        (NIR, "142196296516795", "1421962965167 has the key 94"),
    ],
)
def test_wrong_or_real_numbers_are_refused_in_words(kind: Identifier, value: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        kind.check(value)


@pytest.mark.parametrize("value", ["35600000000048", "35600000000001"])
def test_la_poste_has_its_own_rule(value: str) -> None:
    assert SIRET.verify(value) == value


@pytest.mark.parametrize("value", ["35600000000003", "35600000049838"])
def test_la_poste_refuses_a_luhn_number_whose_digits_do_not_add_up(value: str) -> None:
    with pytest.raises(ValueError, match="La Poste: its digits must add up to a multiple of 5"):
        SIRET.verify(value)


def test_python_stdnum_also_checks_the_company_of_a_siret() -> None:
    assert not stdnum_siret.is_valid("99000000100000")
    assert SIRET.verify("99000000100000")


@pytest.mark.parametrize(("value", "words"), [("0991129768", "unknown type digit"), ("", "unknown"), ("1", "FINESS")])
def test_wrong_structure_ids(value: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_structure_id(value)
