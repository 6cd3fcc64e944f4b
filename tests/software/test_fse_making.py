"""Sheets made of what the SSV reads on real cards of ours, for every card, profession and circumstance."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import pytest
from fse_samples import PRESCRIBER
from hypothesis import given, settings
from hypothesis import strategies as st
from securing_bench import AT, PIN, Practice, cps_data, vitale_data

from bifente.simulator.cards.vitale.loading import shipped_vitale
from bifente.simulator.formats.fse.canonical import canonical, parse
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import (
    BillingStructure,
    CareBeneficiary,
    Insurance,
    Invoice,
    Payment,
    Proof,
    SecuringMode,
    WorkAccident,
)
from bifente.simulator.middleware.apcv import ApcvDesk, RightsCall
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.services.apcv import ApcvService, Phone
from bifente.simulator.serving.calling import in_process
from bifente.simulator.software.billing.beneficiary import unknown_codes
from bifente.simulator.software.billing.making import (
    Care,
    invoice_from,
)
from bifente.simulator.software.billing.professional import Settings, laboratory_settings, professional_from
from bifente.simulator.tarification.requests import ActRequest
from bifente.simulator.tarification.rules import Facts, blocks, examine
from bifente.simulator.zones import Group, decode, encode, make, named

TODAY = AT.date()
LAB = Settings("01", "1", "30", "01")
NO_COVERAGE = ("vitale-1",)
COPIED = "copiee"
"""Refused in reading: a copied card does not prove itself."""
READABLE = tuple(name for name in shipped_vitale() if name not in (*NO_COVERAGE, "marquee-reelle", COPIED))


@cache
def read(cps: str, vitale: str) -> tuple[bytes, bytes]:
    """The zones of LireCartePS and LireDroitsVitale."""
    bench = Practice(cps_data(cps), vitale_data(vitale))
    ssv = Ssv(FullPcsc(bench.access, bench.clock), bench.clock, random=Random(4).randbytes)
    ssv.init_lib()
    holder = ssv.lire_carte_ps("CPS", "Log_SV", PIN)
    rights = ssv.lire_droits_vitale("CPS", "Log_SV", PIN, f"{TODAY:%Y%m%d}")
    assert holder.code == 0, (cps, holder)
    return holder.zone, rights.zone


def ps(cps: str = "medecin-generaliste") -> bytes:
    return read(cps, "assure-seul")[0]


def card(vitale: str = "assure-seul") -> bytes:
    return read("medecin-generaliste", vitale)[1]


def made(vitale: str = "assure-seul", cps: str = "medecin-generaliste", *acts: ActRequest, **how: Any) -> Invoice:
    """A consultation today, path T, unless told otherwise."""
    given: dict[str, Any] = {"number": 1, "on": TODAY, "situation": 1, "settings": LAB, "care": Care(care_path="T")}
    return invoice_from(ps(cps), card(vitale), acts or (ActRequest("G", TODAY),), **{**given, **how})


def changed(zone: bytes, number: int, **values: str) -> bytes:
    """The zone with fields of the first group of a number changed."""
    groups = list(decode(zone))
    rank = next(rank for rank, group in enumerate(groups) if group.id == number)
    names = {name.replace("_", "-"): value for name, value in values.items()}
    groups[rank] = make(number, {**named(groups[rank]), **names})
    return encode(groups)


def regrouped(zone: bytes, change: Callable[[list[Group]], object]) -> bytes:
    groups = list(decode(zone))
    change(groups)
    return encode(groups)


def beneficiary_from(zone: bytes, who: int, on: date, *, apcv: bool = False) -> CareBeneficiary:
    """The beneficiary of that rank, of a sheet without acts."""
    return invoice_from(ps(), zone, [], number=1, on=on, situation=1, who=who, settings=LAB, apcv=apcv).beneficiary


def codes(invoice: Invoice, **facts: Any) -> list[str]:
    return [finding.code for finding in examine(invoice, Facts(**{"today": TODAY, **facts}))]


# -- every card -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vitale", READABLE)
def test_every_vitale_gives_a_sheet_that_can_be_written(vitale: str) -> None:
    people = shipped_vitale()[vitale].beneficiaries
    for who in range(1, len(people) + 1):
        invoice = made(vitale, who=who)
        assert parse(canonical(invoice)) == invoice
        assert invoice.beneficiary.first_name == people[who - 1].first_name
        assert invoice.beneficiary.rank == people[who - 1].rank
        assert invoice.beneficiary.quality == int(people[who - 1].quality)
        assert invoice.beneficiary.birth == people[who - 1].born


OWN_RATES = ("sncf", "ccip")
PLAIN = ("assure-seul", "famille-trois", "ald", "alsace-moselle", "amc-dre", "msa", "msa-ald", "crpcen", "sncf", "ccip")


@pytest.mark.parametrize("vitale", [*PLAIN, "nir-corse", "jumeaux", "regime-999", "date-lunaire", "mutuelle"])
def test_a_card_in_order_gives_a_sheet_in_order(vitale: str) -> None:
    told = ["rates-of-scheme"] if vitale in OWN_RATES else []
    assert codes(made(vitale, settings=LAB), cps_rpps="99900000011") == told


@pytest.mark.parametrize(
    ("vitale", "regime", "body"),
    [
        ("assure-seul", "01", "013490349"),
        ("msa", "02", "023490349"),
        ("crpcen", "10", "103490349"),
        ("sncf", "04", "041100349"),
        ("ccip", "12", "120010349"),
        ("regime-999", "01", "019990999"),
    ],
)
def test_the_scheme_leads_to_its_body(vitale: str, regime: str, body: str) -> None:
    invoice = made(vitale)
    assert (invoice.beneficiary.regime, invoice.body) == (regime, body)


@pytest.mark.parametrize(
    ("vitale", "rate"), [("assure-seul", 70), ("ald", 100), ("msa-ald", 100), ("alsace-moselle", 90), ("c2s", 100)]
)
def test_the_card_decides_the_rate(vitale: str, rate: int) -> None:
    assert made(vitale).acts[0].rate == rate


def test_an_ald_over_at_the_date_of_care_exonerates_no_longer() -> None:
    before = date(2022, 5, 2)
    invoice = made("ald", on=before)
    assert (invoice.beneficiary.ald, invoice.beneficiary.exoneration, invoice.beneficiary.coverage) == (
        *(False, "0", "00100"),
    )
    assert made("ald").beneficiary.coverage == "10100"
    assert made("ald").beneficiary.exoneration == "4"


def test_a_coverage_that_has_ended_leaves_no_exoneration_behind() -> None:
    ended = changed(card("ald"), 106, start="202001010000", end="202101010000", ald_code="1")
    only = regrouped(ended, lambda groups: groups.remove([group for group in groups if group.id == 106][1]))
    assert not beneficiary_from(only, 1, TODAY).ald
    assert beneficiary_from(only, 1, date(2020, 6, 1)).ald


def test_closed_rights_still_give_a_sheet_which_the_rules_refuse() -> None:
    assert codes(made("droits-fermes")) == ["rights-closed"]


def test_c2s_managed_by_the_amo_and_by_an_amc() -> None:
    care = Care(payment=Payment.TIERS_PAYANT, care_path="T")
    for vitale, asked in (("c2s", (3000, 0)), ("c2s-amc", (2100, 900))):
        invoice = made(vitale, care=care)
        assert invoice.beneficiary.c2s
        assert (invoice.amo.asked, invoice.amc.asked, invoice.patient) == (*asked, 0)
        assert codes(invoice) == []
        assert codes(made(vitale)) == ["c2s-direct"]


@pytest.mark.parametrize(
    ("vitale", "number", "values"),
    [
        ("c2s", 104, {"service_start": "202001010000", "service_end": "202112310000"}),
        ("c2s", 104, {"service_code": "00"}),
    ],
)
def test_a_c2s_by_the_family_holds_while_that_of_the_person_is_over(
    vitale: str, number: int, values: dict[str, str]
) -> None:
    zone = changed(card(vitale), number, **values)
    assert beneficiary_from(zone, 1, TODAY).c2s
    assert not beneficiary_from(changed(zone, 102, start="202001010000", end="202112310000"), 1, TODAY).c2s


def test_who_has_left_the_c2s_has_it_no_longer_but_keeps_the_third_party_payment() -> None:
    invoice = made("sortant-c2s", care=Care(payment=Payment.TIERS_PAYANT, care_path="T"))
    assert not invoice.beneficiary.c2s
    assert (invoice.amo.asked, invoice.amc.asked) == (2100, 900)


def test_the_complementary_is_the_one_in_force() -> None:
    amc = made("amc-dre").beneficiary.complementary
    assert amc is not None
    assert (amc.id, amc.member, amc.indicator, amc.mutuelle) == ("99999349", "00999007", "33", False)
    mutuelle = made("mutuelle").beneficiary.complementary
    assert mutuelle is not None
    assert (mutuelle.id, mutuelle.indicator, mutuelle.mutuelle) == ("99999349", "01", True)
    for vitale in ("amc-dre", "mutuelle"):
        assert beneficiary_from(card(vitale), 1, date(2020, 1, 1)).complementary is None


def test_a_mutuelle_and_an_amc_together_are_refused() -> None:
    mutuelle = make(107, {"mutuelle-id": "99999349", "treatment-indicator": "01"})
    rank = next(rank for rank, group in enumerate(decode(card("amc-dre"))) if group.id == 109)
    with pytest.raises(FseError, match="F0F0"):
        beneficiary_from(regrouped(card("amc-dre"), lambda groups: groups.insert(rank, mutuelle)), 1, TODAY)


def test_the_second_twin_is_told_by_the_rank() -> None:
    first, second = (made("jumeaux", who=who).beneficiary for who in (2, 3))
    assert (first.nir, first.birth) == (second.nir, second.birth)
    assert (first.rank, second.rank) == (1, 2)


def test_a_spouse_has_the_own_certified_number_beside_that_of_the_insured() -> None:
    spouse, child = (made("famille-trois", who=who).beneficiary for who in (2, 3))
    assert spouse.nir == child.nir == "1801975349002"
    assert spouse.certified_nir[:13] == "2821975349003"
    assert child.certified_nir == ""


def test_the_mark_of_a_test_card_is_its_type_alone() -> None:
    zone = changed(card(), 101, caisse="751", centre="1234")
    invoice = invoice_from(
        ps(), zone, [ActRequest("G", TODAY)], number=1, on=TODAY, situation=1, settings=LAB, care=Care(care_path="T")
    )
    assert invoice.beneficiary.test
    assert invoice.body == "017511234"
    assert codes(invoice) == []


def test_without_a_period_of_rights_the_coverage_tells_them() -> None:
    def bare(groups: list[Group]) -> None:
        groups[:] = [group for group in groups if group.id != 105]

    zone = regrouped(card(), bare)
    beneficiary = beneficiary_from(zone, 1, TODAY)
    covered = [named(group) for group in decode(zone) if group.id == 106]
    assert len(beneficiary.rights) == len(covered) > 0
    open_ended = changed(zone, 106, start="", end="")
    assert beneficiary_from(open_ended, 1, TODAY).rights[0] == (date.min, None)
    closed = changed(zone, 106, start="199001010000", end="199912310000")
    assert beneficiary_from(closed, 1, TODAY).rights == ((date(1990, 1, 1), date(1999, 12, 31)),)


@pytest.mark.parametrize(("code", "seen"), [("1", True), ("01", True), ("3", True), ("0", False), ("10", False)])
def test_a_service_code_of_one_digit_is_the_same_code(code: str, seen: bool) -> None:
    zone = changed(card("c2s"), 104, service_code=code)
    zone = changed(zone, 102, service_code="0")
    assert beneficiary_from(zone, 1, TODAY).c2s is seen


@pytest.mark.parametrize(("situation", "alsace"), [("0106", True), ("0406", False), ("10000", False), ("0105", False)])
def test_a_situation_code_counts_under_its_scheme(situation: str, alsace: bool) -> None:
    zone = changed(card(), 106, situation_code=situation)
    assert beneficiary_from(zone, 1, TODAY).alsace_moselle is alsace
    told = unknown_codes(decode(zone), 1, TODAY)
    assert told == (() if alsace else (("situation-code", situation),))


def test_every_code_that_no_table_has_is_told() -> None:
    zone = changed(card("c2s"), 104, service_code="44", quality="A")
    zone = changed(zone, 107, treatment_indicator="88")
    zone = changed(zone, 106, ald_code="9", situation_code="0177")
    assert {what for what, _code in unknown_codes(decode(zone), 1, TODAY)} == {
        "quality",
        "ald-code",
        "situation-code",
        "service-code",
        "treatment-indicator",
    }
    assert unknown_codes(decode(card("c2s")), 1, TODAY) == ()


def test_a_card_marked_real_meets_a_test_card() -> None:
    zone = changed(card(), 101, card_type="R")
    invoice = invoice_from(
        ps(),
        zone,
        [ActRequest("G", TODAY)],
        number=1,
        on=TODAY,
        situation=1,
        settings=LAB,
        care=Care(care_path="T"),
    )
    assert not invoice.beneficiary.test
    assert "test-with-real" in codes(invoice)


def test_a_phone_gives_the_sheet_of_its_holder() -> None:
    bench = Practice(cps_data(), vitale_data())
    ssv = Ssv(FullPcsc(bench.access, bench.clock), bench.clock, random=Random(4).randbytes)
    ssv.init_lib()
    service = ApcvService(bench.clock, random=Random(5).randbytes)
    phone = Phone("phone", bench.clock, random=Random(6).randbytes)
    service.enrol(phone, vitale_data("ald"))
    desk = ApcvDesk(in_process(service.application), bench.clock)
    desk.acquire_by_nfc(phone)

    class Workstation:
        resources = FullPcsc(bench.access, bench.clock)

        def __init__(self) -> None:
            self.ssv = ssv

    reply = desk.read_phone(Workstation(), RightsCall("CPS", "Log_SV", PIN, f"{TODAY:%Y%m%d}"))
    of_phone = beneficiary_from(reply.zone, 1, TODAY, apcv=reply.apcv)
    assert of_phone == replace(beneficiary_from(card("ald"), 1, TODAY), apcv=True)


# -- the professional -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cps", "specialty", "acts"),
    [
        ("medecin-generaliste", "01", (ActRequest("G", TODAY), ActRequest("DEQP003", TODAY))),
        ("infirmier", "24", (ActRequest("AMI", TODAY, 2, Decimal("1.5")), ActRequest("IFD", TODAY))),
        ("kinesitherapeute", "26", (ActRequest("AMK", TODAY, 1, Decimal("7.5")),)),
        ("pharmacien", "50", (ActRequest("PH7", TODAY, unit=1234), ActRequest("PH4", TODAY, unit=501))),
    ],
)
@pytest.mark.parametrize("vitale", ["assure-seul", "msa", "crpcen", "alsace-moselle", "ald"])
def test_each_profession_makes_a_sheet_in_order(
    cps: str, specialty: str, acts: tuple[ActRequest, ...], vitale: str
) -> None:
    billing = professional_from(ps(cps), 1, settings=LAB).billing_id
    care = Care(prescriber=PRESCRIBER, prescribed_on=TODAY - timedelta(days=3), care_path="T")
    invoice = made(vitale, cps, *acts, settings=laboratory_settings(billing), care=care)
    assert invoice.professional.specialty == specialty
    # No public rate of medicines for that scheme.
    assert codes(invoice) == (["rates-of-scheme"] if (vitale, cps) == ("crpcen", "pharmacien") else [])
    assert parse(canonical(invoice)) == invoice


@pytest.mark.parametrize(
    ("situation", "billing", "salaried", "structure"),
    [
        (1, "991000019", False, BillingStructure("4", "99900000011008", "", "CABINET TEST MEDECIN")),
        (2, "991000027", True, BillingStructure("1", "0B000001", "4", "HOPITAL SPECIMEN")),
        (5, "991000035", False, BillingStructure("1", "0B000002", "2", "MAISON DE SANTE TEST")),
    ],
)
def test_the_situation_is_chosen_by_its_number(
    situation: int, billing: str, salaried: bool, structure: BillingStructure
) -> None:
    who = made(situation=situation).professional
    assert (who.situation, who.billing_id, who.salaried, who.structure) == (situation, billing, salaried, structure)
    assert (who.name, who.first_name, who.rpps) == ("TESTMEDECIN", "GENERALISTE", "99900000011")
    assert who.may_sign_invoice
    assert who.test


@pytest.mark.parametrize("situation", [0, 3, 6, -1])
def test_a_situation_that_the_card_does_not_have_is_refused(situation: int) -> None:
    with pytest.raises(FseError, match="one of: 1, 2, 5"):
        made(situation=situation)


def test_the_card_has_the_word_over_the_settings() -> None:
    zone = changed(ps(), 2, specialty="03", convention_code="2", tariff_zone="10", ik_zone="02")
    who = professional_from(zone, 1, settings=LAB)
    assert (who.specialty, who.convention, who.tariff_zone, who.ik_zone) == ("03", "2", "10", "02")


@pytest.mark.parametrize(
    ("settings", "name"), [(None, "specialty"), (Settings("01"), "convention"), (Settings("", "1"), "specialty")]
)
def test_what_neither_the_card_nor_the_settings_tell_is_asked_for(settings: Settings | None, name: str) -> None:
    with pytest.raises(FseError, match="set it in the software") as caught:
        made(settings=settings)
    assert caught.value.place == f"situation 1, {name}"


def test_a_billing_number_of_no_profession_has_no_settings() -> None:
    with pytest.raises(FseError, match="no profession"):
        laboratory_settings("99300001")


@pytest.mark.parametrize("cps", ["medecin-hospitalier"])
def test_a_card_that_may_not_sign_gives_a_sheet_that_the_rules_refuse(cps: str) -> None:
    assert codes(made(cps=cps)) == ["ps-may-not-sign", "ps-may-not-sign-lot"]


@pytest.mark.parametrize("cps", ["cpe-nominative", "cpf-etudiant"])
def test_a_card_without_a_billing_situation_is_refused(cps: str) -> None:
    bench = Practice(cps_data(cps))
    ssv = Ssv(FullPcsc(bench.access, bench.clock), bench.clock, random=Random(4).randbytes)
    ssv.init_lib()
    with pytest.raises(FseError):
        professional_from(ssv.lire_carte_ps("CPS", "Log_SV", PIN).zone, 1, settings=LAB)


def test_the_professionals_card_is_a_test_card_by_its_number_or_as_told() -> None:
    real = changed(ps(), 1, national_id="1000345670")
    assert not professional_from(real, 1, settings=LAB).test
    assert professional_from(real, 1, settings=LAB, test=True).test
    assert not professional_from(ps(), 1, settings=LAB, test=False).test


def test_a_substitutes_situation_wants_the_substitute() -> None:
    zone = changed(ps(), 2, practice_mode="4")
    how: dict[str, Any] = {"number": 1, "on": TODAY, "situation": 1, "settings": LAB}
    with pytest.raises(FseError, match="substitute"):
        invoice_from(zone, card(), [ActRequest("G", TODAY)], **how)
    care = Care(substitute=PRESCRIBER)
    assert invoice_from(zone, card(), [ActRequest("G", TODAY)], care=care, **how).substitute == PRESCRIBER


# -- the circumstances ------------------------------------------------------------------------------------------------


def test_an_accident_at_work_takes_its_number_from_the_card() -> None:
    care = Care(insurance=Insurance.AT_MP, accident_on=TODAY - timedelta(days=20), care_path="T")
    invoice = made("accident-du-travail", care=care)
    assert invoice.accident == WorkAccident(TODAY - timedelta(days=20), "999000015")
    assert (invoice.acts[0].rate, codes(invoice)) == (100, [])
    told = made("accident-du-travail", care=replace(care, accident_number="999000999"))
    assert told.accident is not None
    assert told.accident.number == "999000999"


def test_an_accident_at_work_without_its_date_or_number_is_refused_by_the_rules() -> None:
    care = Care(insurance=Insurance.AT_MP, care_path="T")
    assert codes(made("accident-du-travail", care=care)) == ["accident-missing"]
    assert codes(made(care=replace(care, accident_on=TODAY))) == ["accident-missing"]


def test_maternity_is_paid_in_full_and_wants_a_date() -> None:
    care = Care(insurance=Insurance.MATERNITE, care_path="T")
    invoice = made("amc-dre", care=care)
    assert (invoice.acts[0].rate, codes(invoice)) == (100, ["maternity-date-missing"])
    assert codes(made("amc-dre", care=replace(care, pregnancy_on=TODAY - timedelta(days=90)))) == []


@pytest.mark.parametrize(
    ("mode", "proof"),
    [
        (SecuringMode.SECURED, Proof.VITALE),
        (SecuringMode.VISIT, Proof.VITALE),
        (SecuringMode.DESYNCHRONISED, Proof.VITALE),
        (SecuringMode.DEGRADED, Proof.DOCUMENT),
        (SecuringMode.WITHOUT_VITALE, Proof.DOCUMENT),
    ],
)
def test_the_proof_follows_the_mode_unless_it_is_told(mode: SecuringMode, proof: Proof) -> None:
    assert made(mode=mode).proof is proof
    assert made(mode=mode, proof=Proof.ONLINE).proof is Proof.ONLINE
    assert codes(made(mode=mode), paper=True) == []


def test_an_exoneration_that_the_card_does_not_tell_can_be_told() -> None:
    invoice = made(care=Care(care_path="T", exoneration="5"))
    assert (invoice.beneficiary.exoneration, invoice.acts[0].rate) == ("5", 100)
    assert not blocks(examine(invoice, Facts(TODAY)))


def test_care_that_has_nothing_to_do_with_the_ald_is_paid_as_for_anyone() -> None:
    invoice = made("ald", care=Care(care_path="T", exoneration="0"))
    assert (invoice.beneficiary.ald, invoice.beneficiary.exoneration, invoice.acts[0].rate) == (False, "0", 70)
    assert made("ald", care=Care(care_path="T", exoneration="4")).acts[0].rate == 100
    assert codes(invoice) == []


# -- what is missing or malformed -------------------------------------------------------------------------------------


def test_without_a_professionals_card_the_coverage_is_masked_and_no_sheet_is_made() -> None:
    masked = regrouped(
        card("famille-trois"),
        lambda groups: [groups.remove(it) for it in list(groups) if it.id == 106],
    )
    with pytest.raises(FseError, match="read the Vitale with the professional's card") as caught:
        beneficiary_from(masked, 1, TODAY)
    assert caught.value.place == "beneficiary 1, coverage"


def test_a_vitale_of_the_first_generation_wants_the_exoneration_to_be_told() -> None:
    with pytest.raises(FseError, match="tell the exoneration"):
        made("vitale-1")
    assert made("vitale-1", care=Care(care_path="T", exoneration="0")).acts[0].rate == 70


@pytest.mark.parametrize("who", [0, -1, 4, 99])
def test_nobody_has_that_rank_on_the_card(who: int) -> None:
    with pytest.raises(FseError, match="a rank from 1 to 3"):
        made("famille-trois", who=who)


@pytest.mark.parametrize(
    ("number", "values", "place"),
    [
        (1, {"surname": ""}, "group 1, surname"),
        (1, {"national_id": ""}, "group 1, national-id"),
        (1, {"national_id_key": ""}, "group 1, national-id-key"),
        (1, {"national_id_type": "0"}, "group 1, national-id-type"),
        (2, {"billing_id": ""}, "situation 1, billing-id"),
        (2, {"billing_id_key": ""}, "situation 1, billing-id-key"),
        (101, {"nir": ""}, "group 101, nir"),
        (101, {"nir_key": ""}, "group 101, nir-key"),
        (101, {"serial_number": ""}, "group 101, serial-number"),
        (101, {"regime": ""}, "group 101, regime"),
        (101, {"regime": "11"}, "regime"),
        (101, {"caisse": "A49"}, "caisse"),
        (104, {"usual_name": ""}, "beneficiary 1, usual-name"),
        (104, {"birth_date": ""}, "beneficiary 1, birth-date"),
        (104, {"quality": "A"}, "beneficiary 1, quality"),
        (105, {"start": ""}, "beneficiary 1, rights"),
    ],
)
def test_what_a_card_does_not_tell_is_named(number: int, values: dict[str, str], place: str) -> None:
    holder, rights = ps(), card()
    if number < 100:
        holder = changed(holder, number, **values)
    else:
        rights = changed(rights, number, **values)
    with pytest.raises(FseError) as caught:
        invoice_from(holder, rights, [ActRequest("G", TODAY)], number=1, on=TODAY, situation=1, settings=LAB)
    assert caught.value.place == place


def test_a_date_that_is_none_is_refused() -> None:
    groups = [Group(it.id, (b"20260230", *it.fields[1:])) if it.id == 105 else it for it in decode(card())]
    with pytest.raises(FseError, match="no date"):
        beneficiary_from(encode(groups), 1, TODAY)


@pytest.mark.parametrize("swapped", [True, False])
def test_a_zone_that_is_not_the_one_expected_is_refused(swapped: bool) -> None:
    holder, rights = (card(), ps()) if swapped else (ps(), b"")
    with pytest.raises(FseError, match="the zone of the"):
        invoice_from(holder, rights, [ActRequest("G", TODAY)], number=1, on=TODAY, situation=1, settings=LAB)


@pytest.mark.parametrize(
    ("number", "name", "raw", "told"),
    [
        (104, "birth-rank", b"", ("rank", 1)),
        (104, "birth-rank", b"  ", ("rank", 1)),
        (104, "birth-rank", b"0", ("rank", 1)),
        (104, "birth-rank", b"02", ("rank", 2)),
        (104, "usual-name", "Éléonore-Çé".encode("iso-8859-1"), ("name", "ELEONORE-CE")),
        (104, "first-name", b"jean  ", ("first_name", "JEAN")),
        (104, "first-name", b"A\x07B\xff", ("first_name", "ABY")),
        (101, "nir", b"170197534900142", ("nir", "1701975349001")),
        (104, "certified-nir", b"0" * 13, ("certified_nir", "")),
        (104, "certified-nir", b" " * 13, ("certified_nir", "")),
        (105, "end", b" " * 12, ("rights", None)),
        (105, "end", b"9" * 12, ("rights", None)),
        (105, "end", b"0" * 12, ("rights", None)),
    ],
)
def test_what_a_card_leaves_out_in_its_own_way(number: int, name: str, raw: bytes, told: tuple[str, object]) -> None:
    def leave_out(groups: list[Group]) -> None:
        rank = next(rank for rank, group in enumerate(groups) if group.id == number)
        at = list(named(groups[rank])).index(name)
        fields = groups[rank].fields
        groups[rank] = Group(number, (*fields[:at], raw, *fields[at + 1 :]))

    who = beneficiary_from(regrouped(card(), leave_out), 1, TODAY)
    what, value = told
    found = who.rights[0][1] if what == "rights" else getattr(who, what)
    assert found == value


def test_an_insurer_without_a_b2_number_goes_by_its_edi_number() -> None:
    zone = changed(card("amc-dre"), 109, b2_number="", edi_number="99999350")
    insurer = beneficiary_from(zone, 1, TODAY).complementary
    assert insurer is not None
    assert insurer.id == "99999350"


@pytest.mark.parametrize("group", [105, 106])
def test_a_date_that_is_none_is_told_with_its_place(group: int) -> None:
    def break_it(groups: list[Group]) -> None:
        rank = next(rank for rank, one in enumerate(groups) if one.id == group)
        groups[rank] = Group(group, (b"202513450000", *groups[rank].fields[1:]))

    where = {105: "rights", 106: "coverage"}[group]
    with pytest.raises(FseError, match=f"beneficiary 1, {where}, start: '202513450000' is no date"):
        beneficiary_from(regrouped(card(), break_it), 1, TODAY)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_broken_zone_gives_a_sheet_or_an_error_with_its_place(data: st.DataObject) -> None:
    zones = [ps(), card("famille-trois")]
    which = data.draw(st.integers(0, 1))
    at = data.draw(st.integers(0, len(zones[which]) - 1))
    zones[which] = zones[which][:at] + bytes((data.draw(st.integers(0, 255)),)) + zones[which][at + 1 :]
    with suppress(FseError):
        invoice = invoice_from(*zones, [ActRequest("G", TODAY)], number=1, on=TODAY, situation=1, settings=LAB)
        assert parse(canonical(invoice)) == invoice


ODD = [b"", b" ", b"0", b"000000000000", b"999999999999", b"201513450000", b"2A", b"\xe9", b"A" * 60, b"0406", b"12345"]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_an_odd_field_gives_a_sheet_or_an_error_with_its_place(data: st.DataObject) -> None:
    groups = list(decode(card(data.draw(st.sampled_from(["famille-trois", "amc-dre", "mutuelle", "c2s"])))))
    at = data.draw(st.integers(0, len(groups) - 1))
    fields = list(groups[at].fields)
    fields[data.draw(st.integers(0, len(fields) - 1))] = data.draw(st.sampled_from(ODD) | st.binary(max_size=15))
    groups[at] = Group(groups[at].id, tuple(fields))
    with suppress(FseError):
        acts = [ActRequest("G", TODAY)]
        invoice = invoice_from(ps(), encode(groups), acts, number=1, on=TODAY, situation=1, settings=LAB)
        assert parse(canonical(invoice)) == invoice
