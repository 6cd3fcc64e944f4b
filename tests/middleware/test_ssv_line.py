"""The line to a card: what is sent again, what never is, and which code each failure comes to."""

from __future__ import annotations

import pytest

from bifente.ground.clock import VirtualClock
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.ssv.line import PS, VITALE, Blame, Line
from bifente.simulator.readers import PcscCode, ScardError

READ = bytes.fromhex("00B0000010")
VERIFY = bytes.fromhex("002000010431323334")


class Wire:
    """A connection that answers as told: bytes, or a PC/SC code to fail with; the last one for ever."""

    def __init__(self, *answers: bytes | int) -> None:
        self._answers = list(answers)
        self.sent: list[bytes] = []
        self.atr = b"\x3b\x00"

    def transmit(self, command: bytes) -> bytes:
        self.sent.append(command)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, bytes):
            return answer
        raise ScardError(answer)

    def reset(self, *, cold: bool) -> bytes:
        raise ScardError(PcscCode.REMOVED_CARD)

    def begin(self) -> None:
        raise AssertionError("the line holds nothing by itself")

    end = disconnect = begin


def line(wire: Wire, blame: Blame = VITALE) -> Line:
    return Line(wire, blame, VirtualClock())


@pytest.mark.parametrize(
    "code", [PcscCode.COMM_ERROR, PcscCode.NOT_TRANSACTED, PcscCode.TIMEOUT, PcscCode.UNRESPONSIVE_CARD]
)
def test_a_command_lost_four_times_succeeds_the_fifth(code: PcscCode) -> None:
    wire = Wire(code, code, code, code, b"\x90\x00")
    assert line(wire).transmit(READ) == b"\x90\x00"
    assert wire.sent == [READ] * 5


def test_a_command_lost_five_times_is_a_fault() -> None:
    wire = Wire(PcscCode.COMM_ERROR)
    with pytest.raises(SsvError) as caught:
        line(wire).transmit(READ)
    assert (caught.value.code, len(wire.sent)) == (SsvCode.VITALE_COMMUNICATION, 5)


@pytest.mark.parametrize("instruction", [0x20, 0x24, 0x2A, 0x2C, 0x82, 0x84, 0x88])
def test_a_code_or_a_proof_is_never_sent_twice(instruction: int) -> None:
    wire = Wire(PcscCode.COMM_ERROR, b"\x90\x00")
    with pytest.raises(SsvError) as caught:
        line(wire, PS).transmit(bytes((0x00, instruction, 0x00, 0x01, 0x04)) + b"1234")
    assert (caught.value.code, len(wire.sent)) == (SsvCode.CPS_API, 1)


@pytest.mark.parametrize("empty", [b"", b"\x90"])
def test_an_answer_without_status_word_is_a_command_lost(empty: bytes) -> None:
    wire = Wire(empty, b"\x6a\x82")
    assert line(wire).transmit(READ) == b"\x6a\x82"
    assert len(wire.sent) == 2
    with pytest.raises(SsvError) as caught:
        line(Wire(empty)).transmit(READ)
    assert caught.value.code == SsvCode.VITALE_COMMUNICATION


@pytest.mark.parametrize(
    ("code", "of_ps", "of_vitale"),
    [
        (PcscCode.REMOVED_CARD, 0xF001, 0xF015),
        (PcscCode.NO_SMARTCARD, 0xF001, 0xF015),
        (PcscCode.READER_UNAVAILABLE, 0xF101, 0xF101),
        (PcscCode.UNKNOWN_READER, 0xF101, 0xF101),
        (PcscCode.SERVICE_STOPPED, 0x0400, 0x0400),
        (PcscCode.NO_SERVICE, 0x0400, 0x0400),
        (PcscCode.SHARING_VIOLATION, 0x0004, 0x0004),
        (PcscCode.RESET_CARD, 0xFF30, 0xF014),
        (PcscCode.PROTO_MISMATCH, 0xFF30, 0xF014),
        (0x80100001, 0xFF30, 0xF014),
    ],
)
def test_every_failure_has_its_code_at_once(code: int, of_ps: int, of_vitale: int) -> None:
    for blame, expected in ((PS, of_ps), (VITALE, of_vitale)):
        wire = Wire(code)
        with pytest.raises(SsvError) as caught:
            line(wire, blame).transmit(READ)
        assert (caught.value.code, len(wire.sent)) == (expected, 1)


def test_a_card_never_met_is_absent_rather_than_withdrawn() -> None:
    error = ScardError(PcscCode.NO_SMARTCARD)
    assert VITALE.error(error, met=False).code == SsvCode.VITALE_ABSENT
    assert VITALE.error(error).code == SsvCode.VITALE_WITHDRAWN


def test_a_reset_that_fails_has_its_code_too() -> None:
    with pytest.raises(SsvError) as caught:
        line(Wire(b"\x90\x00")).reset(cold=True)
    assert caught.value.code == SsvCode.VITALE_WITHDRAWN


def test_leaving_the_line_leaves_the_card_to_the_pair() -> None:
    open_line = line(Wire(b"\x90\x00"))
    open_line.begin()
    open_line.end()
    open_line.disconnect()


def test_what_the_galss_says_comes_through_unchanged() -> None:
    class Galss(Wire):
        def transmit(self, command: bytes) -> bytes:
            raise SsvError(SsvCode.GALSS_PROTOCOL)

    with pytest.raises(SsvError) as caught:
        line(Galss(b"")).transmit(READ)
    assert caught.value.code == SsvCode.GALSS_PROTOCOL
