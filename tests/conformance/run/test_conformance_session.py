from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from conformance_bench import Lab, place, scenario_text, steps_text, suite_text, write

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool, BenchUnavailableError
from bifente.conformance.loading import InputError
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.run import spreading
from bifente.conformance.run.environment import environment, tool
from bifente.conformance.run.opening import started
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.reproduce import reproduce_line
from bifente.conformance.run.session import execute
from bifente.reports.events import Event, RunFinished, RunStarted, ScenarioFinished, ScenarioStarted, StepFinished
from bifente.reports.model import fold
from bifente.reports.verdict import Verdict
from bifente.simulator.pcsc import PcscdError
from bifente.simulator.pcsc.errors import Link
from bifente.simulator.pcsc.services import ServiceKind

MIXED = suite_text(
    scenario_text("steps: [get-challenge: 8]", "passes"),
    scenario_text("steps: [code-status]", "fails"),
    scenario_text("setup: [code-status]\nsteps: [code-status]", "blocked"),
    scenario_text("requires: [contactless]\nsteps: [code-status]", "elsewhere"),
    scenario_text("steps: [{get-challenge: 8, capture: {got: data}}, {get-challenge: $got}]", "slips"),
    scenario_text("steps:\n  - get-challenge: 8\n    should: {data: 00}", "remark"),
)


def done(lab: Lab, *paths: Path, command: Sequence[str] = ("bifente", "run"), **options: object) -> list[Event]:
    events: list[Event] = []
    plan = prepare(RunOptions(paths=paths, **options), lab.workshop)  # type: ignore[arg-type]
    execute(plan, lab.workshop, run_id="r", command=command, emit=events.append)
    return events


def verdicts(events: list[Event]) -> dict[str, Verdict]:
    return {event.scenario: event.verdict for event in events if isinstance(event, ScenarioFinished)}


def drawn(events: list[Event]) -> dict[str, list[object]]:
    shown: dict[str, list[object]] = {}
    for event in events:
        if isinstance(event, StepFinished):
            shown.setdefault(event.scenario, []).append((event.index, event.verdict, event.expectations))
    return shown


def test_two_workers_give_the_same_verdicts_and_one_record(lab: Lab, tmp_path: Path) -> None:
    path = write(tmp_path, MIXED)
    alone, spread = done(lab, path), done(lab, path, workers=2)
    assert verdicts(spread) == verdicts(alone)
    assert drawn(spread) == drawn(alone)
    assert set(verdicts(alone).values()) == {
        Verdict.PASSED,
        Verdict.FAILED,
        Verdict.BLOCKED,
        Verdict.NOT_APPLICABLE,
        Verdict.PASSED_WITH_REMARK,
    }
    assert isinstance(spread[0], RunStarted)
    assert isinstance(spread[-1], RunFinished)
    under_way: str | None = None
    for event in spread:  # the events of one scenario stand together
        if isinstance(event, ScenarioStarted):
            assert under_way is None
            under_way = event.scenario
        elif isinstance(event, ScenarioFinished):
            assert under_way == event.scenario
            under_way = None


def test_a_worker_that_dies_is_a_sentence_and_the_run_ends_in_order(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dead:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def __enter__(self) -> Dead:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def shutdown(self, **_: object) -> None:
            pass

        def submit(self, *_: object) -> object:
            from concurrent.futures import Future
            from concurrent.futures.process import BrokenProcessPool

            future: Future[object] = Future()
            future.set_exception(BrokenProcessPool("gone"))
            return future

    monkeypatch.setattr(spreading, "ProcessPoolExecutor", Dead)
    events: list[Event] = []
    plan = prepare(RunOptions(paths=(write(tmp_path, MIXED),), workers=2), lab.workshop)
    with pytest.raises(BenchUnavailableError, match="a process that ran scenarios has died"):
        execute(plan, lab.workshop, run_id="r", command=(), emit=events.append)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].interrupted


