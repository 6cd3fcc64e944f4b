"""The suites of support: all passing, and able to fail when a rule, a component or a software's text is taken away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.domains.support import diagnosis, effects, hypotheses, loading, running, software
from bifente.conformance.options import RunOptions
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.ground.text import Text
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.middleware.cryptolib import CryptolibTraits
from bifente.simulator.middleware.galss.breaking import Breakage
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.workstation import met_rules, packages, version


@pytest.fixture(scope="module")
def workshop(shared_keys: KeySource) -> Workshop:
    return Workshop(shared_keys)


@pytest.fixture(autouse=True)
def _found_anew() -> Iterator[None]:
    """What is found while something is broken is not remembered."""
    yield
    met_rules.cache_clear()


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=(default_paths()[0] / "support",)), workshop)


def _run(plan: RunPlan, workshop: Workshop) -> dict[str, Verdict]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=(), emit=events.append)
    return {one.scenario: one.verdict for one in events if isinstance(one, ScenarioFinished)}


def test_there_are_enough_of_them(plan: RunPlan) -> None:
    """They are run with all other suites by ``./run test``; here they are counted, and broken."""
    assert len(plan.scenarios) >= 120
    refused = [one for one in plan.scenarios if any(step.expect.get("works") is False for step in one.steps)]
    assert len(refused) >= 100


def _nothing(*arguments: Any, **more: Any) -> None:
    return None


def _one_text(*arguments: Any) -> Text:
    return Text("erreur", "error")


def _as_texts(self: version.ComponentVersion, other: version.ComponentVersion) -> bool:
    return self.written < other.written


REMOVED: dict[str, tuple[tuple[Any, str, Any], str]] = {
    "no rule holds": ((running, "met_rules", lambda poste: ()), "old-version-shows-it-new-one-does-not"),
    "any program loads any library": ((loading.LoadableLibrary, "load", _nothing), "both-sides-at-once"),
    "every release is the newest": ((CryptolibTraits, "turned", lambda self, trait, on: self), "exhausted-card"),
    "files are not broken": ((Breakage, "strike", lambda self, data: data), "broken-file-is-found"),
    "every text is one": ((software.SoftwareProfile, "said", _one_text), "broken-file-is-found"),
    "no fault strikes": ((effects, "inject", lambda *given: _nothing), "incident-of-december-2019-known"),
    "versions are texts": ((version.ComponentVersion, "__lt__", _as_texts), "versions-are-no-texts"),
    "packages damage nothing": ((packages, "install", lambda poste, package: poste), "newest-is-not-fit"),
    "whatever is told fits": ((hypotheses, "agrees", lambda symptom, told: True), "incident-found-from-what"),
    "nothing is doubted": ((diagnosis, "_could_be", lambda poste, rule: False), "what-was-not-seen"),
    "cards are as they are": ((effects.EFFECTS, "card", _nothing), "exhausted-card-taken"),
}


@pytest.mark.parametrize("removed", REMOVED)
def test_a_check_taken_away_is_seen(
    removed: str, plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (owner, name, instead), scenario = REMOVED[removed]
    chosen = next(one for one in plan.scenarios if f"/{scenario}" in one.id)
    alone = replace(plan, scenarios=(chosen,))
    assert set(_run(alone, workshop).values()) == {Verdict.PASSED}
    if isinstance(owner, dict):
        monkeypatch.setitem(owner, name, instead)
    else:
        monkeypatch.setattr(owner, name, instead)
        if owner is packages:
            monkeypatch.setattr("bifente.conformance.domains.support.steps.install", instead)
    met_rules.cache_clear()
    assert Verdict.PASSED not in _run(alone, workshop).values()
