"""The reader's own keys: what is typed reaches the card in the right place, or the reader says why not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readers_bench import SELECT, Specimen, refused

from bifente.ground.clock import VirtualClock
from bifente.ground.text import Text
from bifente.simulator.iso7816.card import Card
from bifente.simulator.readers import Handle, PcscCode, PcscService, PinPad, Reader
from bifente.simulator.readers.pin_pad import CONTROLS, GET_FEATURE_REQUEST, MODIFY, VERIFY, Feature, PadKey

ASCII, BCD, BINARY = 0x82, 0x81, 0x80

DISPLAY = (Text("Code ?", "PIN?"), Text("Nouveau ?", "New?"), Text("Encore ?", "Again?"))


class Sink(Specimen):
    """Says yes, and keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        self.told.append(command)
        return b"\x90\x00"


class Desk:
    """A reader with keys, a card, and an application connected to it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.pad = PinPad(DISPLAY)
        self.reader = Reader.of("Keys", ["Keys 0"], self.clock, pin_pad=self.pad)
        self.card = Sink()
        self.reader.slots[0].insert(self.card)
        self.service = PcscService([self.reader], self.clock)
        self.handle: Handle = self.service.establish().connect("Keys 0")

    def verify(self, command: str = "0020000100", **changes: Any) -> bytes:
        return self.handle.control(CONTROLS[Feature.VERIFY_PIN_DIRECT], verification(command, **changes))

    def modify(self, command: str = "0024000100", **changes: Any) -> bytes:
        return self.handle.control(CONTROLS[Feature.MODIFY_PIN_DIRECT], modification(command, **changes))


def common(command: str, **changes: Any) -> dict[str, Any]:
    body = bytes.fromhex(command)
    return {
        "timer": 30,
        "timer2": 30,
        "format": ASCII,
        "block": 0,
        "length": 0,
        "max": 8,
        "min": 4,
        "validation": 2,
        "messages": 1,
        "language": 0x040C,
        "teo": bytes(3),
        "size": len(body),
        "command": body,
        **changes,
    }


def verification(command: str, **changes: Any) -> bytes:
    return bytes(VERIFY.build({**common(command), "message": 0, **changes}))


def modification(command: str, **changes: Any) -> bytes:
    more = {"old_offset": 0, "new_offset": 4, "confirm": 3, "message1": 0, "message2": 1, "message3": 2}
    return bytes(MODIFY.build({**common(command), **more, **changes}))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_structure_is_the_one_of_part_10() -> None:
    # Nineteen bytes before the command: PIN_VERIFY_STRUCTURE is packed, its numbers little endian.
    raw = verification("0020000100", timer=1, timer2=2, format=0x82, block=8, length=0, min=4, max=12)
    assert raw.hex() == "01028208000c0402010c04000000000500000000" + "20000100"
    raw = modification("0024000100")
    assert len(raw) == 24 + 5
    assert raw.hex() == "1e1e8200000004" + "0804" + "030201" + "0c04" + "000102" + "000000" + "05000000" + "0024000100"


def test_the_features_are_told_and_nothing_else_is_taken(desk: Desk) -> None:
    told = desk.handle.control(GET_FEATURE_REQUEST, b"")
    assert told.hex() == "0604" + f"{CONTROLS[Feature.VERIFY_PIN_DIRECT]:08x}" + "0704" + (
        f"{CONTROLS[Feature.MODIFY_PIN_DIRECT]:08x}"
    )
    for code in (0, GET_FEATURE_REQUEST + 1, 0x42000000 + 3500 + 0x0A):
        with refused(PcscCode.UNSUPPORTED_FEATURE):
            desk.handle.control(code, b"")


@pytest.mark.parametrize(
    ("changes", "command", "sent"),
    [
        ({}, "0020000100", "0020000104" + "31323334"),
        ({"block": 8}, "0020000108" + "FF" * 8, "0020000108" + "31323334ffffffff"),
        ({"block": 8, "format": ASCII | 0x04}, "0020000108" + "FF" * 8, "0020000108" + "ffffffff31323334"),
        ({"block": 4, "format": BCD}, "0020000104" + "00" * 4, "0020000104" + "1234ffff"),
        ({"block": 8, "format": BINARY}, "0020000108" + "00" * 8, "0020000108" + "01020304ffffffff"),
        ({"block": 4, "format": ASCII | 2 << 3}, "0020000108" + "AA" * 8, "0020000108" + "aaaa31323334aaaa"),
        ({"block": 4, "format": 0x02 | 8 << 3}, "0020000106" + "AA" * 6, "0020000106" + "aa31323334aa"),
    ],
)
def test_where_the_code_goes(desk: Desk, changes: dict[str, int], command: str, sent: str) -> None:
    desk.pad.type("1234")
    assert desk.verify(command, **changes) == b"\x90\x00"
    assert [told.hex() for told in desk.card.told] == [sent]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("123", "6403"), ("123456789", "6403"), (PadKey.CANCEL, "6401"), (PadKey.NOTHING, "6400"), (None, "6400")],
)
def test_what_the_reader_refuses_never_reaches_the_card(desk: Desk, typed: Any, answer: str) -> None:
    if typed is not None:
        desk.pad.type(typed)
    assert desk.verify().hex() == answer
    assert desk.card.told == []


@pytest.mark.parametrize(("timer", "waited"), [(20, 20), (0, 30)])
def test_the_wait_for_a_key_is_spent_on_the_clock(desk: Desk, timer: int, waited: int) -> None:
    assert desk.verify(timer=timer).hex() == "6400"
    assert desk.clock.monotonic() == waited


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 0x83},
        {"length": 1},
        {"block": 0x44},
        {"format": 0x02 | 3 << 3},
        {"block": 15},
        {"min": 9},
        {"command": "000000"},
    ],
)
def test_a_structure_that_makes_no_sense(desk: Desk, changes: dict[str, Any]) -> None:
    desk.pad.type("1234")
    assert desk.verify(**changes).hex() == "6b80"
    assert desk.card.told == []


@given(junk=st.binary(max_size=300), feature=st.sampled_from(list(Feature)))
def test_any_bytes_get_an_answer(junk: bytes, feature: Feature) -> None:
    desk = Desk()
    desk.pad.type("1234", "1234", "1234")
    answer = desk.handle.control(CONTROLS[feature], junk)
    assert len(answer) == 2
    assert answer == b"\x90\x00" or not desk.card.told


@given(cut=st.integers(0, 28), feature=st.sampled_from(list(Feature)))
def test_a_truncated_structure_is_refused(cut: int, feature: Feature) -> None:
    desk = Desk()
    desk.pad.type("1234", "1234", "1234")
    whole = verification("0020000100") if feature is Feature.VERIFY_PIN_DIRECT else modification("0024000100")
    assert desk.handle.control(CONTROLS[feature], whole[: min(cut, len(whole) - 1)]).hex() == "6b80"


# -- changing a code ------------------------------------------------------------------------------------------------


def test_old_and_new_code_side_by_side(desk: Desk) -> None:
    desk.pad.type("1234", "5678", "5678")
    assert desk.modify() == b"\x90\x00"
    desk.pad.type("1234", "5678", "5678")
    assert desk.modify("0024000108" + "00" * 8, block=4, new_offset=4) == b"\x90\x00"
    assert [told.hex() for told in desk.card.told] == ["0024000108" + "3132333435363738"] * 2


def test_the_old_code_and_the_confirmation_are_asked_only_on_demand(desk: Desk) -> None:
    desk.pad.type("5678")
    assert desk.modify("0024010100", confirm=0) == b"\x90\x00"
    assert desk.card.told[0].hex() == "0024010104" + "35363738"


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (("1234", "5678", "5679"), "6402"),
        (("1234", "5678", PadKey.CANCEL), "6401"),
        (("1234", PadKey.CANCEL), "6401"),
        ((PadKey.CANCEL,), "6401"),
        (("1234", "5678"), "6400"),
        (("1234", "56"), "6403"),
    ],
)
def test_a_change_not_finished_changes_nothing(desk: Desk, typed: tuple[Any, ...], answer: str) -> None:
    desk.pad.type(*typed)
    assert desk.modify().hex() == answer
    assert desk.card.told == []


# -- the pad and the card -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["12a4", "", "12 4", "١٢٣٤", "1" * 17])
def test_a_pad_has_ten_digits(typed: str) -> None:
    with pytest.raises(ValueError, match="ten digits"):
        PinPad().type("1234", typed)


def test_the_code_is_kept_nowhere(desk: Desk) -> None:
    desk.pad.type("8642")
    desk.verify()
    assert "8642" not in repr(vars(desk.pad))
    desk.pad.type("8642")
    desk.pad.forget()
    assert desk.verify().hex() == "6400"


def test_a_pad_without_a_card_or_in_anothers_transaction(desk: Desk) -> None:
    other = desk.service.establish().connect("Keys 0")
    other.begin()
    desk.pad.type("1234")
    with refused(PcscCode.SHARING_VIOLATION):
        desk.verify()
    other.end()
    card: Card = desk.reader.slots[0].remove()
    assert desk.handle.control(GET_FEATURE_REQUEST, b""), "a removal keeps nobody from the reader itself"
    with refused(PcscCode.REMOVED_CARD):
        desk.verify()
    desk.reader.slots[0].insert(card)
    desk.handle.reconnect()
    desk.pad.type("1234")
    assert desk.verify() == b"\x90\x00"
    assert desk.handle.transmit(SELECT)


# -- what the display shows -------------------------------------------------------------------------------------------


def test_each_entry_is_asked_for_by_its_message(desk: Desk) -> None:
    desk.pad.type("1234", "5678", "5678")
    assert desk.modify(messages=3).hex() == "9000"
    assert desk.pad.shown == ("Code ?", "Nouveau ?", "Encore ?")


def test_messages_are_given_to_the_entries_in_their_order(desk: Desk) -> None:
    desk.pad.type("5678", "5678")
    assert desk.modify(messages=2, confirm=1, message1=1, message2=2).hex() == "9000"
    assert desk.pad.shown == ("Nouveau ?", "Encore ?")


@pytest.mark.parametrize(
    ("language", "shown"), [(0x040C, "Code ?"), (0x0C0C, "Code ?"), (0x0409, "PIN?"), (0x0407, "PIN?")]
)
def test_the_language_is_the_one_asked_for(desk: Desk, language: int, shown: str) -> None:
    desk.pad.type("1234")
    desk.verify(language=language)
    assert desk.pad.shown == (shown,)


def test_no_message_is_shown_if_none_is_asked_for(desk: Desk) -> None:
    desk.pad.type("1234")
    assert desk.verify(messages=0).hex() == "9000"
    assert desk.pad.shown == ()


def test_a_message_the_reader_has_not_is_a_wrong_structure(desk: Desk) -> None:
    desk.pad.type("1234")
    assert desk.verify(message=3).hex() == "6b80"
    assert desk.card.told == []


def test_a_reader_without_a_display_does_not_look_at_messages(desk: Desk) -> None:
    pad = PinPad()
    pad.type("1234")
    command = verification("0020000100", message=99)
    assert pad.control(CONTROLS[Feature.VERIFY_PIN_DIRECT], command, desk.card.transmit, lambda _: None) == b"\x90\x00"
    assert pad.shown == ()
