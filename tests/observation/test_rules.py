"""The rules as data: each with ids of the catalogue, words in both languages, and a place on the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifente.conformance.observation.rules.all import RULES
from bifente.conformance.observation.story import Story
from bifente.conformance.observation.verdicts import judge
from bifente.conformance.requirements import load_catalogue
from bifente.reports.verdict import Verdict

PAGE = (Path(__file__).parents[2] / "docs" / "observing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_whole(name: str) -> None:
    rule = RULES[name]
    catalogue = load_catalogue()
    assert rule.requirements
    assert all(one in catalogue for one in rule.requirements)
    # What a program breaks is a requirement on programs: one on cards or readers is not shown as failed for want of it.
    assert {catalogue.by_id[one][1].actor for one in rule.requirements} == {"software"}
    assert any(one.startswith("SOFT-") for one in rule.requirements)
    for text in (rule.title, rule.why, rule.cure):
        assert text.fr
        assert text.en
        assert text.fr != text.en
    assert f"`{name}`" in PAGE


def test_every_requirement_of_the_set_has_its_rule() -> None:
    cited = {one for rule in RULES.values() for one in rule.requirements}
    assert {one for one in load_catalogue() if one.startswith("SOFT-")} <= cited


def test_silence_is_not_run_and_never_passed() -> None:
    assert {one.verdict for one in judge(Story([]))} == {Verdict.NOT_RUN}
