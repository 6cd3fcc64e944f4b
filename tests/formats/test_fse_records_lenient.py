"""Records of anybody, read as far as they can be: nothing is lost or refused, nothing else is taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lot_samples import one_lot

from bifente.simulator.formats.fse.records import (
    WIDTH,
    LooseField,
    LooseRecord,
    encoding_of,
    read_loosely,
    read_records,
    records,
    split_records,
)


def line(**columns: str) -> str:
    """A record with what stands at each column: ``c1="2"``."""
    letters = [" "] * WIDTH
    for name, value in columns.items():
        at = int(name[1:]) - 1
        letters[at : at + len(value)] = value
    return "".join(letters)


HEADER = line(c1="000", c4="TP", c6="00000991129768")
INVOICE = line(c1="2", c12="1421962965167", c25="94", c27="001", c39="0", c40="ENTRY0001", c77="13", c128="M")
BIOLOGY = line(c1="4", c39="B", c49="260302", c55="01", c57="00001104", c65="260302", c71="02", c73="00001105")
TEETH = line(c1="4", c39="M", c43="HBJD001", c56="A", c57="1", c71="11121314", c110="RESTE")
NOWHERE = line(c1="7", c39="Q", c60="INCONNU DE TOUS", c100="X")


def read_one(text: str) -> LooseRecord:
    (found,) = read_loosely([text])
    return found


def named(text: str) -> dict[str | None, str]:
    return {one.name: one.value.rstrip() for one in read_one(text).fields}


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", ""])
@pytest.mark.parametrize("after", ["", "\r\n", "\x1a", "\n\n"])
def test_records_are_parted_by_lines_or_by_their_width(end: str, after: str) -> None:
    found = split_records((end.join((HEADER, INVOICE, NOWHERE)) + after).encode())
    assert [one.rstrip() for one in found] == [one.rstrip() for one in (HEADER, INVOICE, NOWHERE)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0000",
        b"hello",
        b"{}",
        b"12;34\n56;78\n",
        b"3B65000020636306\n",
        b"\x30\x82\x01\x00",
        b"0001\x01" + b"2" * 128,
    ],
)
def test_what_is_no_file_of_records_is_not_taken_for_one(data: bytes) -> None:
    assert split_records(data) == ()


def test_records_without_a_header_are_known_by_their_common_width() -> None:
    assert split_records((INVOICE + BIOLOGY).encode()) == (INVOICE, BIOLOGY)
    assert split_records(f"{INVOICE}\n{BIOLOGY[:-1]}\n".encode()) == (INVOICE, BIOLOGY[:-1])
    assert split_records(f"{INVOICE[:-1]}\n{BIOLOGY[:-2]}\n".encode()) == ()
    assert split_records(f"{INVOICE}\n{BIOLOGY}X\n".encode()) == ()
    assert split_records(INVOICE.encode()) == (INVOICE,)


HEADER = line(c1="000", c4="PS", c6="00000991000019")


@pytest.mark.parametrize(
    ("data", "encoding", "lines"),
    [
        (f"{HEADER}\n{TEETH}".encode("cp500"), "cp500", (HEADER, TEETH)),
        (f"{HEADER}\x85{TEETH}".encode("cp500"), "cp500", (HEADER, TEETH)),
        ((HEADER + TEETH).encode("cp500"), "cp500", (HEADER, TEETH)),
        (f"{HEADER}\n{TEETH}".encode("utf-8-sig"), "utf-8", (HEADER, TEETH)),
        (f"{HEADER}\n{TEETH}".encode("utf-16"), "utf-16", (HEADER, TEETH)),
        (f"{HEADER}\n{TEETH[:-5]}ÉTÉ ".encode(), "utf-8", (HEADER, f"{TEETH[:-5]}ÉTÉ ")),
        (f"{HEADER}\n{TEETH[:-5]}ÉTÉ ".encode("iso-8859-1"), "iso-8859-1", (HEADER, f"{TEETH[:-5]}ÉTÉ ")),
        (f"\n \n{HEADER}\r\n{TEETH}\r\n\x1a".encode(), "ascii", (HEADER, TEETH)),
        (f"{HEADER}\f{TEETH}\f".encode(), "ascii", (HEADER, TEETH)),
        (f"{HEADER}\n{TEETH[:60]}\t{TEETH[61:]}".encode(), "ascii", (HEADER, f"{TEETH[:60]}\t{TEETH[61:]}")),
    ],
)
def test_a_file_is_read_however_it_is_written(data: bytes, encoding: str, lines: tuple[str, ...]) -> None:
    assert encoding_of(data) == encoding
    assert split_records(data) == lines


def test_the_spaces_that_an_editor_took_off_are_put_back() -> None:
    found = [*read_loosely((HEADER, TEETH.rstrip(), BIOLOGY.rstrip()))]
    assert [one.label is not None for one in found] == [True, True, True]
    assert [one.width for one in found] == [128, len(TEETH.rstrip()), len(BIOLOGY.rstrip())]


def test_records_of_an_older_width_are_told_raw() -> None:
    found = [*read_loosely(("000" + "A" * 77, "2" + "B" * 79))]
    assert [(one.label, one.width) for one in found] == [(None, 80), (None, 80)]


def test_known_columns_have_their_names() -> None:
    found = named(INVOICE)
    assert (found["entry"], found["insurance"], found["mutualist"]) == ("ENTRY0001", "13", "M")
    assert "complementary" not in found
    found = named(BIOLOGY)
    assert (found["code"], found["quantity-second"], found["code-second"]) == ("00001104", "02", "00001105")
    found = named(TEETH)
    assert (found["extension"], found["teeth"], found[None]) == ("A", "11121314", "RESTE")


def test_an_unknown_type_is_told_raw_with_its_columns() -> None:
    found = read_one(NOWHERE)
    assert (found.type, found.label) == ("7Q", None)
    assert found.fields == (
        LooseField(1, "7"),
        LooseField(39, "Q"),
        LooseField(60, "INCONNU DE TOUS"),
        LooseField(100, "X"),
    )


def test_a_value_that_is_none_of_its_field_is_told_so() -> None:
    told = {one.name: one.fault for one in read_one(line(c1="4", c39="10", c91="3000-")).fields}
    assert told["treatment"] is None
    assert told["unit"] is not None


def test_a_record_of_another_width_has_no_layout() -> None:
    found = read_one("990000000012")
    assert (found.type, found.label, found.width) == ("990", None, 12)


def test_what_the_bench_writes_is_read_by_both_readers_alike() -> None:
    data = records(one_lot())
    strict = read_records(data)
    loose = tuple(read_loosely(split_records(data)))
    assert len(loose) == strict.trailer.number("records")
    assert all(one.label is not None and not [f for f in one.fields if f.name is None or f.fault] for one in loose)


@settings(max_examples=60)
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), min_size=1, max_size=140))
def test_no_character_is_lost_and_none_stands_elsewhere(text: str) -> None:
    found = read_one(text)
    seen = [" "] * len(text)
    for field in found.fields:
        seen[field.at - 1 : field.at - 1 + len(field.value)] = field.value
    assert "".join(seen).rstrip() == text.rstrip(" ").rstrip()


@settings(max_examples=60)
@given(st.binary(max_size=600))
def test_noise_is_split_without_a_fault(data: bytes) -> None:
    for found in read_loosely(split_records(data)):
        assert found.rank
