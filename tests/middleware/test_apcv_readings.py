"""The rights of a phone's holder read beside the plastic card, through a real professional's card of ours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import pytest
from ssv_bench import PIN, TODAY, cps, cps_data, vitale, vitale_data
from ssv_bench import Desk as Bench

from bifente.simulator.middleware.apcv import ApcvDesk, ApcvRefusal, ApcvReply, RightsCall
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.services.apcv import ApcvService, Phone
from bifente.simulator.services.apcv.service import UNREACHABLE
from bifente.simulator.serving.calling import in_process
from bifente.simulator.zones import Group, named

ADMINISTRATIVE = SsvCode.PS_ABSENT


@dataclass
class Place:
    """A workstation with its cards, the apCV service, and a phone of the holder of the family's card."""

    bench: Bench
    service: ApcvService
    phone: Phone
    desk: ApcvDesk

    @classmethod
    def of(cls, bench: Bench, template: str = "famille-trois", **overrides: Any) -> Place:
        service = ApcvService(bench.clock, random=Random(4).randbytes)
        phone = Phone("phone", bench.clock, random=Random(5).randbytes)
        service.enrol(phone, vitale_data(template, **overrides))
        return cls(bench, service, phone, ApcvDesk(in_process(service.application), bench.clock))

    def read(self, code: str = PIN, day: str = TODAY, reader: str = "Log_SV", invoice: str | None = None) -> ApcvReply:
        return self.desk.read_phone(self.bench, RightsCall("CPS", reader, code, day), invoice=invoice)

    def read_card(self) -> ApcvReply:
        return self.desk.read_card(self.bench.ssv, RightsCall("CPS", "Log_SV", PIN, TODAY))

    @property
    def tries(self) -> int:
        card: Any = self.bench.cps_slot.card
        return int(card.state().secrets["pin"].tries_left)


@pytest.fixture
def place() -> Place:
    return Place.of(Bench(cps()))


def ids(reply: ApcvReply) -> set[int]:
    return {group.id for group in reply.groups}


def test_the_groups_are_those_of_the_card_and_the_flag_says_phone(place: Place) -> None:
    place.desk.acquire_by_nfc(place.phone)
    reply = place.read()
    assert (reply.code, reply.apcv, reply.refusal) == (SsvCode.OK, True, None)
    assert reply.groups == vitale_data("famille-trois").groups
    assert 106 in ids(reply)


def test_the_same_holder_gives_the_same_zone_on_plastic_without_the_flag() -> None:
    place = Place.of(Bench(cps(), vitale("famille-trois")))
    place.desk.acquire_by_nfc(place.phone)
    phone, card = place.read(), place.read_card()
    assert phone.zone == card.zone
    assert (phone.apcv, card.apcv) == (True, False)


def test_reading_plastic_destroys_the_context_first() -> None:
    place = Place.of(Bench(cps(), vitale("assure-seul")))
    context = place.desk.acquire_by_nfc(place.phone)
    assert place.read_card().code == SsvCode.OK
    assert place.desk.context is None
    assert place.read().refusal is ApcvRefusal.NO_CONTEXT
    place.desk.pass_in(context)
    assert place.read().refusal is ApcvRefusal.NO_CONTEXT


def test_a_failed_reading_of_plastic_destroys_it_too(place: Place) -> None:
    place.desk.acquire_by_nfc(place.phone)
    assert place.read_card().code == SsvCode.VITALE_ABSENT
    assert place.desk.context is None
    assert place.read().refusal is ApcvRefusal.NO_CONTEXT


def test_without_a_professionals_card_only_administrative_data_come() -> None:
    place = Place.of(Bench())
    place.desk.acquire_by_nfc(place.phone)
    reply = place.read()
    assert (reply.code, reply.apcv) == (61441, True)
    assert 106 not in ids(reply)
    assert reply.groups == tuple(group for group in vitale_data("famille-trois").groups if group.id != 106)


def test_it_comes_as_for_the_card_without_professional() -> None:
    place = Place.of(Bench(None, vitale("famille-trois")))
    place.desk.acquire_by_nfc(place.phone)
    phone, card = place.read(), place.read_card()
    assert (phone.code, phone.zone) == (card.code, card.zone)


