from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zone_samples import KNOWN, ZONES, card, groups

from bifente.simulator.zones import GROUPS, Group, ZoneError, decode, encode
from bifente.simulator.zones.codec import MAX_GROUPS, MAX_ZONE

#: A number that no catalogue has.
OTHER = 0x7777


def header(size: int) -> str:
    return encode([Group(OTHER, (bytes(size),))]).hex().upper()


@settings(deadline=None)
@given(ZONES)
def test_what_is_encoded_is_decoded_back(zone: list[Group]) -> None:
    assert decode(encode(zone)) == tuple(zone)


@pytest.mark.parametrize("number", sorted(GROUPS))
def test_every_group_goes_both_ways(number: int) -> None:
    @settings(deadline=None, max_examples=20)
    @given(groups(number))
    def both_ways(group: Group) -> None:
        raw = encode([group])
        assert raw[:2] == number.to_bytes(2, "big")
        assert decode(raw) == (group,)

    both_ways()


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_written_back_as_they_were_or_refused_at_a_place(raw: bytes) -> None:
    try:
        zone = decode(raw)
    except ZoneError as error:
        assert 0 <= error.offset <= len(raw)  # noqa: PT017
    else:
        assert encode(zone) == raw


@settings(deadline=None)
@given(ZONES, st.data())
def test_a_damaged_zone_is_written_back_as_it_was_or_refused_at_a_place(zone: list[Group], data: st.DataObject) -> None:
    raw = bytearray(encode(zone) or b"\x00")
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        again = decode(bytes(raw))
    except ZoneError as error:
        assert 0 <= error.offset <= len(raw)  # noqa: PT017
    else:
        assert encode(again) == raw


@settings(deadline=None)
@given(st.lists(KNOWN, min_size=1, max_size=4), st.data())
def test_a_zone_cut_inside_a_group_is_refused(zone: list[Group], data: st.DataObject) -> None:
    last = len(encode(zone)) - len(encode(zone[:-1]))
    raw = encode(zone)[: -data.draw(st.integers(1, last - 1))]
    with pytest.raises(ZoneError) as caught:
        decode(raw)
    assert len(encode(zone[:-1])) <= caught.value.offset <= len(raw)


def test_a_zone_by_hand() -> None:
    # Group 105: its number, a length of 15, a date of 12 characters, an empty one.
    raw = bytes.fromhex("00690E0C") + b"202601010000" + b"\x00"
    assert decode(raw) == (Group(105, (b"202601010000", b"")),)
    assert encode(decode(raw)) == raw


def test_nothing_is_a_zone_of_no_group() -> None:
    assert decode(b"") == ()
    assert encode([]) == b""


@pytest.mark.parametrize(
    ("size", "field"),
    [(0, "00"), (1, "01"), (126, "7E"), (127, "817F"), (128, "8180"), (255, "81FF"), (256, "820100"), (257, "820101")],
)
def test_lengths_of_fields(size: int, field: str) -> None:
    raw = encode([Group(OTHER, (bytes(size),))])
    assert raw.hex().upper().endswith(field + "00" * size)
    assert decode(raw)[0].fields == (bytes(size),)


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (126, "7E"),
        (127, "817F"),
        (128, "8180"),
        (255, "81FF"),
        (256, "820100"),
        (257, "820101"),
        (65532 - 2, "82FFFA"),
    ],
)
def test_lengths_of_groups(size: int, written: str) -> None:
    group = Group(OTHER, (b"",) * size)
    raw = encode([group])
    assert raw.hex().upper() == "7777" + written + "00" * size
    assert decode(raw) == (group,)


@pytest.mark.parametrize(
    ("raw", "offset", "words"),
    [
        ("00", 0, "a group number on two bytes was expected"),
        ("7777", 2, "a length was expected"),
        ("777701", 2, "a group of 1 bytes was announced, 0 are left"),
        ("7777027777", 3, "a field of 119 bytes was announced, 1 are left"),
        ("77770001", 3, "a group number on two bytes was expected"),
        ("7777028001", 3, "80 begins no length"),
        ("777780", 2, "80 begins no length"),
        ("77778300000100", 2, "83 begins no length"),
        ("7777FF", 2, "FF begins no length"),
        ("777781", 2, r"1 byte\(s\) of length were expected after 81"),
        ("77778201", 2, r"2 byte\(s\) of length were expected after 82"),
        ("777703820180", 3, "a field of 384 bytes was announced, 0 are left"),
        ("7777028200", 3, r"2 byte\(s\) of length were expected after 82"),
        ("77770181", 3, r"1 byte\(s\) of length were expected after 81"),
        ("006902000000690100", 5, "group 105 .AMO right period. has 2 fields, not 1"),
        ("0069020000006903000000", 5, "group 105 .AMO right period. has 2 fields, not 3"),
        ("0E1000003D0100", 3, "group 61 .Reader. has at least 9 fields, not 1"),
        ("00690200007777020181", 8, None),
    ],
)
def test_malformed_zones_are_refused_where_they_break(raw: str, offset: int, words: str | None) -> None:
    if words is None:
        assert decode(bytes.fromhex(raw))[1].fields == (b"\x81",)
        return
    with pytest.raises(ZoneError, match=f"^zone, byte {offset}: (in group 30583, )?{words}.*; [a-z]") as caught:
        decode(bytes.fromhex(raw))
    assert caught.value.offset == offset
    assert caught.value.cure


