"""Customers' words that their software does not show, causes that hide one another, letters of many causes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bifente.conformance.domains.support.diagnosis import FaultSide, PosteDiagnosis, diagnose
from bifente.conformance.domains.support.diagnosis_letter import diagnosis_letter, side_of
from bifente.conformance.domains.support.hypotheses import ToldOutcome, explain_told
from bifente.conformance.domains.support.journeys import Journey
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.conformance.domains.support.letter import letter_text
from bifente.conformance.domains.support.poste_file import load_case
from bifente.conformance.loading import InputError


@pytest.fixture(scope="module")
def laboratory() -> Iterator[PosteLaboratory]:
    with PosteLaboratory() as opened:
        yield opened


def told(laboratory: PosteLaboratory, folder: Path, text: str) -> tuple[PosteDiagnosis, ToldOutcome]:
    path = folder / "poste.yaml"
    path.write_text(f"poste: essai\nsystem: {{os: windows, os-version: '10'}}\n{text}", "utf-8")
    case = load_case(path)
    journeys = tuple(case.told) or (Journey.AMELI,)
    return diagnose(laboratory, case.poste, journeys), explain_told(laboratory, case)


def letter(found: PosteDiagnosis, outcome: ToldOutcome) -> str:
    return " ".join(letter_text(diagnosis_letter(found, outcome), "fr").split())


def test_a_code_is_enough_where_the_software_shows_none(laboratory: PosteLaboratory, tmp_path: Path) -> None:
    found, outcome = told(laboratory, tmp_path, "told: {fse: erreur F680 hier}")
    assert "sesam-ini-without-ssv-tables" in {one.rule.id for one in outcome.hypotheses}
    assert not outcome.foreign
    assert "(F680)" in letter(found, outcome)


def test_a_code_that_nothing_gives_is_not_explained(laboratory: PosteLaboratory, tmp_path: Path) -> None:
    found, outcome = told(
        laboratory, tmp_path, "software: {software: software/hellodoc-like}\ntold: {fse: erreur F999}"
    )
    assert side_of(found, outcome) is FaultSide.UNEXPLAINED
    assert outcome.unexplained


def test_of_words_that_the_software_does_not_say_the_failure_is_kept(
    laboratory: PosteLaboratory, tmp_path: Path
) -> None:
    said = "la carte Vitale est muette"
    found, outcome = told(laboratory, tmp_path, f"told: {{lecture-vitale: {said}, lecture-cps: marche}}")
    assert outcome.foreign == (said,)
    assert "card-mute" in {one.id for one in outcome.meant}
    assert "vitale-mute" in {one.rule.id for one in outcome.hypotheses}
    text = letter(found, outcome)
    assert f"« {said} » : ce logiciel n'est pas connu pour afficher ces mots" in text
    assert "nettoyer la puce" in text.casefold()


def test_words_of_a_fault_that_was_seen_ask_for_no_other(laboratory: PosteLaboratory, tmp_path: Path) -> None:
    found, outcome = told(
        laboratory, tmp_path, "reader: {reader-holder: certpropsvc}\ntold: {lecture-cps: lecteur pris}"
    )
    assert outcome.fits
    assert not outcome.hypotheses
    assert set(found.causes) == {"reader-held-by-certpropsvc"}
    assert "aucune cause connue" not in letter(found, outcome)


def test_one_text_for_everything_hides_no_second_cause(laboratory: PosteLaboratory, tmp_path: Path) -> None:
    found, _outcome = told(laboratory, tmp_path, "components: {srvsvcnam: absent}\ncards: {holder-code: wrong}")
    assert list(found.causes) == ["holder-code-wrong", "srvsvcnam-absent"]
    assert found.failures[0].cured


def test_a_letter_tells_few_of_many_causes_and_counts_the_rest(laboratory: PosteLaboratory, tmp_path: Path) -> None:
    found, outcome = told(laboratory, tmp_path, "told: {lecture-cps: échoue}")
    assert len(outcome.hypotheses) > 30
    text = letter_text(diagnosis_letter(found, outcome), "fr")
    assert len(text.splitlines()) < 80
    assert f"Autres causes possibles, moins sûres ou de même remède : {len(outcome.hypotheses) - 6}." in " ".join(
        text.split()
    )


def test_a_journey_that_is_none_is_told_with_the_near_one(tmp_path: Path) -> None:
    path = tmp_path / "poste.yaml"
    path.write_text("poste: essai\ntold: {ameli: marche}\n", "utf-8")
    with pytest.raises(InputError, match="'ameli' is no journey") as refused:
        load_case(path)
    assert "'ameli-pro'" in str(refused.value.problems[0].cure)


def test_causes_on_both_sides_are_told_apart_before_the_workstation_is_touched(
    laboratory: PosteLaboratory, tmp_path: Path
) -> None:
    works = ", ".join(f"{one}: marche" for one in ("lecture-cps", "fse", "ameli-pro"))
    found, outcome = told(laboratory, tmp_path, f"told: {{{works}, dmp-web: échoue, dmp-logiciel: échoue}}")
    assert {one.rule.server for one in outcome.hypotheses} == {True, False}
    assert side_of(found, outcome) is FaultSide.UNDECIDED
    text = letter(found, outcome)
    assert "POSTE OU SERVEUR : À DÉPARTAGER AVANT DE TOUCHER AU POSTE" in text
    assert "La panne est sur le poste" not in text


def test_causes_of_which_each_is_enough_are_found_together(laboratory: PosteLaboratory, tmp_path: Path) -> None:
    found, outcome = told(laboratory, tmp_path, "components: {cryptolib: 5.0.20}")
    failure = found.failures[0]
    assert failure.cured
    assert len(failure.layers[0]) > 1
    alone = laboratory.run(found.poste, Journey.AMELI, without={failure.layers[0][0].rule.id})
    assert not alone.works
    assert side_of(found, outcome) is FaultSide.WORKSTATION


def test_what_makes_no_difference_is_noted_without_a_cure(laboratory: PosteLaboratory, tmp_path: Path) -> None:
    text = "components: {fsv: 1.40.9}\ncards: {holder-code: wrong}\nreader: {reader-holder: certpropsvc}"
    found, outcome = told(laboratory, tmp_path, text)
    noted = [one.rule for one in found.noted]
    assert "fsv-older-than-1.40.14" in {one.id for one in noted}
    shown = letter(found, outcome)
    assert all((one.cure.fr.casefold() in shown.casefold()) is not bool(one.effects) for one in noted)
