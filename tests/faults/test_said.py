"""The sentences of customers and logs, as data: the right entry first, and nothing told for sure that is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.conformance.domains.support.known_causes import known_causes, rule_causes, rule_of, searched
from bifente.ground.shipped import shipped
from bifente.simulator.faults import catalogue, everyday_causes

SAID = yaml.safe_load((Path(__file__).parent / "said.yaml").read_text("utf-8"))
ROWS = [row for rows in SAID.values() for row in rows]
PHRASES = shipped("bifente.simulator.faults", "phrases.yaml")["phrases"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["said"][:40])
def test_the_right_entry_comes_first(row: dict[str, Any]) -> None:
    first = known_causes().matches(row["said"])[0]
    assert first.one.id in row["first"]
    assert first.sure is not row.get("unsure", False)


def test_every_sentence_of_a_program_leads_to_entries_there_are() -> None:
    known = {*catalogue(), *everyday_causes()}
    assert [row for row in PHRASES if not known.issuperset(row["leads"])] == []
    said = [one for row in PHRASES for one in row["says"]]
    assert len(said) == len(set(said))


def test_an_entry_s_own_words_are_sure() -> None:
    unsure = [
        (one.id, clause)
        for one in searched()
        for clause in one.symptoms[0].fr.split(", ")
        if one.id not in {match.one.id for match in known_causes().matches(clause) if match.sure}
    ]
    # What is made of things and small words alone tells nothing for sure.
    assert {one for one, _clause in unsure} == {"service-stopped", "cps-absent", "vitale-absent"}


def test_another_service_than_the_one_named_is_never_sure() -> None:
    found = known_causes().matches("la recherche dans l'annuaire ne répond pas")
    assert not [match.one.id for match in found if match.sure and match.one.id.startswith("psc-")]
    assert [match for match in known_causes().matches("Pro Santé Connect ne répond plus") if match.sure]


@pytest.mark.parametrize(
    "said", ["la carte et le lecteur", "le logiciel ne marche pas", "ma CPS", "problème de carte Vitale"]
)
def test_things_alone_tell_nothing_for_sure(said: str) -> None:
    assert not [match for match in known_causes().matches(said) if match.sure]


def test_words_that_nobody_knows_are_named() -> None:
    assert known_causes().untold("l'imprimante clignote en violet") == ("imprimante", "violet")
    assert known_causes().untold("la carte est muette") == ()


def test_every_rule_is_found_again_by_its_cause() -> None:
    assert [one for one in rule_causes() if rule_of(one) is None] == []
    assert rule_of("card-mute") is None


@given(st.text(max_size=120), st.sampled_from(ROWS))
@settings(max_examples=15, deadline=None)
def test_noise_around_a_program_s_sentence_changes_nothing(noise: str, row: dict[str, Any]) -> None:
    quiet = "".join(letter for letter in noise if not letter.isalnum())
    assert known_causes().matches(f"{quiet} {row['said']} {quiet}")[0].one.id in row["first"]