@pytest.mark.parametrize(
    ("length", "size", "cure"),
    [
        ("7F", 127, "write one byte below 7F, 81 and one byte from 7F to FF, or 82 and two bytes above"),
        ("8110", 16, "write 10"),
        ("817E", 126, "write 7E"),
        ("8100", 0, "write 00"),
        ("820000", 0, "write 00"),
        ("820080", 128, "write 8180"),
        ("82007F", 127, "write 817F"),
        ("8200FF", 255, "write 81FF"),
        ("83000100", 256, "write one byte below 7F"),
    ],
)
@pytest.mark.parametrize("field", [False, True], ids=["group", "field"])
def test_a_length_not_in_its_only_form_is_refused(length: str, size: int, cure: str, field: bool) -> None:
    body = bytes.fromhex(length) + bytes(size)
    if field:
        # The group around it is right, and its length long enough to take two more bytes in front.
        inner = bytes(1) * 300 + body
        raw, offset = bytes.fromhex("777782") + len(inner).to_bytes(2, "big") + inner, 5 + 300
    else:
        raw, offset = bytes.fromhex("7777") + body, 2
    with pytest.raises(ZoneError) as caught:
        decode(raw)
    assert caught.value.offset == offset
    assert caught.value.cure.startswith(cure)


@pytest.mark.parametrize("number", [number for number in GROUPS if not GROUPS[number].open])
def test_a_known_group_has_its_count_of_fields(number: int) -> None:
    count = len(GROUPS[number].fields)
    for wrong in (count - 1, count + 1):
        with pytest.raises(ZoneError, match=f"group {number} .* has {count} fields, not {wrong}"):
            encode([Group(number, (b"",) * wrong)])
        with pytest.raises(ZoneError, match=f"group {number} .* has {count} fields, not {wrong}"):
            decode(number.to_bytes(2, "big") + bytes((wrong,)) + bytes(wrong))


@pytest.mark.parametrize("number", [number for number in GROUPS if GROUPS[number].open])
def test_an_open_group_has_that_many_fields_or_more(number: int) -> None:
    count = len(GROUPS[number].fields)
    group = Group(number, (b"",) * (count + 4))
    assert decode(encode([group])) == (group,)


def test_a_broken_field_is_told_with_its_group() -> None:
    with pytest.raises(
        ZoneError, match=r"^zone, byte 3: in group 105 \(AMO right period\), 7F begins no length; write"
    ):
        decode(bytes.fromhex("0069027F00"))


def test_an_error_in_the_tenth_group_tells_its_place_in_the_whole_zone() -> None:
    zone = encode(card(3))
    with pytest.raises(ZoneError) as caught:
        decode(zone + bytes.fromhex("7777037F0000"))
    assert caught.value.offset == len(zone) + 3


def test_too_long_a_zone_is_refused_both_ways() -> None:
    half = Group(OTHER, (bytes(0x8000),))
    with pytest.raises(ZoneError, match="split the zone") as caught:
        encode([half, half])
    assert caught.value.offset == len(encode([half]))
    with pytest.raises(ZoneError, match="split it") as caught:
        decode(encode([half]) * 2)
    assert caught.value.offset == MAX_ZONE


def test_a_length_that_two_bytes_cannot_hold_is_refused() -> None:
    with pytest.raises(ZoneError, match="a length is at most 65535, this one is 65536"):
        encode([Group(OTHER, (bytes(0x10000),))])


def test_too_many_groups_are_refused_both_ways() -> None:
    one = Group(OTHER, ())
    assert len(decode(encode([one] * MAX_GROUPS))) == MAX_GROUPS
    with pytest.raises(ZoneError, match="at most 2048 groups"):
        encode([one] * (MAX_GROUPS + 1))
    with pytest.raises(ZoneError, match="at most 2048 groups") as caught:
        decode(encode([one]) * (MAX_GROUPS + 1))
    assert caught.value.offset == 3 * MAX_GROUPS


@pytest.mark.parametrize("number", [-1, 0x10000])
def test_a_group_number_has_two_bytes(number: int) -> None:
    with pytest.raises(ZoneError, match="between 0 and 65535"):
        encode([Group(number, ())])
