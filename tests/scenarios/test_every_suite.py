"""No suite that comes with the bench is left unplayed: those of no other module of this folder are played here."""

from __future__ import annotations

from pathlib import Path

import pytest
import test_authentication_suites
import test_card_rules
import test_fse_suites
import test_galss_suite
import test_psc_suites
import test_ssv_suites
import test_suites
import test_vitale_suites

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.loader import find_suites
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.verdict import Verdict

pytestmark = pytest.mark.long

ROOT = default_paths()[0]
ELSEWHERE = (
    *(ROOT / name for name in ("dmp", "dmpconnect", "ins", "wireless")),
    *(test_authentication_suites.ROOT / f"{name}.yaml" for name in test_authentication_suites.SUITES),
    *test_fse_suites.FILES,
    *test_psc_suites.SUITES,
    *test_ssv_suites.FILES,
    *test_suites.FOLDERS,
    *test_vitale_suites.SUITES,
    test_card_rules.SUITE,
    test_galss_suite.SUITE,
)
"""Each of these modules plays all of its suites and wants every scenario passed."""
HERE = sorted({*find_suites(default_paths(TargetKind.EMBEDDED))} - {*find_suites(ELSEWHERE)})


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=tuple(HERE)), workshop)


@pytest.fixture(scope="module")
def verdicts(plan: RunPlan, workshop: Workshop) -> dict[str, Verdict]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=("bifente", "run"), emit=events.append)
    return {event.scenario: event.verdict for event in events if isinstance(event, ScenarioFinished)}


@pytest.mark.parametrize("file", HERE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_scenario_passes(file: Path, plan: RunPlan, verdicts: dict[str, Verdict]) -> None:
    (suite,) = (suite.model.suite for suite in plan.suites if Path(suite.file).resolve() == file.resolve())
    found = {name: verdict for name, verdict in verdicts.items() if name.partition("/")[0] == suite}
    assert found
    # A program is watched through PC/SC: in process it says that it is not run.
    wanted = Verdict.NOT_RUN if file.parent.name == "software" else Verdict.PASSED
    assert {name: verdict for name, verdict in found.items() if verdict is not wanted} == {}
