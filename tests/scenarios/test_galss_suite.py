"""The suite of the GALSS: all passing, more refusals than successes, and able to fail when the GALSS is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.middleware.galss import session
from bifente.simulator.middleware.galss.model import Resource
from bifente.simulator.middleware.galss.reading import Examination
from bifente.simulator.middleware.galss.server import GalssServer
from bifente.simulator.middleware.galss.session import Application, GalssConnection
from bifente.simulator.middleware.sesam.reading import SesamExamination
from bifente.simulator.readers import PcscCode

SUITE = default_paths()[0] / "readers" / "galss.yaml"


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=(SUITE,)), workshop)


def verdicts(plan: RunPlan, workshop: Workshop) -> dict[str, Verdict]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=("bifente", "run"), emit=events.append)
    return {event.scenario.rpartition("/")[2]: event.verdict for event in events if isinstance(event, ScenarioFinished)}


def test_all_pass(plan: RunPlan, workshop: Workshop) -> None:
    told = verdicts(plan, workshop)
    assert len(told) >= 30
    assert set(told.values()) == {Verdict.PASSED}


def test_more_scenarios_refuse_than_not(plan: RunPlan) -> None:
    def refuses(code: Any) -> bool:
        return str(code) not in ("0", "0000", "ok")

    refusing = [
        scenario
        for scenario in plan.scenarios
        if any(refuses(step.expect["code"]) for step in scenario.steps if "code" in step.expect)
    ]
    assert len(refusing) * 2 > len(plan.scenarios)


NOTHING: Callable[..., None] = lambda *_args, **_more: None  # noqa: E731

BREAKAGES: dict[str, tuple[object, str, object]] = {
    "two readers go in one call": (Resource, "reader", property(lambda self: (0, 0, 0))),
    "nobody is kept out": (GalssServer, "hold", NOTHING),
    "sessions are not counted": (GalssServer, "open", lambda self, pair: self._sessions.append(pair)),
    "absent readers cost nothing": (GalssServer, "look_for_readers", NOTHING),
    "the server never stops": (GalssServer, "stop", NOTHING),
    "every file is taken": (Examination, "code", property(lambda self: 0)),
    "every sesam.ini is taken": (SesamExamination, "code", property(lambda self: 0)),
    "a withdrawn card is a reader's failure": (session, "_OF_THE_CARD", frozenset()),
    "held by a program is no answer": (
        session,
        "_CODES",
        {**session._CODES, PcscCode.SHARING_VIOLATION: session.SsvCode.GALSS_NO_ANSWER},
    ),
    "sessions do not end": (GalssConnection, "disconnect", NOTHING),
    "two instances are one": (
        Application,
        "__init__",
        lambda self, server, name, patience: (
            setattr(self, "name", "one"),
            setattr(self, "patience", patience),
            setattr(self, "_server", server),
            None,
        )[-1],
    ),
}


@pytest.mark.parametrize("what", BREAKAGES)
def test_a_galss_that_is_wrong_fails(
    what: str, plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, name, wrong = BREAKAGES[what]
    monkeypatch.setattr(place, name, wrong)
    told = verdicts(plan, workshop)
    assert Verdict.FAILED in told.values()
