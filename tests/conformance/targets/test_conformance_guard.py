from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bifente.conformance.targets.base import GuardRefusalError
from bifente.conformance.targets.guard import Codes, GuardedConnection
from bifente.simulator.iso7816.apdu import Command

PIN, PUK = 0x01, 0x02
RIGHT = {PIN: b"1234", PUK: b"12345678"}
CODE_INSTRUCTIONS = {0x20, 0x21, 0x24, 0x25, 0x26, 0x28, 0x2C, 0x2D}
CHANGING = {0x04, 0x06, 0x08, 0x0E, 0x0F, 0x44, 0x46, 0x47, 0x82, 0x86, 0x87, 0xD0, 0xD1, 0xD2, 0xD6, 0xD7, 0xDA, 0xDB}
CHANGING |= {0xDC, 0xDD, 0xE0, 0xE2, 0xE4, 0xE6, 0xE8, 0xEE, 0xFE, 0x32, 0x50, 0xD8}


class Wire:
    """A card that notes what reaches it. ``status`` answers VERIFY without data, ``answer`` everything else."""

    def __init__(self, status: str = "63C3", answer: str = "9000") -> None:
        self.status, self.answer = bytes.fromhex(status), bytes.fromhex(answer)
        self.got: list[bytes] = []
        self.resets = 0

    atr = b"\x3b"

    def transmit(self, command: bytes) -> bytes:
        self.got.append(command)
        asks = len(command) == 5 and command[1] == 0x20 and command[4] == 0
        return self.status if asks else self.answer

    def reset(self, *, cold: bool) -> bytes:
        self.resets += 1
        return self.atr

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def disconnect(self) -> None: ...

    def seen(self) -> Iterator[Command]:
        """What reached the card, the guard's own questions left out."""
        return (Command.parse(raw) for raw in self.got if raw[0] > 3 or raw[1:3] + raw[4:] != b"\x20\x00\x00")


def guarded(wire: Wire, *, destructive: bool = False, known: dict[int, bytes] | None = None) -> GuardedConnection:
    return GuardedConnection(wire, Codes(dict(RIGHT if known is None else known), PUK), destructive=destructive)


def refused(connection: GuardedConnection, command: str) -> str:
    with pytest.raises(GuardRefusalError) as raised:
        connection.transmit(bytes.fromhex(command))
    assert raised.value.why.fr
    return raised.value.why.en


commands = st.binary(min_size=0, max_size=12) | st.builds(
    lambda cla, ins, p1, p2, data, le: bytes((cla, ins, p1, p2)) + (bytes((len(data),)) + data if data else b"") + le,
    st.sampled_from([0x00, 0x01, 0x10, 0x11, 0x0C, 0x80, 0xA0, 0x20]),
    st.sampled_from(sorted(CODE_INSTRUCTIONS | CHANGING | {0xA4, 0xB0, 0xCA, 0x2A, 0x88})),
    st.sampled_from([0, 1, 2, 3]),
    st.sampled_from([0, PIN, PUK, 0x81]),
    st.sampled_from([b"", b"0000", b"1234", b"12345678", b"00000000", b"123456780000", b"12340000"])
    | st.binary(max_size=6),
    st.sampled_from([b"", b"\x00", b"\x04"]),
)


@given(command=commands, known=st.sampled_from([RIGHT, {}, {PIN: RIGHT[PIN]}]))
@example(command=bytes.fromhex("00200001") + b"\x041234", known=RIGHT)
def test_without_permission_only_the_right_code_and_readings_reach_a_card(
    command: bytes, known: dict[int, bytes]
) -> None:
    wire = Wire()
    connection = guarded(wire, known=known)
    try:
        connection.transmit(command)
    except GuardRefusalError:
        assert not list(wire.seen())
        return
    (sent,) = wire.seen()
    assert sent.ins not in CHANGING
    if sent.ins in CODE_INSTRUCTIONS and sent.data:
        assert (sent.ins, sent.p1) == (0x20, 0x00)
        assert sent.cla in range(4)
        assert sent.data == known[sent.p2]
    elif sent.ins in CODE_INSTRUCTIONS:
        assert sent.ins == 0x20
        assert sent.ne in (None, 256)


@given(command=commands, tries=st.integers(0, 3), told=st.booleans())
def test_even_with_permission_no_wrong_puk_reaches_a_card_with_few_tries(
    command: bytes, tries: int, told: bool
) -> None:
    wire = Wire(status=f"63C{tries:X}" if told else "6A88")
    connection = guarded(wire, destructive=True)
    try:
        connection.transmit(command)
    except GuardRefusalError:
        assert not list(wire.seen())
        return
    for sent in wire.seen():
        if sent.ins in CODE_INSTRUCTIONS and sent.p2 == PUK and sent.data and sent.ins not in (0x2C, 0x2D):
            assert sent.data == RIGHT[PUK] if sent.ins == 0x20 else sent.data.startswith(RIGHT[PUK])
        if sent.ins in (0x2C, 0x2D) and sent.p1 in (0, 1) and sent.data:
            assert sent.data.startswith(RIGHT[PUK])


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("00200001 04 30303030", "a code that is not the card's is not presented to a real card"),
        ("00200002 04 31323334", "a code that is not the card's"),  # the PIN's value is not the PUK's
        ("00200003 04 31323334", "a code that is not the card's"),
        ("00200001 05 3132333434", "a code that is not the card's"),
        ("10200001 04 31323334", "a code that is not the card's"),  # a part of a chain
        ("0C200001 04 31323334", "a code that is not the card's"),
        ("A0200001 04 31323334", "a code that is not the card's"),
        ("00200101 04 31323334", "a code that is not the card's"),
        ("0020000104", "a code that is not the card's"),  # the card would wait for four bytes
        ("00210001 04 31323334", "a code that is not the card's"),
        ("00240001 08 3132333435363738", "a code that is not the card's"),
        ("002C0201 04 31323334", "a code that is not the card's"),
        ("002C0301", "a code that is not the card's"),
        ("00260001 04 31323334", "a code that is not the card's"),
        ("00D60000 01 00", "a command that might change the card is not sent to a real card"),
        ("00820000 08 0000000000000000", "a command that might change the card"),
        ("00FE0000", "a command that might change the card"),
        ("00550000", "a command that might change the card"),
        ("80CA0000", "a command that might change the card"),
        ("00", "malformed command: not sent to a real card"),
        ("00A4040C05 00", "malformed command: not sent to a real card"),
    ],
)
def test_what_is_refused_says_why(command: str, why: str) -> None:
    wire = Wire()
    assert refused(guarded(wire), command).startswith(why)
    assert not list(wire.seen())


