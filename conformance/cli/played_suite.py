"""A fault that no journey of a workstation meets, played by a scenario of the bench that makes it strike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.domains.support.reproduced_fault import PlayedScenario
from bifente.conformance.options import RunOptions
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import SCENARIOS
from bifente.conformance.scenario.plan import PlannedScenario


def play_fault(fault: str, workshop: Workshop) -> PlayedScenario | None:
    """Run the first scenario of the bench that makes a fault strike; None if none does. Raise InputError."""
    for path in _suites(fault):
        plan = prepare(RunOptions(paths=(path,)), workshop)
        chosen = next((one for one in plan.scenarios if _strikes(one, fault)), None)
        if chosen is None:
            continue
        verdicts = execute(
            replace(plan, scenarios=(chosen,)), workshop, run_id="reproduce", command=(), emit=lambda event: None
        )
        file = str(path.relative_to(SCENARIOS.parent))
        return PlayedScenario(chosen.id, chosen.model.title.text, file, verdicts[0])
    return None


def _suites(fault: str) -> Iterator[Path]:
    if SCENARIOS.is_dir():
        for path in sorted(SCENARIOS.rglob("[!_]*.yaml")):
            text = path.read_text(encoding="utf-8")
            if fault in text and text.startswith(("suite:", "#")):
                yield path


def _strikes(scenario: PlannedScenario, fault: str) -> bool:
    """Whether a step of a scenario injects it, by its own arguments or by those of the matrix."""
    return any(
        step.kind.name == "inject-fault" and fault in f"{step.raw} {step.bindings} {scenario.id}"
        for step in scenario.steps
    )
