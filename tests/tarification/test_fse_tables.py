"""The tables: what they hold, that they say what they rest on, and that a wrong one is refused when it is loaded."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.vitale.loading import shipped_vitale
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.tarification import tables
from bifente.simulator.tarification.bodies import body_of
from bifente.simulator.tarification.tables import (
    ACTS,
    BODIES,
    CARE_PATH,
    COMPLEMENTARY,
    EXONERATIONS,
    PROFESSIONS,
    RATES,
    REGIMES,
    SERVICES,
    SITUATIONS,
    Rates,
    profession_of,
    usual_specialty,
)
from bifente.simulator.tarification.tables.acts import ActType
from bifente.simulator.zones import GROUPS

TABLES = [RATES, EXONERATIONS, CARE_PATH, REGIMES, BODIES, PROFESSIONS, SITUATIONS, COMPLEMENTARY, SERVICES]
ACT: dict[str, Any] = {
    "fr": "Acte",
    "en": "Act",
    "code": "G",
    "nomenclature": "ngap",
    "base": 3000,
    "class": "medecin",
    "professions": ("medecin",),
}


def values(group: int, field: str) -> set[str]:
    known = GROUPS[group]
    return set(known.fields[known.positions[field]].values)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: type(table).__name__)
def test_every_table_says_what_it_rests_on(table: Any) -> None:
    assert table.source
    assert table.fidelity in ("documented", "observed", "modelled")


def test_amounts_are_laboratory_values() -> None:
    assert tables.ACTS_FIDELITY == "modelled"
    assert "laboratory values" in tables.ACTS_SOURCE
    assert all(act.base is None or not act.prices for act in ACTS.values())
    assert RATES.fidelity == "modelled"


def test_the_letters_and_codes_that_the_professions_need() -> None:
    assert {"G", "GS", "C", "CS", "V", "AMI", "AIS", "AMK", "PH7", "PH4", "PH1", "DEQP003"} <= set(ACTS)
    billing = {name for act in ACTS.values() for name in act.professions}
    assert billing == set(PROFESSIONS.codes)


def test_every_coverage_indicator_and_service_of_the_card_is_known() -> None:
    assert set(COMPLEMENTARY.amc) == values(109, "treatment-indicator")
    assert set(COMPLEMENTARY.mutuelle) == values(107, "treatment-indicator")
    assert set(SERVICES.c2s) == values(102, "service-code") - {"00", "10"}
    assert set(SERVICES.known) == values(102, "service-code")


@pytest.mark.parametrize(
    ("code", "alsace"),
    [("0100", False), ("0106", True), ("0200", False), ("0406", None), ("0206", None), ("10000", None), ("0105", None)],
)
def test_a_situation_means_something_under_its_scheme_only(code: str, alsace: bool | None) -> None:
    known = SITUATIONS.get(code)
    assert (None if known is None else known.alsace_moselle) is alsace


def test_the_exoneration_codes_are_those_of_the_facts() -> None:
    assert {code for code, it in EXONERATIONS.codes.items() if it.full} == {"3", "4", "5", "7"}
    assert not EXONERATIONS.codes["0"].full
    assert not set("12689C") & set(EXONERATIONS.codes)


def test_the_care_path_is_that_of_the_facts() -> None:
    assert set(CARE_PATH.codes) == {"T", "N", "R", "O", "M", "J", "B", "D", "H", "U", "S1", "S2"}
    assert {code for code, it in CARE_PATH.codes.items() if it.outside} == {"S1", "S2"}


def test_no_rate_is_lower_with_the_local_scheme() -> None:
    for rates in RATES.classes.values():
        assert rates.alsace_moselle >= rates.ordinary
        assert rates.before is None or rates.before.alsace_moselle >= rates.before.ordinary


@pytest.mark.parametrize(
    ("specialty", "profession"),
    [("01", "medecin"), ("24", "infirmier"), ("26", "kinesitherapeute"), ("50", "pharmacien"), ("19", "dentiste")],
)
def test_the_profession_of_a_specialty(specialty: str, profession: str) -> None:
    assert profession_of(specialty) == profession


@pytest.mark.parametrize("specialty", ["", "00", "99", "1", "XX"])
def test_an_unknown_specialty_has_no_profession(specialty: str) -> None:
    assert profession_of(specialty) is None


def test_a_specialty_belongs_to_one_profession() -> None:
    every = [code for profession in PROFESSIONS.codes.values() for code in profession.specialties]
    assert len(every) == len(set(every))
    for profession in PROFESSIONS.codes.values():
        assert profession.usual in profession.specialties


def test_every_billing_number_of_the_cards_tells_a_profession() -> None:
    numbers = [line.billing_id for template in shipped_templates().values() for line in template.billing]
    assert len(numbers) >= 5
    for number in numbers:
        assert usual_specialty(number), number
    assert usual_specialty("") is None
    assert usual_specialty("990") is None


# -- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (("01", "349", "0349"), "013490349"),
        (("02", "349", "0349"), "023490349"),
        (("10", "349", "0349"), "103490349"),
        (("04", "349", "0349"), "041100349"),
        (("12", "349", "0349"), "120010349"),
        (("01", "999", "0999"), "019990999"),
    ],
)
def test_the_destination_body(body: tuple[str, str, str], expected: str) -> None:
    assert body_of(*body) == expected


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (("11", "349", "0349"), "regime"),
        (("", "349", "0349"), "regime"),
        (("01", "34", "0349"), "caisse"),
        (("01", "3A9", "0349"), "caisse"),
        (("01", "349", "349"), "centre"),
        (("01", "349", "٠349"), "centre"),
    ],
)
def test_a_body_that_cannot_be_is_refused(body: tuple[str, str, str], place: str) -> None:
    with pytest.raises(FseError) as caught:
        body_of(*body)
    assert caught.value.place == place


@pytest.mark.parametrize("name", sorted(shipped_vitale()))
def test_every_card_of_the_bench_has_a_body(name: str) -> None:
    insured = shipped_vitale()[name].insured
    assert body_of(insured.regime, insured.caisse, insured.centre)


def test_the_schemes_that_the_agreement_wants_have_a_card() -> None:
    assert {"01", "02", "04", "10", "12"} <= {template.insured.regime for template in shipped_vitale().values()}


# -- wrong tables -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"base": None},
        {"free": True},
        {"base": 0},
        {"code": "g"},
        {"code": "ABCDEFGH"},
        {"nomenclature": "nabm"},
        {"en": None},
        {"tarif": 1},
    ],
)
def test_a_wrong_act_is_refused(change: dict[str, Any]) -> None:
    assert ActType.model_validate(ACT).base == 3000
    with pytest.raises(ValidationError):
        ActType.model_validate({**ACT, **change})


@pytest.mark.parametrize("change", [{"ordinary": 101}, {"alsace-moselle": -1}, {"outside": 200}, {"autre": 1}])
def test_a_wrong_rate_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Rates.model_validate({"ordinary": 70, "alsace-moselle": 90, **change})


@pytest.mark.parametrize("change", [{"rate_class": "nulle"}, {"professions": ("astrologue",)}])
def test_acts_that_do_not_fit_the_other_tables_are_refused(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    monkeypatch.setattr(tables, "ACTS", {"G": ACTS["G"].model_copy(update=change)})
    with pytest.raises(ValueError, match=r"acts\.yaml: G"):
        tables._check()
