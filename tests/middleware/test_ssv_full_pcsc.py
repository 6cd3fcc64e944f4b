"""Full PC/SC: the two cards found wherever they are, two of a type refused, and patience with who holds them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssv_bench import CPS_SLOT, PIN, THIRD_SLOT, VITALE_SLOT, Desk, broken, cps, fields, ids, vitale

from bifente.ground.clock import VirtualClock
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.recognition import CardKind, atr_prefixes, kind_of
from bifente.simulator.pcsc import EchoCard
from bifente.simulator.readers import Connection, PcscCode, ScardError, Share

CPS_ATR = bytes.fromhex("3BAC00402A001225006480000310009000")
VITALE_ATR = bytes.fromhex("3B751300004709EA9000")


class Mute(EchoCard):
    """A card that gives no ATR: inserted upside down."""

    def power_on(self) -> bytes:
        raise AssertionError("the interference answers in its place")


class NoPower:
    def exchange(self, card: object, command: bytes) -> bytes:
        raise broken(PcscCode.UNRESPONSIVE_CARD)

    def power_on(self, card: object) -> bytes:
        raise broken(PcscCode.UNRESPONSIVE_CARD)


class Fake:
    """A PC/SC service of slots that answer by ATR, or fail with a code; a list of codes is used up one a try."""

    def __init__(self, **slots: bytes | int | list[int]) -> None:
        self.slots = dict(slots)
        self.tries: list[str] = []
        self.open: list[str] = []
        self.held: list[str] = []

    def readers(self) -> tuple[str, ...]:
        return tuple(self.slots)

    def connect(self, reader: str) -> Connection:
        self.tries.append(reader)
        given = self.slots[reader]
        if isinstance(given, int):
            raise ScardError(given)
        self.open.append(reader)
        return Line(self, reader, given)

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        raise AssertionError("nothing is waited for")


class Line:
    def __init__(self, service: Fake, name: str, atr: bytes) -> None:
        self.service, self.name, self.atr = service, name, atr
        self.failures: list[int] = []

    def transmit(self, command: bytes) -> bytes:
        raise AssertionError("only looked at")

    def reset(self, *, cold: bool) -> bytes:
        raise AssertionError("nothing is reset")

    def begin(self) -> None:
        failing = self.service.slots.get(f"begin:{self.name}")
        if isinstance(failing, list) and failing:
            raise ScardError(failing.pop(0))
        self.service.held.append(self.name)

    def end(self) -> None:
        if self.name not in self.service.held:
            raise ScardError(PcscCode.NOT_TRANSACTED)
        self.service.held.remove(self.name)

    def disconnect(self) -> None:
        self.service.open.remove(self.name)


def code(action: Callable[[], object]) -> int:
    with pytest.raises(SsvError) as caught:
        action()
    return caught.value.code


# -- by their ATRs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("atr", "kind"),
    [
        ("3BAC00402A001225006480000310009000", CardKind.CPS),
        ("3BAC00402A001225006480820212009000", CardKind.CPS),
        ("3B7B18", CardKind.CPS),
        ("3BDC18FF000012250064800004010090 00", CardKind.CPS),
        ("3B751300004309EA9000", CardKind.VITALE_2),
        ("3F6525002209699000", CardKind.VITALE_1),
        ("3B8F80010031B86404B0ECC17394018082900 00E", CardKind.CPS),
        ("3B9B188001001225006480040100009044", CardKind.CPS),
        ("3B7514", CardKind.OTHER),
        ("3F64", CardKind.OTHER),
        ("", CardKind.OTHER),
        ("3B", CardKind.OTHER),
    ],
)
def test_the_prefixes_of_the_field(atr: str, kind: CardKind) -> None:
    assert kind_of(bytes.fromhex(atr.replace(" ", ""))) is kind


@given(st.binary(max_size=33))
def test_only_the_prefixes_count(atr: bytes) -> None:
    found = kind_of(atr)
    assert (found is CardKind.OTHER) == (not any(atr.startswith(prefix) for prefix in atr_prefixes()))
    assert found.label.fr
    assert found.label.en


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_whatever_the_slots_the_two_are_found_and_the_bank_card_left_alone(order: tuple[int, int, int]) -> None:
    cards = [cps(), vitale(), EchoCard()]
    desk = Desk(*(cards[index] for index in order))
    assert ids(desk.rights()) == [101, 104, 105, 106]
    assert ids(desk.holder()) == [1, 2, 2, 2]


@pytest.mark.parametrize("second", [cps, lambda: cps("infirmier", family="cps4")])
def test_two_professional_s_cards_are_refused_with_the_words_of_the_field(second: Callable[[], object]) -> None:
    desk = Desk(cps(), vitale(), second())  # type: ignore[arg-type]
    for answer in (desk.rights(), desk.holder()):
        assert (answer.code, answer.zone) == (SsvCode.UNSPECIFIED, b"")
        assert "several cards of the same type identified" in answer.detail
        assert CPS_SLOT in answer.detail
        assert THIRD_SLOT in answer.detail
    assert desk.cps_slot.card.state().secrets["pin"].tries_left == 3


def test_two_vitales_of_either_generation_are_refused_even_to_read_the_cps() -> None:
    desk = Desk(cps(), vitale(), vitale("vitale-1"))
    assert desk.rights().code == SsvCode.UNSPECIFIED
    assert desk.holder().code == SsvCode.UNSPECIFIED


def test_a_refusal_holds_nothing() -> None:
    service = Fake(a=CPS_ATR, b=CPS_ATR)
    pair = FullPcsc(service, VirtualClock()).pair("", "")
    assert code(pair.ps) == SsvCode.UNSPECIFIED
    pair.release()
    assert not service.open
    assert not service.held


def test_what_is_found_is_held_until_released_and_the_rest_is_not() -> None:
    service = Fake(a=VITALE_ATR, b=b"\x3b\x00", c=CPS_ATR)
    pair = FullPcsc(service, VirtualClock()).pair("", "")
    assert pair.ps().atr == CPS_ATR
    assert (service.held, sorted(service.open)) == (["c"], ["a", "c"])
    assert pair.vitale().atr == VITALE_ATR
    assert pair.ps() is pair.ps()
    assert service.held == ["c", "a"]
    pair.release()
    pair.release()
    assert not service.open
    assert not service.held
    assert service.tries == ["a", "b", "c"]


# -- what is missing or silent ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nothing",
    [PcscCode.NO_SMARTCARD, PcscCode.REMOVED_CARD, PcscCode.READER_UNAVAILABLE, PcscCode.UNKNOWN_READER],
)
def test_a_slot_with_nothing_to_speak_to_is_passed_over(nothing: PcscCode) -> None:
    pair = FullPcsc(Fake(a=nothing, b=CPS_ATR), VirtualClock()).pair("", "")
    assert pair.ps().atr == CPS_ATR
    assert code(pair.vitale) == SsvCode.VITALE_ABSENT


@pytest.mark.parametrize(
    ("slots", "ps", "vitale_code"),
    [
        ({"a": PcscCode.UNRESPONSIVE_CARD, "b": CPS_ATR}, None, SsvCode.VITALE_COMMUNICATION),
        ({"a": PcscCode.UNRESPONSIVE_CARD, "b": VITALE_ATR}, SsvCode.CPS_API, None),
        ({"a": PcscCode.UNRESPONSIVE_CARD}, SsvCode.PS_ABSENT, SsvCode.VITALE_COMMUNICATION),
        ({"a": PcscCode.UNPOWERED_CARD, "b": PcscCode.PROTO_MISMATCH}, SsvCode.CPS_API, SsvCode.VITALE_COMMUNICATION),
        ({"a": b"\x3b\x00"}, SsvCode.PS_ABSENT, SsvCode.VITALE_ABSENT),
    ],
)
def test_a_mute_card_counts_for_the_one_that_is_missing(
    slots: dict[str, bytes | int], ps: int | None, vitale_code: int | None
) -> None:
    pair = FullPcsc(Fake(**slots), VirtualClock()).pair("", "")
    for ask, expected in ((pair.ps, ps), (pair.vitale, vitale_code)):
        if expected is None:
            ask()
        else:
            assert code(ask) == expected


def test_a_mute_vitale_in_a_real_slot() -> None:
    desk = Desk(cps(), EchoCard())
    desk.vitale_slot.interference = NoPower()
    assert desk.rights().code == SsvCode.VITALE_COMMUNICATION
    assert desk.holder().code == SsvCode.OK


@pytest.mark.parametrize("gone", [PcscCode.NO_SERVICE, PcscCode.SERVICE_STOPPED, PcscCode.NO_READERS_AVAILABLE])
def test_no_service_and_no_reader_are_no_answer(gone: PcscCode) -> None:
    class Dead(Fake):
        def readers(self) -> tuple[str, ...]:
            raise ScardError(gone)

    assert code(FullPcsc(Dead(), VirtualClock()).pair("", "").ps) == SsvCode.GALSS_NO_ANSWER
    assert code(FullPcsc(Fake(), VirtualClock()).pair("", "").vitale) == SsvCode.GALSS_NO_ANSWER
    assert code(FullPcsc(Fake(a=gone), VirtualClock()).pair("", "").ps) == SsvCode.GALSS_NO_ANSWER


# -- patience ---------------------------------------------------------------------------------------------------------


def test_a_card_held_throughout_is_tried_ten_times_at_500_ms() -> None:
    desk = Desk(cps(), vitale())
    other = desk.service.establish().connect(VITALE_SLOT, Share.EXCLUSIVE)
    answer = desk.rights()
    assert (answer.code, answer.zone) == (SsvCode.GALSS_HELD_BY_ANOTHER, b"")
    assert desk.clock.monotonic() == pytest.approx(4.5)
    assert desk.cps_slot.card.state().secrets["pin"].tries_left == 3
    other.disconnect()
    assert desk.rights().code == SsvCode.OK


def test_a_transaction_of_another_is_waited_for_too() -> None:
    desk = Desk(cps(), vitale())
    other = desk.service.establish().connect(CPS_SLOT)
    other.begin()
    assert desk.holder().code == SsvCode.GALSS_HELD_BY_ANOTHER
    assert desk.clock.monotonic() == pytest.approx(4.5)
    other.end()
    assert desk.holder().code == SsvCode.OK


@pytest.mark.parametrize("failures", [1, 5, 9])
def test_a_card_let_go_in_time_is_read(failures: int) -> None:
    clock = VirtualClock()
    busy = [PcscCode.SHARING_VIOLATION] * failures
    service = Fake(**{"a": CPS_ATR, "begin:a": busy})
    service.readers = lambda: ("a",)  # type: ignore[method-assign]
    assert FullPcsc(service, clock).pair("", "").ps().atr == CPS_ATR
    assert clock.monotonic() == pytest.approx(0.5 * failures)


def test_a_card_just_reset_by_another_is_taken_up_again() -> None:
    service = Fake(**{"a": CPS_ATR, "begin:a": [PcscCode.RESET_CARD]})
    service.readers = lambda: ("a",)  # type: ignore[method-assign]
    FullPcsc(service, VirtualClock()).pair("", "").ps()
    assert service.held == ["a"]


def test_a_slot_held_by_another_is_no_obstacle_once_both_cards_are_known() -> None:
    clock = VirtualClock()
    service = Fake(a=PcscCode.SHARING_VIOLATION, b=CPS_ATR, c=VITALE_ATR)
    pair = FullPcsc(service, clock).pair("", "")
    pair.ps()
    pair.vitale()
    assert clock.monotonic() == 0


def test_a_second_card_of_a_type_that_comes_out_of_hiding_is_refused() -> None:
    desk = Desk(cps(), vitale(), vitale("famille-trois"))
    other = desk.service.establish().connect(VITALE_SLOT, Share.EXCLUSIVE)
    assert ids(desk.rights()).count(104) == 3
    other.disconnect()
    assert desk.rights().code == SsvCode.UNSPECIFIED


def test_after_any_call_the_cards_are_free() -> None:
    desk = Desk(cps(), vitale())
    for call in (desk.rights, desk.holder, desk.ssv.lire_config, lambda: desk.rights("0000"), lambda: desk.rights("x")):
        call()
        for slot in (CPS_SLOT, VITALE_SLOT):
            alone = desk.service.establish().connect(slot, Share.EXCLUSIVE)
            alone.disconnect()


# -- what the configuration tells -------------------------------------------------------------------------------------


def test_the_inventory_names_slots_and_cards() -> None:
    desk = Desk(None, vitale("vitale-1"), EchoCard())
    told = {item["reader-name"]: item["card-type"] for item in fields(desk.ssv.lire_config(), 67)}
    assert told == {CPS_SLOT: "", VITALE_SLOT: "carte Vitale 1", THIRD_SLOT: "carte inconnue"}


def test_the_inventory_of_a_held_and_of_a_mute_slot() -> None:
    desk = Desk(cps(), EchoCard())
    desk.vitale_slot.interference = NoPower()
    desk.service.establish().connect(CPS_SLOT, Share.EXCLUSIVE)
    told = [item["card-type"] for item in fields(desk.ssv.lire_config(), 67)]
    assert told == ["hex:" + b"carte tenue par un autre programme".hex().upper(), "carte muette"] or told == [
        "carte tenue par un autre programme",
        "carte muette",
    ]
    assert desk.clock.monotonic() == 0


def test_a_slot_name_that_is_no_ascii_does_not_break_the_configuration() -> None:
    service = Fake(**{"Lecteur é 0": CPS_ATR})
    (group,) = FullPcsc(service, VirtualClock()).inventory()
    assert group.fields[0] == b"Lecteur ? 0"
    assert not service.open


def test_the_names_of_resources_mean_nothing_here() -> None:
    desk = Desk(cps(), vitale())
    assert desk.ssv.lire_carte_ps("nobody", "nowhere", PIN) == desk.holder()