def test_an_interruption_leaves_a_record_that_says_so(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if len([one for one in events if isinstance(one, StepFinished)]) == 1:
            raise KeyboardInterrupt

    plan = prepare(RunOptions(paths=(write(tmp_path, MIXED),)), lab.workshop)
    with pytest.raises(KeyboardInterrupt):
        execute(plan, lab.workshop, run_id="r", command=(), emit=emit)
    # The end of the run is told to whoever still listens; what was under way has no verdict.
    assert isinstance(events[-1], RunFinished)
    assert events[-1].interrupted
    assert verdicts(events) == {}
    run = fold(events)
    assert run.interrupted
    assert run.verdict is not Verdict.PASSED


def test_an_interruption_lost_in_a_callback_still_ends_the_run(lab: Lab, tmp_path: Path) -> None:
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, StepFinished):
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    plan = prepare(RunOptions(paths=(write(tmp_path, MIXED),)), lab.workshop)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        execute(plan, lab.workshop, run_id="r", command=(), emit=emit)
    assert len(verdicts(events)) == 1
    assert fold(events).interrupted
    assert signal.getsignal(signal.SIGINT) is before


def test_the_record_opens_with_all_that_repeats_the_run(lab: Lab, tmp_path: Path) -> None:
    path = write(tmp_path, MIXED)
    first = done(lab, path, seed=5, command=("bifente", "run", "x.yaml"))[0]
    assert isinstance(first, RunStarted)
    assert (first.seed, first.target, first.profile) == (5, "embedded", "readers/generic-bislot")
    assert [suite.scenarios for suite in first.suites] == [6]
    names = [Path(one.path).name for one in first.inputs]
    assert names == ["suite.yaml", "generic-bislot.yaml", "medecin-generaliste.yaml"]
    assert [requirement.id for requirement in first.requirements] == ["CARD-CPS3-16"]
    assert first.requirements_total > 100
    assert first.environment["python"]
    assert "pcscd" not in first.environment
    assert "service" not in first.environment


@pytest.mark.parametrize("service", list(ServiceKind))
def test_the_service_between_readers_and_pcsc_is_named(lab: Lab, tmp_path: Path, service: ServiceKind) -> None:
    options = RunOptions(paths=(write(tmp_path, MIXED),), target=TargetKind.PCSC, service=service)
    first = started(prepare(options, lab.workshop), "r", ())
    assert first.environment["service"] == service.value
    theirs = started(prepare(replace(options, readers={"cps": "Theirs 0"}), lab.workshop), "r", ())
    assert "service" not in theirs.environment


def test_the_machine_is_named_and_pcsc_only_when_it_takes_part() -> None:
    assert {"os", "machine", "python", "cryptography", "pydantic"} == set(environment(pcsc=False))
    assert "pcscd" in environment(pcsc=True)
    assert tool().name == "bifente"
    assert reproduce_line(("bifente", "run", "a b.yaml"), "s/x[p,c]") == "bifente run 'a b.yaml' --select 's/x[p,c]'"


@pytest.mark.parametrize(
    ("select", "chosen"),
    [
        (("t.one/passes",), ["passes"]),
        (("*/b*", "*/passes"), ["passes", "blocked"]),
        (("t.one/*s",), ["passes", "fails", "slips"]),
    ],
)
def test_scenarios_are_selected_by_pattern_in_their_own_order(
    lab: Lab, tmp_path: Path, select: tuple[str, ...], chosen: list[str]
) -> None:
    plan = prepare(RunOptions(paths=(write(tmp_path, MIXED),), select=select), lab.workshop)
    assert [scenario.id for scenario in plan.scenarios] == [f"t.one/{name}" for name in chosen]


def test_brackets_of_a_matrix_are_no_pattern(lab: Lab, tmp_path: Path) -> None:
    path = write(tmp_path, steps_text("- get-challenge: 8", head="bench: {cards: {cps: [cpa, infirmier]}}"))
    plan = prepare(RunOptions(paths=(path,), select=("t.one/only[cpa]",)), lab.workshop)
    assert [scenario.id for scenario in plan.scenarios] == ["t.one/only[cpa]"]
    with pytest.raises(InputError, match=r"no scenario is named 't.one/only' \(did you mean 't.one/only\[cpa\]'"):
        prepare(RunOptions(paths=(path,), select=("t.one/only",)), lab.workshop)


