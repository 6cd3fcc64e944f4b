"""Workstations brought to life: what works, what fails and why, and what the user reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.domains.support.diagnosis import FaultSide, diagnose
from bifente.conformance.domains.support.hypotheses import explain_told
from bifente.conformance.domains.support.journeys import Journey, Symptom
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.conformance.domains.support.poste_file import SupportCase, Told
from bifente.conformance.domains.support.reproduction import base_of
from bifente.conformance.domains.support.software import SoftwareProfile, software_profiles
from bifente.conformance.loading import InputError
from bifente.simulator.middleware.galss import SlotName, for_pcsc, generate
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.workstation import Poste, PosteEffect, met_rules
from bifente.simulator.workstation.known import known_postes

MOJAVE_NEW, MOJAVE_OLD, CATALINA = (
    known_postes()[name].poste for name in ("mojave-atsam-4.50", "mojave-atsam-4.41", "catalina-atsam-4.50")
)
CPS, VITALE = "OLAQIN 90048020 TL VITALACT 1 0", "OLAQIN 90048020 TL VITALACT 2 0"


@pytest.fixture(scope="module")
def lab(shared_keys: KeySource) -> Iterator[PosteLaboratory]:
    with PosteLaboratory(Workshop(shared_keys)) as laboratory:
        yield laboratory


def galss_ini(*slots: tuple[str, str]) -> bytes:
    return generate(for_pcsc([SlotName(role, name) for role, name in slots]))


@pytest.mark.parametrize("profile", software_profiles().values(), ids=lambda one: one.profile)
def test_a_sound_workstation_works_with_every_software(lab: PosteLaboratory, profile: SoftwareProfile) -> None:
    for journey in Journey:
        symptom = lab.run(base_of(profile), journey)
        assert symptom.works, symptom
        assert symptom.steps
        assert not symptom.text.fr


def test_the_message_comes_from_the_association_alone(lab: PosteLaboratory) -> None:
    read = {journey: lab.run(MOJAVE_NEW, journey).text.fr for journey in Journey}
    failing = {journey for journey, text in read.items() if text}
    assert failing == {Journey.ASSOCIATION, Journey.DMP_SOFTWARE}
    assert {read[journey] for journey in failing} == {"erreur 777"}


@pytest.mark.parametrize("cured", [MOJAVE_OLD, MOJAVE_OLD.changed({"srvsvcnam": "3.42.02"}), CATALINA])
def test_with_the_cure_or_on_catalina_it_does_not_happen(lab: PosteLaboratory, cured: Poste) -> None:
    assert all(lab.run(cured, journey).works for journey in Journey)


def test_without_the_rule_or_with_another_process_it_does_not_happen(lab: PosteLaboratory) -> None:
    rule = "cryptolib-macos-64-bits-only"
    assert lab.run(MOJAVE_NEW, Journey.ASSOCIATION, without={rule}).works
    assert lab.run(MOJAVE_NEW.changed({"software": "software/generic"}), Journey.ASSOCIATION).works


def test_other_failures_of_that_function_say_the_same_and_other_functions_do_not(lab: PosteLaboratory) -> None:
    poste = MOJAVE_OLD.changed({"cryptolib": "absent"})
    assert lab.run(poste, Journey.ASSOCIATION).text.fr == "erreur 777"
    assert lab.run(poste, Journey.DMP_WEB).text.fr == "opération impossible"
    assert lab.run(MOJAVE_OLD.changed({"holder-code": "wrong"}), Journey.ASSOCIATION).text.fr == "opération impossible"


def test_one_run_is_like_the_next(lab: PosteLaboratory) -> None:
    poste = MOJAVE_OLD.changed({"reader-link": "loose"})
    runs = {seed: lab.run(poste, Journey.READ_CPS, seed=seed) for seed in range(24)}
    assert all(lab.run(poste, Journey.READ_CPS, seed=seed) == found for seed, found in list(runs.items())[:6])
    failed = sum(not one.works for one in runs.values())
    assert 3 <= failed <= 15, "about one time in three"


def test_a_further_fault_strikes_and_is_gone_the_next_time(lab: PosteLaboratory) -> None:
    mute = PosteEffect("fault", {"fault": "card-mute", "at": "cps"})
    assert not lab.run(MOJAVE_OLD, Journey.ASSOCIATION, further=(mute,)).works
    assert lab.run(MOJAVE_OLD, Journey.ASSOCIATION).works


def test_an_effect_that_nobody_makes_is_our_mistake(lab: PosteLaboratory) -> None:
    with pytest.raises(ValueError, match="no effect is named"):
        lab.run(Poste(), Journey.READ_CPS, further=(PosteEffect("nonsense", {}),))


@pytest.mark.parametrize(
    "facts", [{"software": "software/none"}, {"reader": "readers/none"}, {"cps": "nobody"}, {"vitale": "vitale/none"}]
)
def test_what_is_not_known_is_refused_in_words(lab: PosteLaboratory, facts: dict[str, str]) -> None:
    with pytest.raises(InputError):
        lab.run(Poste(facts), Journey.READ_CPS)


# -- explained --------------------------------------------------------------------------------------------------------


def test_two_faults_over_each_other_are_told_apart(lab: PosteLaboratory) -> None:
    found = diagnose(lab, MOJAVE_NEW.changed({"service-dmp": "directory-incident"}), (Journey.DMP_SOFTWARE,))
    layers = [[met.rule.id for met in layer] for layer in found.failures[0].layers]
    assert layers == [["cryptolib-macos-64-bits-only"], ["dmp-directory-incident"]]
    assert found.failures[0].cured
    assert found.side is FaultSide.BOTH


def test_the_incident_is_the_server_s_and_no_rule_of_the_workstation_is_blamed(lab: PosteLaboratory) -> None:
    found = diagnose(lab, known_postes()["mojave-incident-of-december-2019"].poste)
    assert found.side is FaultSide.SERVER
    assert set(found.causes) == {"dmp-directory-incident"}
    assert {one.symptom.journey for one in found.failures} == {Journey.DMP_WEB, Journey.DMP_SOFTWARE}


def test_what_was_not_seen_is_left_open(lab: PosteLaboratory) -> None:
    poste = Poste(MOJAVE_NEW.facts, {"cryptolib": "no access"})
    found = diagnose(lab, poste, (Journey.ASSOCIATION,))
    assert "cryptolib-macos-64-bits-only" not in {met.rule.id for met in met_rules(poste)}
    assert "cryptolib-macos-64-bits-only" in {rule.id for rule in found.doubtful}
    assert found.side is FaultSide.NONE


def test_words_that_fit_are_explained(lab: PosteLaboratory) -> None:
    told = {Journey.READ_CPS: Told(works=False, text="lecteur ou carte indisponible (8002)")}
    outcome = explain_told(lab, SupportCase(Poste({"software": "software/medistory-like", "io-comm": "1.0"}), told))
    assert "galss-stopped" in {one.rule.id for one in outcome.hypotheses}


def test_what_is_told_as_it_is_needs_no_hypothesis(lab: PosteLaboratory) -> None:
    told = {Journey.ASSOCIATION: Told(works=False, text="Erreur  777 !"), Journey.DMP_WEB: Told(works=True)}
    assert explain_told(lab, SupportCase(MOJAVE_NEW, told)).fits
    assert explain_told(lab, SupportCase(MOJAVE_NEW, {})).fits


# -- the files of a workstation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_a_galss_ini_that_fits_is_blamed_in_no_line_end(lab: PosteLaboratory, end: bytes) -> None:
    data = galss_ini(("cps", CPS), ("vitale", VITALE)).replace(b"\r\n", end)
    slots = {CPS: "cps", VITALE: "vitale"}
    found = diagnose(lab, Poste({"os": "windows"}, files={"galss.ini": data}, slots=slots), (Journey.READ_VITALE,))
    assert found.side is FaultSide.NONE
    assert not [one for one in found.files if one.wrong]


def test_two_inverted_readers_are_found_in_the_file(lab: PosteLaboratory) -> None:
    data = galss_ini(("cps", CPS), ("vitale", VITALE))
    slots = {CPS: "vitale", VITALE: "cps"}
    found = diagnose(lab, Poste({"os": "windows"}, files={"galss.ini": data}, slots=slots), (Journey.READ_CPS,))
    assert found.failures
    assert [one for one in found.files if one.wrong]


def test_a_reader_that_the_file_names_and_nobody_has_is_found(lab: PosteLaboratory) -> None:
    data = galss_ini(("cps", "Another Reader 0"), ("vitale", VITALE))
    slots = {CPS: "cps", VITALE: "vitale"}
    found = diagnose(lab, Poste({"os": "windows"}, files={"galss.ini": data}, slots=slots), (Journey.READ_CPS,))
    assert found.side is FaultSide.UNEXPLAINED
    assert any("Another Reader 0" in one.message.fr for one in found.files)


def test_a_channel_that_is_not_counted_is_doubtful_and_stops_nothing(lab: PosteLaboratory) -> None:
    data = galss_ini(("cps", CPS), ("vitale", VITALE)) + b"[CANAL3]\r\nTCanal=3\r\nIndex=3\r\nProtocole=1\r\n"
    slots = {CPS: "cps", VITALE: "vitale"}
    found = diagnose(lab, Poste({"os": "windows"}, files={"galss.ini": data}, slots=slots), (Journey.READ_CPS,))
    assert found.side is FaultSide.NONE
    assert [one for one in found.files if "CANAL3" in one.message.fr and not one.wrong]


def test_a_diagnosis_tries_nothing_twice(shared_keys: KeySource) -> None:
    class Counting(PosteLaboratory):
        tried: list[tuple[Journey, frozenset[str]]]

        def run(self, poste: Poste, journey: Journey, **how: Any) -> Symptom:
            self.tried.append((journey, frozenset(how["without"])))
            return super().run(poste, journey, **how)

    with Counting(Workshop(shared_keys)) as laboratory:
        laboratory.tried = []
        poste = MOJAVE_NEW.changed({"service-dmp": "directory-incident"})
        found = diagnose(laboratory, poste, (Journey.DMP_SOFTWARE, Journey.READ_CPS))
        causes = list(found.causes)
        assert len(causes) == 2
        assert len(laboratory.tried) == len(set(laboratory.tried))
        assert {(Journey.DMP_SOFTWARE, frozenset(causes[:number])) for number in (0, 1, 2)} <= set(laboratory.tried)
        # Nor is anything remembered from one diagnosis to the next: the service is repaired.
        assert diagnose(laboratory, MOJAVE_OLD, (Journey.DMP_SOFTWARE,)).side is FaultSide.NONE