@pytest.mark.parametrize("refused", ["no context", "expired", "invoice", "offline", "deleted"])
def test_a_refused_context_gives_nothing_and_costs_no_try(place: Place, refused: str) -> None:
    tries = place.tries
    if refused != "no context":
        place.desk.acquire_by_nfc(place.phone)
    if refused in ("expired", "invoice"):
        place.bench.clock.advance(place.service.parameters.context.total_seconds())
    if refused == "invoice":
        place.desk.renew("7")
    if refused == "offline":
        place.service.strike(UNREACHABLE)
    if refused == "deleted":
        place.desk.delete()
    reply = place.read(code="0000")
    assert reply.code == SsvCode.UNSPECIFIED
    assert reply.zone == b""
    assert (
        reply.refusal
        is {
            "no context": ApcvRefusal.NO_CONTEXT,
            "expired": ApcvRefusal.CONTEXT_EXPIRED,
            "invoice": ApcvRefusal.OTHER_INVOICE,
            "offline": ApcvRefusal.UNREACHABLE,
            "deleted": ApcvRefusal.NO_CONTEXT,
        }[refused]
    )
    assert place.tries == tries


def test_a_renewed_context_reads_for_its_invoice(place: Place) -> None:
    place.desk.acquire_by_qr(place.phone.qr())
    place.bench.clock.advance(place.service.parameters.context.total_seconds())
    place.desk.renew("000000007")
    assert place.read(invoice="000000007").code == SsvCode.OK
    assert place.read(invoice="000000008").refusal is ApcvRefusal.OTHER_INVOICE
    assert place.read().refusal is ApcvRefusal.OTHER_INVOICE


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"code": "0000"}, SsvCode.WRONG_CODE),
        ({"code": ""}, SsvCode.BAD_INPUT),
        ({"day": "20260230"}, SsvCode.BAD_INPUT),
        ({"day": "2026-03-03"}, SsvCode.BAD_INPUT),
        ({"day": ""}, SsvCode.BAD_INPUT),
    ],
)
def test_a_wrong_code_or_day_gives_what_it_gives_for_the_card(
    place: Place, arguments: dict[str, Any], code: SsvCode
) -> None:
    place.desk.acquire_by_nfc(place.phone)
    reply = place.read(**arguments)
    assert (reply.code, reply.zone, reply.apcv, reply.refusal) == (code, b"", True, None)
    assert place.read().code == SsvCode.OK


def test_three_wrong_codes_block_the_professionals_card(place: Place) -> None:
    place.desk.acquire_by_nfc(place.phone)
    codes = [place.read(code="0000").code for _ in range(4)]
    assert codes == [SsvCode.WRONG_CODE] * 3 + [SsvCode.PS_BLOCKED]


def test_the_library_must_be_initialised(place: Place) -> None:
    place.desk.acquire_by_nfc(place.phone)
    place.bench.ssv.term_lib()
    assert place.read().code == SsvCode.NOT_INITIALISED


def test_rights_that_are_real_are_not_read_with_a_test_card() -> None:
    place = Place.of(Bench(cps()), "assure-seul", card={"mark": "R"})
    place.desk.acquire_by_nfc(place.phone)
    reply = place.read()
    assert (reply.code, reply.zone) == (SsvCode.TEST_AND_REAL, b"")


def test_an_expired_professionals_card_is_refused() -> None:
    place = Place.of(Bench(cps(lifecycle="expired")))
    place.desk.acquire_by_nfc(place.phone)
    assert place.read().code == SsvCode.PS_INVALID


def test_two_complementary_covers_are_told_as_for_the_card(place: Place) -> None:
    class Both:
        groups = (*vitale_data("assure-seul").groups, Group(107, (b"",) * 6), Group(109, (b"",) * 12))

    place.service.enrol(place.phone, Both())
    place.desk.acquire_by_nfc(place.phone)
    assert place.read().code == SsvCode.BOTH_COMPLEMENTARIES


def test_a_holder_without_an_insured_is_no_test_holder(place: Place) -> None:
    class Nobody:
        groups = ()

    place.service.enrol(place.phone, Nobody())
    place.desk.acquire_by_nfc(place.phone)
    assert place.read().code == SsvCode.TEST_AND_REAL


def test_the_professionals_card_withdrawn_meanwhile_is_absent(place: Place) -> None:
    place.desk.acquire_by_nfc(place.phone)
    place.bench.cps_slot.remove()
    reply = place.read()
    assert (reply.code, 106 in ids(reply)) == (ADMINISTRATIVE, False)


def test_both_cards_are_free_after_a_reading(place: Place) -> None:
    place.desk.acquire_by_nfc(place.phone)
    for read in (place.read, partial(place.read, code="0000")):
        read()
        other = place.bench.service.establish().connect("Bench TL 1 0")
        other.begin()
        other.end()
        other.disconnect()


def test_data_of_the_tests_are_laboratory_data() -> None:
    insured = named(vitale_data("famille-trois").groups[0])
    assert (insured["card-type"], insured["caisse"], insured["nir"][3:5]) == ("T", "349", "19")
    assert cps_data().facts()
