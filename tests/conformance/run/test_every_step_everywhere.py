"""Every step on every kind of bench: whatever it finds there, it is judged or refused in words, never our mistake.

The arguments are those of the shipped suites, so that each step is one that an author may write.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from conformance_bench import Lab, Ran, scenario_text, suite_text, write
from fake_module import FakeLab

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.facets import VirtualReaders
from bifente.conformance.bench.real import RealBench
from bifente.conformance.loading import InputError, load_document
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.card_references import CardReferences
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.loader import find_suites, load_suite
from bifente.conformance.scenario.references import references, root
from bifente.conformance.scenario.steps import steps
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.conformance.targets.facets import Facets
from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.reports.verdict import Verdict
from bifente.simulator.readers import Reader

BENCHES = {
    "two cards": "bench: {cards: {cps: medecin-generaliste, vitale: vitale/assure-seul}}",
    "cps4": "bench: {cards: {cps: {template: medecin-generaliste, family: cps4}, vitale: vitale/vitale-1}}",
    "vitale alone": "bench: {cards: {vitale: vitale/assure-seul}}",
    "two professionals": "bench: {cards: {cps: medecin-generaliste, vitale: infirmier}}",
    "wireless": "bench: {profile: readers/olaqin-like-wireless, cards: {cps: medecin-generaliste}}",
    "contactless": "bench: {profile: readers/generic-contactless, cards: {cps: medecin-generaliste}}",
    "pin pad": "bench: {profile: readers/generic-pin-pad, cards: {cps: medecin-generaliste}}",
    "several readers": (
        "bench: {readers: {a: readers/generic-bislot, b: readers/fei}, "
        "cards: {a-cps: medecin-generaliste, b-vitale: vitale/assure-seul}}"
    ),
}
JUDGED = {Verdict.PASSED, Verdict.PASSED_WITH_REMARK, Verdict.FAILED}
REFUSED = {Verdict.NOT_RUN, Verdict.NOT_APPLICABLE}
READERS = {"cps": "Somebody's Reader 00 00", "vitale": "Somebody's Reader 00 01"}


MADE_ELSEWHERE: dict[str, Any] = {
    "p11-verify": {"message": "x", "signature": "00"},
    **dict.fromkeys(("call-api", "exchange-token", "introspect", "revoke-token"), "nobody.issued.it"),
    "cps-gestion": "nobody-asked",
    "keep-screen": "nobody-s",
}
"""Steps on what the suites had made before: here on what nobody made."""


def _written(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("setup", "steps", "teardown") and isinstance(value, list):
                yield from ({one: None} if isinstance(one, str) else one for one in value)
            yield from _written(value)
    elif isinstance(node, list):
        for item in node:
            yield from _written(item)


@cache
def samples() -> dict[str, Any]:
    """Arguments of each step as some suite writes them, those that speak of the card alone first."""
    found = dict(MADE_ELSEWHERE)
    folder = default_paths()[0]
    for path in sorted(folder.rglob("*.yaml")):
        for step in _written(load_document(path).data):
            for name in step.keys() & steps().keys():
                if all(root(one) == "card" for one in references(step[name])):
                    found.setdefault(name, None if step[name] == "" else step[name])
    return found


def test_every_step_has_a_sample() -> None:
    # A step that no suite uses would go untried here.
    assert set(samples()) >= set(steps()), sorted(set(steps()) - set(samples()))
    assert find_suites(default_paths())


def scenarios(head: str) -> str:
    bodies = []
    for name, raw in samples().items():
        written = yaml.safe_dump([{name: raw}], allow_unicode=True, default_flow_style=False)
        judges = "judges: module\n" if name.startswith("p11-") else ""
        bodies.append(scenario_text(f"{head}\ndestructive: true\n{judges}steps:\n{written}", name))
    return suite_text(*bodies, head="bench: {}")


def judged(bench: Bench | None, lab: Lab, folder: Path, head: str) -> Ran:
    ran, wrong = Ran(), list[str]()
    spoken_of = CardReferences(lab.workshop)
    for plan in load_suite(write(folder, scenarios(head)), load_catalogue()).scenarios:
        one = Ran()
        try:
            spoken_of.check(plan)
        except InputError:
            continue  # no legal scenario: refused when the suite is read
        on = bench or lab.pool.get(plan.bench.profile)
        verdict = run_scenario(plan, on, seed=1, command=(), emit=one.events.append)
        name = plan.id.partition("/")[2]
        ran.verdicts[name] = verdict
        if verdict not in JUDGED | REFUSED or (verdict in REFUSED and not one.reason):
            wrong.append(f"{name}: {verdict.value}, {one.reason}: {one.told()}")
    assert not wrong, "\n".join(wrong)
    return ran


@pytest.mark.parametrize("kind", BENCHES)
def test_in_process(lab: Lab, tmp_path: Path, kind: str) -> None:
    ran = judged(None, lab, tmp_path, BENCHES[kind])
    assert any(verdict in JUDGED for verdict in ran.verdicts.values())


@pytest.mark.parametrize("kind", ["two cards", "two professionals"])
def test_in_front_of_a_module(lab: Lab, tmp_path: Path, kind: str) -> None:
    fake = FakeLab(lab)
    ran = judged(fake.bench(), lab, tmp_path, BENCHES[kind])
    assert ran.verdicts["swap-cards"] in JUDGED
    assert ran.verdicts["verify-code"] is Verdict.NOT_RUN


def not_ours(lab: Lab, *, allowed: bool = False) -> RealBench:
    """Readers that are not ours, our cards in them."""

    class Outside(EmbeddedTarget):
        facets = Facets()

    clock = WallClock()
    reader = Reader.of("Somebody's Reader", list(READERS.values()), clock)
    templates = {"cps": "medecin-generaliste", "vitale": "vitale/assure-seul"}
    for slot, template in zip(reader.slots, templates.values(), strict=True):
        slot.insert(lab.workshop.make(CardChoice(template=template), Random(1), at=clock.now()).card)
    options = RunOptions(paths=(), readers=READERS, real_cards=templates, allow_destructive=allowed)
    return RealBench(READERS, options, lab.workshop, Outside([reader]), None)


@pytest.mark.parametrize("allowed", [False, True])
def test_on_readers_that_are_not_ours(lab: Lab, tmp_path: Path, allowed: bool) -> None:
    ran = judged(not_ours(lab, allowed=allowed), lab, tmp_path, BENCHES["two cards"])
    assert ran.verdicts["swap-cards"] is Verdict.NOT_RUN


@pytest.mark.parametrize(
    ("fault", "verdict", "reason"),
    [
        ("front-end-down", Verdict.PASSED, None),
        ("apcv-service-unreachable", Verdict.PASSED, None),
        ("cloudfsv-unavailable", Verdict.NOT_RUN, Text("", "cloudfsv-unavailable needs a wireless terminal")),
        ("micro-cut", Verdict.NOT_RUN, VirtualReaders.lacking),
    ],
)
def test_faults_of_services_strike_where_the_readers_are_not_ours(
    lab: Lab, tmp_path: Path, fault: str, verdict: Verdict, reason: Text | None
) -> None:
    head = BENCHES["two cards"]
    text = suite_text(scenario_text(f"{head}\nsteps:\n- inject-fault: {fault}\n- clear-faults:"), head="bench: {}")
    (plan,) = load_suite(write(tmp_path, text), load_catalogue()).scenarios
    ran = Ran()
    assert run_scenario(plan, not_ours(lab), seed=1, command=(), emit=ran.events.append) is verdict, ran.told()
    assert ran.reason == (reason.en if reason is not None else "")
