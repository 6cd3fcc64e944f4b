"""The Vitale 1: words at addresses that count quartets, two commands, everything else refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.cards.layout import Layout
from bifente.simulator.cards.vitale1 import memory
from bifente.simulator.cards.vitale1.engine import MemoryCard
from bifente.simulator.cards.vitale1.memory import MemoryImageError, read, write
from bifente.simulator.iso7816.status import is_legal
from bifente.simulator.zones import Group, make

LAYOUT = Layout.load("vitale1")
GROUPS = (make(101, {"card-type": "T", "serial-number": "99900017"}), make(104, {"usual-name": "TESTANCIENNE"}))
COVERAGE = make(106, {"ald-code": "1", "situation-code": "0100"})
IMAGE = write(LAYOUT, (*GROUPS, COVERAGE))


def ask(command: str, card: MemoryCard | None = None) -> tuple[bytes, int]:
    raw = (card or MemoryCard(IMAGE)).transmit(bytes.fromhex(command))
    return raw[:-2], int.from_bytes(raw[-2:], "big")


def area(start: int, end: int) -> bytes:
    card = MemoryCard(IMAGE)
    words = (ask(f"BCB0{address:04X}04", card) for address in range(start, end, memory.QUARTETS))
    return b"".join(data for data, sw in words if sw == 0x9000)


def test_the_last_address_and_the_size_of_the_memory() -> None:
    assert ask("BCC0000008") == (bytes.fromhex("2188000000000000"), 0x9000)
    # Addresses count quartets: 0200h to 2188h is 4 KB less what lies below 0200h.
    assert len(IMAGE.words) * memory.WORD_SIZE == (0x2188 - 0x200) // 2 == 4036


def test_the_groups_come_back_from_the_words_without_the_coverage() -> None:
    found = read(area(memory.FREE, memory.PRODUCTION), area(memory.PRODUCTION, memory.END))
    assert found == GROUPS


def test_the_top_bits_of_a_word_are_not_data() -> None:
    assert all(word < 1 << 30 for word in IMAGE.words)
    free, production = area(memory.FREE, memory.PRODUCTION), area(memory.PRODUCTION, memory.END)
    marked = b"".join(bytes((part[0] | 0xC0,)) + part[1:] for part in (free[i : i + 4] for i in range(0, len(free), 4)))
    assert read(marked, production) == GROUPS


def test_the_coverage_is_nowhere_on_the_card() -> None:
    assert write(LAYOUT, (*GROUPS, COVERAGE)) == write(LAYOUT, GROUPS)


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("BCB0", 0x6700),
        ("BCB00288", 0x6700),
        ("BCB002880400", 0x6700),
        ("BCB0028803", 0x6700),
        ("BCB0028800", 0x6700),
        ("BCB0028904", 0x6B00),
        ("BCB0028C04", 0x6B00),
        ("BCB001F804", 0x6B00),
        ("BCB0218804", 0x6B00),
        ("BCB0218008", 0x6B00),
        ("BCB0FFF804", 0x6B00),
        ("BCB0020004", 0x6982),
        ("BCB0028004", 0x6982),
        ("BCC0000108", 0x6B00),
        ("BCC0000004", 0x6700),
        ("BCD0028804AABBCCDD", 0x6D00),
        ("BC20000004", 0x6D00),
        ("00A40000023F00", 0x6E00),
        ("00B0000000", 0x6E00),
        ("", 0x6700),
    ],
)
def test_everything_else_is_refused(command: str, sw: int) -> None:
    assert ask(command) == (b"", sw)


@given(st.lists(st.binary(max_size=12) | st.binary(max_size=3).map(lambda tail: b"\xbc\xb0\x02" + tail), max_size=20))
def test_any_bytes_get_a_legal_answer_and_nothing_changes(commands: list[bytes]) -> None:
    card = MemoryCard(IMAGE)
    for command in commands:
        answer = card.transmit(command)
        assert len(answer) >= 2
        assert is_legal(int.from_bytes(answer[-2:], "big"))
    assert ask("BCB0028804", card) == ask("BCB0028804")


def test_power() -> None:
    card = MemoryCard(IMAGE)
    assert not card.powered
    assert card.power_on() == card.reset() == card.atr == bytes.fromhex("3F6525002209699000")
    card.power_off()
    assert not card.powered
    card.transmit(bytes.fromhex("BCC0000008"))
    assert card.powered


@given(st.lists(st.lists(st.binary(max_size=40), max_size=4), min_size=1, max_size=20))
def test_any_groups_that_fit_come_back(fields: list[list[bytes]]) -> None:
    groups = tuple(Group(999, tuple(own)) for own in fields)
    words = write(LAYOUT, groups).words
    raw = b"".join(word.to_bytes(4, "big") for word in words)
    at = [(address - memory.FIRST) // 2 for address in (memory.FREE, memory.PRODUCTION)]
    assert read(raw[at[0] : at[1]], raw[at[1] :]) == groups


def test_too_many_groups_do_not_fit() -> None:
    with pytest.raises(MemoryImageError, match="do not fit"):
        write(LAYOUT, [Group(999, (b"x" * 200,))] * 19)


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_any_words_are_groups_or_one_error(free: bytes, production: bytes) -> None:
    with suppress(MemoryImageError):
        assert read(free, production)


@pytest.mark.parametrize(
    "pointers", ["", "20800288", "2080028820800288", "2080029020800288", "2080020020800300", "2080028820802130"]
)
def test_pointers_that_lead_nowhere_are_told(pointers: str) -> None:
    with pytest.raises(MemoryImageError):
        read(area(memory.FREE, memory.PRODUCTION), bytes.fromhex(pointers))
