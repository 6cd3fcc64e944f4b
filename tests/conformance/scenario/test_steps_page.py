"""The page of steps is what the steps say of themselves, in French and in English."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifente.conformance.scenario.reference import steps_page
from bifente.conformance.scenario.steps import steps
from bifente.ground.french import OF_STEPS, of_a_step, sentences
from bifente.ground.text import Lang

DOCS = Path(__file__).parents[3] / "docs"


def said(name: str) -> set[str]:
    """What a step and its arguments say of themselves."""
    step = steps()[name]
    arguments = step.model_json_schema().get("properties", {}).values()
    return {" ".join((step.__doc__ or "").split())} | {about.get("description", "") for about in arguments}


@pytest.mark.parametrize(("lang", "page"), [("fr", "steps.md"), ("en", "en/steps.md")])
def test_the_page_is_the_generator_s(lang: Lang, page: str) -> None:
    """Write it anew with ``bifente schema steps --lang LANG``."""
    assert (DOCS / page).read_text(encoding="utf-8") == steps_page(lang) + "\n"


@pytest.mark.parametrize("name", steps())
def test_every_argument_has_a_sentence_in_both_languages(name: str) -> None:
    arguments = steps()[name].model_json_schema().get("properties", {})
    assert [argument for argument, about in arguments.items() if not about.get("description")] == []
    assert said(name) - set(sentences(OF_STEPS)) == set(), "put them into src/bifente/ground/french/steps.json"


def test_no_sentence_is_left_over() -> None:
    assert set(sentences(OF_STEPS)) - {sentence for name in steps() for sentence in said(name)} == set()


def test_a_sentence_that_nobody_put_into_french_stays_as_it_is() -> None:
    assert of_a_step("Do what nobody foresaw.", "fr") == "Do what nobody foresaw."
    assert of_a_step("Let time pass on the bench clock.", "fr") == "Laisser passer du temps sur l'horloge du banc."
    assert of_a_step("Let time pass on the bench clock.", "en") == "Let time pass on the bench clock."