@pytest.mark.parametrize(
    ("head", "at", "said"),
    [
        (
            "bench: {profile: readers/generic-bislo, cards: {cps: cpa}}",
            "profile",
            "readers/generic-bislo: is no known profile (did you mean 'readers/generic-bislot'?)",
        ),
        ("bench: {cards: {cps: medecin}}", "cps", "medecin: is no known card template (known: "),
        ("bench: {cards: {cps: '../x'}}", "cps", "../x: is no known card template"),
        ('bench: {cards: {cps: "a\\0"}}', "cps", "a\0: is no known card template"),
        (
            "bench: {cards: {csp: cpa}}",
            "csp",
            "the reader readers/generic-bislot has no slot 'csp' (did you mean 'cps'?)",
        ),
        ("bench: {cards: {cps: nowhere/mine.yaml}}", "cps", "nowhere/mine.yaml: no such file"),
        ("bench: {cards: {cps: {template: cpa, lifecycle: dead}}}", "cps", "cpa+...: lifecycle: must be"),
        (
            "bench: {cards: {cps: {template: cpa, lifecyle: dead}}}",
            "cps",
            "cpa+...: lifecyle: unknown key",
        ),
        ("bench: {cards: {cps: {template: cpa, codes: {pin: '12345'}}}}", "cps", "codes.pin: 5 digits given"),
    ],
)
def test_a_wrong_bench_is_shown_where_it_is_asked_for(lab: Lab, tmp_path: Path, head: str, at: str, said: str) -> None:
    text = steps_text("- get-challenge: 8", head=head)
    path = write(tmp_path, text)
    with pytest.raises(InputError) as raised:
        prepare(RunOptions(paths=(path,)), lab.workshop)
    (problem,) = raised.value.problems
    assert str(problem).startswith(f"{path}:{place(text, at)}: ")
    assert said in str(problem)


def test_a_template_file_with_a_mistake_keeps_its_own_place_too(lab: Lab, tmp_path: Path) -> None:
    from conformance_bench import TEMPLATES

    good = (TEMPLATES / "medecin-generaliste.yaml").read_text(encoding="utf-8")
    mine = write(tmp_path, good.replace("pin: '1234'", "pin: '12345'"), "mine.yaml")
    with pytest.raises(InputError) as raised:
        Workshop.default().template(str(mine))
    (problem,) = raised.value.problems
    line = good[: good.index("pin:")].count("\n") + 1
    assert str(problem).startswith(f"{mine}:{line}:9: codes.pin: 5 digits given, a CPS3 takes 4")


def test_a_profile_chosen_for_the_run_is_checked_at_once(lab: Lab, tmp_path: Path) -> None:
    path = write(tmp_path, steps_text("- get-challenge: 8"))
    with pytest.raises(InputError, match=r"^readers/x: is no known profile"):
        prepare(RunOptions(paths=(path,), profile="readers/x"), lab.workshop)


def test_a_slot_the_profile_lacks_may_be_asked_for_by_scenarios_that_require_it(lab: Lab, tmp_path: Path) -> None:
    head = "bench: {profile: readers/generic-contactless, cards: {cps: cpa, vitale: cpa}}"
    path = write(tmp_path, suite_text(scenario_text("requires: [second-slot]\nsteps: [get-challenge: 8]"), head=head))
    assert set(verdicts(done(lab, path)).values()) == {Verdict.NOT_APPLICABLE}


def test_mistakes_of_several_files_are_told_together(lab: Lab, tmp_path: Path) -> None:
    one = write(tmp_path, steps_text("- verfy-code: 1"), "a.yaml")
    two = write(tmp_path, steps_text("- code-statsu").replace("t.one", "t.two"), "b.yaml")
    with pytest.raises(InputError) as raised:
        prepare(RunOptions(paths=(tmp_path,)), lab.workshop)
    assert [problem.file for problem in raised.value.problems] == [str(one), str(two)]


def test_two_suites_of_one_name_are_refused(lab: Lab, tmp_path: Path) -> None:
    one = write(tmp_path, steps_text("- get-challenge: 8"), "a.yaml")
    two = write(tmp_path, steps_text("- get-challenge: 8"), "b.yaml")
    with pytest.raises(InputError) as raised:
        prepare(RunOptions(paths=(tmp_path,)), lab.workshop)
    assert str(raised.value) == f"{two}:1:1: the suite 't.one' is also in {one} (rename one)"


def test_a_bench_that_cannot_be_opened_says_why_and_leaves_a_record(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: BenchPool, *profiles: object) -> None:
        raise PcscdError(Link.PCSCD_BINARY, "pcscd is not found.")

    monkeypatch.setattr(BenchPool, "_open", broken)
    events: list[Event] = []
    plan = prepare(RunOptions(paths=(write(tmp_path, MIXED),)), lab.workshop)
    with pytest.raises(BenchUnavailableError, match=r"pcscd is not found\. Install the packages"):
        execute(plan, lab.workshop, run_id="r", command=(), emit=events.append)
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].interrupted