@pytest.mark.parametrize(
    "command",
    [
        "00A4040C",
        "00B0000000",
        "00CA9F7F00",
        "0084000008",
        "00880000 02 0000",
        "002241B6 03 800112",
        "0020000100",
        "00200001",
        "A0A40000 02 3F00",
        "01B0000000",
    ],
)
def test_readings_and_keys_at_work_pass_unchanged(command: str) -> None:
    wire = Wire()
    assert guarded(wire).transmit(bytes.fromhex(command)) in (wire.answer, wire.status)
    assert wire.got == [bytes.fromhex(command)]


@pytest.mark.parametrize(
    "command", ["00D60000 01 00", "00200001 04 30303030", "00240001 08 3030303031313131", "00550000"]
)
def test_permission_lets_a_scenario_use_up_tries_and_write(command: str) -> None:
    wire = Wire(status="63C1")
    guarded(wire, destructive=True).transmit(bytes.fromhex(command))
    assert wire.got == [bytes.fromhex(command)]


def test_malformed_commands_never_pass() -> None:
    assert refused(guarded(Wire(), destructive=True), "00A4").startswith("malformed")


@pytest.mark.parametrize(
    ("status", "passes"),
    [
        ("63C3", True),
        ("63C2", True),
        ("63C1", False),
        ("63C0", False),
        ("6983", False),
        ("9000", True),
        ("6A88", False),
    ],
)
def test_tries_are_read_before_the_right_code_is_presented(status: str, passes: bool) -> None:
    wire = Wire(status)
    connection = guarded(wire)
    command = bytes.fromhex("00200001 04 31323334")
    if passes:
        assert connection.transmit(command) == bytes.fromhex("9000")
        assert wire.got == [bytes.fromhex("0020000100"), command]
    else:
        assert "the code is not presented to a real card" in refused(connection, command.hex())
        assert wire.got == [bytes.fromhex("0020000100")]


def test_a_code_the_card_refused_is_not_presented_a_second_time() -> None:
    wire = Wire(answer="63C2")
    codes = Codes(dict(RIGHT), PUK)
    command = "00200001 04 31323334"
    assert GuardedConnection(wire, codes, destructive=False).transmit(bytes.fromhex(command)) == bytes.fromhex("63C2")
    assert "a code that is not the card's" in refused(GuardedConnection(wire, codes, destructive=False), command)
    assert codes.known == {PUK: RIGHT[PUK]}


@pytest.mark.parametrize(
    ("status", "command", "passes"),
    [
        ("63C4", "00200002 08 3030303030303030", True),
        ("63C3", "00200002 08 3030303030303030", False),
        ("6A88", "00200002 08 3030303030303030", False),
        ("6983", "00200002 08 3030303030303030", False),
        ("63C1", "00200002 08 3132333435363738", True),
        ("63C3", "002C0001 0C 303030303030303030303030", False),
        ("63C3", "002C0001 0C 313233343536373830303030", True),
        ("63C3", "002C0201 04 30303030", True),
        ("63C3", "00240002 10 30303030303030303131313131313131", False),
        ("63C3", "00240002 10 31323334353637383131313131313131", True),
    ],
)
def test_a_wrong_puk_is_spared_when_few_tries_are_left(status: str, command: str, passes: bool) -> None:
    wire = Wire(status)
    connection = guarded(wire, destructive=True)
    if passes:
        connection.transmit(bytes.fromhex(command))
        assert wire.got[-1] == bytes.fromhex(command)
    else:
        assert "a wrong PUK would lose the card" in refused(connection, command)


def test_everything_else_is_the_connection_s_own() -> None:
    wire = Wire()
    connection = guarded(wire)
    assert connection.atr == wire.atr
    assert connection.reset(cold=True) == wire.atr
    connection.begin()
    connection.end()
    connection.disconnect()
    assert wire.resets == 1


@pytest.mark.parametrize(("status", "passes"), [("63C3", True), ("63C1", False), ("6881", False)])
def test_on_a_logical_channel_tries_are_asked_there(status: str, passes: bool) -> None:
    wire = Wire(status)
    command = bytes.fromhex("01200001 04 31323334")
    if passes:
        assert guarded(wire).transmit(command) == bytes.fromhex("9000")
    else:
        assert "the code is not presented to a real card" in refused(guarded(wire), command.hex())
    assert wire.got == [bytes.fromhex("0120000100"), *([command] if passes else [])]
    assert "a code that is not the card's" in refused(guarded(wire), "01200001 04 30303030")
