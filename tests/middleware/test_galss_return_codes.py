"""The catalogue of return codes: complete, bilingual, and silent where nothing is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.return_codes import (
    Layer,
    http_statuses,
    readings,
    return_code,
    return_codes,
)

UNKNOWN = {0xFF07, 0xFF0C, 0xFF20, 0xFFFF}


@pytest.mark.parametrize("code", SsvCode)
def test_every_code_the_bench_can_return_is_told_of(code: SsvCode) -> None:
    assert return_code(code).meaning.fr


def test_every_code_has_a_meaning_a_cause_and_a_remedy_in_both_languages() -> None:
    for known in (*return_codes().values(), *http_statuses().values()):
        assert known.meaning.fr
        assert known.meaning.en != known.meaning.fr or not known.meaning.en
        assert known.fidelity in ("documented", "observed", "modelled")
        assert known.source
        if known.unknown or known.code == 0:
            assert known.cause is known.remedy is None
        else:
            for said in (known.cause, known.remedy):
                assert said is not None
                assert said.fr
                assert said.en


def test_what_nobody_knows_is_said_to_be_unknown() -> None:
    assert {code for code, known in return_codes().items() if known.unknown} == UNKNOWN
    for code in UNKNOWN:
        assert "meaning unknown" in return_code(code).meaning.en
        assert "signification inconnue" in return_code(code).meaning.fr


def test_ids_are_unique() -> None:
    ids = [known.id for known in (*return_codes().values(), *http_statuses().values())]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("first", [0xF610, 0xF620, 0xF630, 0xF640, 0xF650, 0xF660])
@pytest.mark.parametrize("low", [0, 9, 15])
def test_table_codes_tell_which_table(first: int, low: int) -> None:
    known = return_code(first + low)
    assert str(low) in known.meaning.fr.split()
    assert str(low) in known.meaning.en.split()
    assert "{" not in known.meaning.fr + known.meaning.en


@pytest.mark.parametrize("code", [0x0003, 0xF022, 0xF60F, 0xF671, 0x8008, 0x8009, 0x800B, 0xF803, 0xF808, 0x10000, -1])
def test_no_meaning_is_invented(code: int) -> None:
    with pytest.raises(LookupError, match="no source tells"):
        return_code(code)


def test_layers() -> None:
    assert return_code(0x8002).layer is Layer.GALSS
    assert return_code(0x0400).layer is Layer.PSS
    assert return_code(0xF80B).layer is Layer.SGD
    assert return_code(0xFF07).layer is Layer.CLOUD
    assert set(http_statuses()) == {401, 428, 503}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("61441", (0xF001,)),
        ("F001", (0xF001,)),
        ("0xf001", (0xF001,)),
        ("-4095", (0xF001,)),
        (" f001 ", (0xF001,)),
        ("8001", (0x8001, 8001)),
        ("0200", (0x0200, 200)),
        ("512", (512, 0x512)),
        ("8", (8,)),
        ("-32768", (0x8000,)),
    ],
)
def test_codes_as_people_write_them(text: str, numbers: tuple[int, ...]) -> None:
    assert readings(text) == numbers


@pytest.mark.parametrize(
    "text", ["", "zz", "0x", "0x1FFFF", "-0", "-32769", "F0011", "99999", "1.5", "٣", "0xF001G", "-F001", "1" * 50]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no return code|16"):
        readings(text)


@given(st.sampled_from(sorted(return_codes())))
def test_every_code_is_found_however_it_is_written(code: int) -> None:
    assert code in readings(f"{code:04X}")
    assert code in readings(f"0x{code:X}")
    assert code in readings(str(code))
    if code > 0x7FFF:
        assert readings(str(code - 0x10000)) == (code,)
