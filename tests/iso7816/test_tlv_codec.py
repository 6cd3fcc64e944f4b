from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.iso7816 import tlv
from bifente.simulator.iso7816.tlv import Tlv, TlvError


def _tags(constructed: bool) -> st.SearchStrategy[int]:
    """Tags of one, two and three bytes, built rather than filtered."""
    kind = 0x20 if constructed else 0x00
    first = st.integers(0, 3).map(lambda number: number << 6 | kind)
    return st.one_of(
        st.builds(lambda head, number: head | number, first, st.integers(0, 30)),
        st.builds(lambda head, number: (head | 0x1F) << 8 | number, first, st.integers(1, 0x7F)),
        st.builds(
            lambda head, high, low: (head | 0x1F) << 16 | high << 8 | low,
            first,
            st.integers(0x81, 0xFF),
            st.integers(0, 0x7F),
        ),
    )


PRIMITIVE = st.builds(Tlv, _tags(constructed=False), st.binary(max_size=300))
TREES = st.recursive(
    PRIMITIVE,
    lambda below: st.builds(
        lambda tag, items: Tlv(tag, b"".join(item.encode() for item in items), tuple(items)),
        _tags(constructed=True),
        st.lists(below, max_size=4),
    ),
    max_leaves=12,
)


@given(st.lists(TREES, max_size=4))
def test_what_is_encoded_is_parsed_back(objects: list[Tlv]) -> None:
    raw = b"".join(item.encode() for item in objects)
    assert tlv.parse(raw) == tuple(objects)
    assert [(item.tag, item.value) for item in tlv.parse_flat(raw)] == [(item.tag, item.value) for item in objects]


@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_objects_or_an_error_with_its_place(raw: bytes) -> None:
    try:
        objects = tlv.parse(raw)
    except TlvError as error:
        assert 0 <= error.offset <= len(raw)  # noqa: PT017
    else:
        assert sum(1 for _ in tlv.walk(objects)) <= len(raw)


@pytest.mark.parametrize(
    ("size", "header"), [(0x7F, "047F"), (0x80, "048180"), (0x100, "04820100"), (0x10000, "0483010000")]
)
def test_lengths_take_as_few_bytes_as_they_can(size: int, header: str) -> None:
    raw = tlv.encode(0x04, bytes(size))
    assert raw[: len(header) // 2].hex().upper() == header
    assert tlv.parse(raw)[0].value == bytes(size)


@pytest.mark.parametrize(
    ("raw", "offset"),
    [
        ("04", 1),
        ("0402AA", 0),
        ("30030402AA", 2),
        ("0480", 1),
        ("0485000000000100", 1),
        ("0482 01", 2),
        ("BF", 1),
        ("BF80 01 00", 1),
        ("BF81818181 00", 4),
        ("3080 0000", 1),
    ],
)
def test_malformed_objects_are_refused_where_they_break(raw: str, offset: int) -> None:
    with pytest.raises(TlvError) as caught:
        tlv.parse(bytes.fromhex(raw))
    assert caught.value.offset == offset


def test_depth_and_size_are_bounded() -> None:
    raw = b""
    for _ in range(tlv.MAX_DEPTH):
        raw = tlv.encode(0x30, raw)
    assert tlv.parse(raw)
    with pytest.raises(TlvError, match="nested too deep"):
        tlv.parse(tlv.encode(0x30, raw))
    with pytest.raises(TlvError, match="more than"):
        tlv.parse(bytes(tlv.MAX_SIZE + 1))
    with pytest.raises(TlvError, match="more than"):
        tlv.parse_flat(bytes(tlv.MAX_SIZE + 1))


@pytest.mark.parametrize("tag", [-1, 0x1F, 0xBF, 0x3F00, 0xBF80, 0x1234, 0xBF8101FF, 1 << 40])
def test_numbers_that_spell_no_tag_are_refused(tag: int) -> None:
    with pytest.raises(ValueError, match=r"BER tag|byte"):
        tlv.encode(tag, b"")


def test_objects_are_found_by_path() -> None:
    objects = tlv.parse(bytes.fromhex("8001AA 6206 A104 8C020200"))
    found = tlv.find(objects, 0x62, 0xA1, 0x8C)
    assert found is not None
    assert found.value == b"\x02\x00"
    assert tlv.find(objects, 0x62, 0x8C) is None
    assert tlv.find(objects) is None
    assert objects[1].find(0xA1) is not None
