"""The wire of pcsc-lite's protocol: sizes as its headers have them, any chunking, no garbage taken for a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.pcsc.own.messages import (
    EVENT,
    HEADER,
    LAYOUTS,
    LONGEST,
    MAX_DATA,
    STATE,
    BrokenMessageError,
    Decoder,
    Request,
    ServiceCommand,
    encode,
    name_of,
    state,
)
from bifente.simulator.pcsc.own.orders import (
    Movement,
    Reply,
    SlotOrder,
    SlotOutcome,
    ToldMovement,
    code_of,
    failure,
    moved,
    order,
    read_order,
    read_told,
    reply,
)

# Measured by compiling the headers of pcsc-lite 1.9.9, 2.0.3 and 2.5.1.
SIZES = {
    0x01: 12, 0x02: 8, 0x04: 152, 0x05: 24, 0x06: 12, 0x07: 8, 0x08: 12, 0x09: 32, 0x0A: 24, 0x0B: 8, 0x0D: 8,
    0x0F: 280, 0x10: 280, 0x11: 12, 0x12: 0, 0x13: 0, 0x14: 0, 0x15: 0, 0x16: 0, 0x17: 0,
}  # fmt: skip
words = st.integers(0, 0xFFFFFFFF)
signed = st.integers(-(2**31), 2**31 - 1)


def field(letter: str) -> st.SearchStrategy[object]:
    return {"I": words, "i": signed}[letter]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    command = draw(st.sampled_from(list(ServiceCommand)))
    data = b""
    if command is ServiceCommand.CONNECT:
        fields = [draw(words), draw(st.binary(min_size=128, max_size=128)), *(draw(words) for _ in range(2))]
        fields += [draw(signed), draw(words), draw(words)]
    elif command in (ServiceCommand.GET_ATTRIBUTE, ServiceCommand.SET_ATTRIBUTE):
        value = draw(st.binary(min_size=264, max_size=264))
        fields = [draw(signed), draw(words), value, draw(st.integers(0, 264)), draw(words)]
    else:
        fields = [draw(field(letter)) for letter in _letters(LAYOUTS[command].format)]
    if command is ServiceCommand.TRANSMIT:
        data = draw(st.binary(max_size=300))
        fields[3], fields[6] = len(data), draw(st.integers(0, MAX_DATA))
    elif command is ServiceCommand.CONTROL:
        data = draw(st.binary(max_size=300))
        fields[2], fields[3] = len(data), draw(st.integers(0, MAX_DATA))
    return Request(command, tuple(fields), data)


def _letters(text: str) -> str:
    plain = text.removeprefix("=")
    return "".join(letter * int(count or 1) for count, letter in _pairs(plain))


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs, count = [], ""
    for letter in text:
        if letter.isdigit():
            count += letter
        else:
            pairs.append((count, letter))
            count = ""
    return pairs


def test_every_structure_has_the_size_of_pcsc_lite() -> None:
    assert {int(command): layout.size for command, layout in LAYOUTS.items()} == SIZES
    assert (HEADER.size, EVENT.size, STATE.size) == (8, 8, 184)


@given(st.lists(requests(), max_size=5), st.data())
def test_requests_come_back_however_they_were_chunked(sent: list[Request], data: st.DataObject) -> None:
    stream = b"".join(encode(request) for request in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder, heard = Decoder(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        decoder.feed(stream[start:end])
        while (request := decoder.take()) is not None:
            heard.append(request)
    assert heard == sent
    assert decoder.pending == 0


@given(st.binary(max_size=400))
def test_garbage_is_a_request_or_refused_and_never_anything_else(garbage: bytes) -> None:
    decoder = Decoder()
    decoder.feed(garbage)
    taken = b""
    try:
        while (request := decoder.take()) is not None:
            assert request.command in SIZES
            taken += b"." * (8 + SIZES[request.command] + len(request.data))
    except BrokenMessageError:
        return
    assert len(taken) + decoder.pending == len(garbage)
    assert decoder.pending <= LONGEST


@pytest.mark.parametrize("command", [0, 3, 0x0C, 0x0E, 0x18, 0xFFFFFFFF])
def test_a_command_that_is_none_is_refused_at_its_header(command: int) -> None:
    decoder = Decoder()
    decoder.feed(HEADER.pack(12, command))
    with pytest.raises(BrokenMessageError):
        decoder.take()


@pytest.mark.parametrize("command", [command for command, size in SIZES.items() if size])
@pytest.mark.parametrize("wrong", [-1, 1])
def test_a_wrong_size_is_refused_at_its_header(command: int, wrong: int) -> None:
    decoder = Decoder()
    decoder.feed(HEADER.pack(SIZES[command] + wrong, command))
    with pytest.raises(BrokenMessageError):
        decoder.take()


@pytest.mark.parametrize("command", [command for command, size in SIZES.items() if not size])
def test_the_size_of_what_has_no_structure_is_not_looked_at(command: int) -> None:
    decoder = Decoder()
    decoder.feed(HEADER.pack(4711, command))
    assert decoder.take() == Request(command, ())


@pytest.mark.parametrize(
    "request_",
    [
        Request(ServiceCommand.TRANSMIT, (1, 1, 8, MAX_DATA + 1, 1, 8, 256, 0)),
        Request(ServiceCommand.TRANSMIT, (1, 1, 8, 0, 1, 8, MAX_DATA + 1, 0)),
        Request(ServiceCommand.CONTROL, (1, 0, MAX_DATA + 1, 0, 0, 0)),
        Request(ServiceCommand.CONTROL, (1, 0, 0, MAX_DATA + 1, 0, 0)),
        Request(ServiceCommand.GET_ATTRIBUTE, (1, 1, b"", 265, 0)),
        Request(ServiceCommand.SET_ATTRIBUTE, (1, 1, b"", 265, 0)),
    ],
)
def test_lengths_above_those_of_the_protocol_are_refused(request_: Request) -> None:
    decoder = Decoder()
    decoder.feed(encode(request_))
    with pytest.raises(BrokenMessageError):
        decoder.take()


def test_a_reader_has_its_fields_where_clients_read_them() -> None:
    drawn = state("Lecteur é", 7, 0x34, -1, bytes.fromhex("3B04"), 2)
    assert drawn[:10] == "Lecteur é".encode()
    assert not any(drawn[10:128])
    assert drawn[128:132] == (7).to_bytes(4, "little")
    assert drawn[132:136] == (0x34).to_bytes(4, "little")
    assert drawn[136:140] == b"\xff\xff\xff\xff"
    assert drawn[140:176] == bytes.fromhex("3B04").ljust(36, b"\0"), "no padding tells anything"
    assert drawn[176:184] == (2).to_bytes(4, "little") * 2


def test_a_name_ends_at_its_zero_and_may_be_broken() -> None:
    assert name_of(b"TL 0\0rest".ljust(128, b"\0")) == "TL 0"
    assert name_of("é".encode()[:1] + b"\0") == "\N{REPLACEMENT CHARACTER}"


@given(st.sampled_from(list(SlotOrder)), words, st.binary(max_size=300))
def test_orders_come_back(what: SlotOrder, number: int, payload: bytes) -> None:
    assert read_order(memoryview(order(what, number, payload))) == (what, number, payload)


@given(words, st.sampled_from(list(SlotOutcome)), st.binary(max_size=300))
def test_replies_come_back(number: int, outcome: SlotOutcome, payload: bytes) -> None:
    assert read_told(memoryview(reply(number, outcome, payload))) == Reply(number, outcome, payload)


@given(words, words)
def test_failures_come_back(number: int, code: int) -> None:
    told = read_told(memoryview(failure(number, code)))
    assert isinstance(told, Reply)
    assert (told.number, told.outcome, code_of(told.payload)) == (number, SlotOutcome.LINE, code)


@given(words, st.sampled_from(list(Movement)), st.binary(max_size=33))
def test_movements_come_back(number: int, movement: Movement, atr: bytes) -> None:
    assert read_told(memoryview(moved(number, movement, atr))) == ToldMovement(number, movement, atr)
