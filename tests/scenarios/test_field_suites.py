"""Readers, Vitale, wireless, faults, care sheets: enough of them, mostly refusals, the same verdicts through PC/SC."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from typing import Any

import pytest
from selecting import only
from warm import warm

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.plan import PlannedScenario, PlannedStep
from bifente.reports.events import Event, ScenarioFinished, StepFinished
from bifente.reports.journal import read_journal
from bifente.reports.verdict import Verdict
from bifente.simulator.pcsc.discovery import find_installation
from bifente.simulator.pcsc.errors import PcscdError
from bifente.simulator.pcsc.private_pcscd import try_namespaces
from bifente.simulator.pcsc.services import ServiceKind

pytestmark = pytest.mark.long

TOPICS = ("readers", "vitale", "wireless", "faults", "fse")
LEAST = 120


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=tuple(default_paths()[0] / topic for topic in TOPICS)), workshop)


# -- enough of them, and mostly refusals -------------------------------------------------------------------------------

FINE: dict[str, set[str]] = {
    "code": {"0", "0000", "ok"},
    "http": {"200"},
    "outcome": {"accepted", "done"},
    "condition": {"ready"},
    "session": {"open"},
    "several-of-a-type": {"False"},
    "opposed": {"False"},
    "errors": {"0"},
}
"""What is observed when all is well, by the key of the expectation."""


def expects_a_refusal(step: PlannedStep) -> bool:
    """Whether a step can only pass if something is refused, lost or wrong."""
    expect = step.expect
    if "error" in expect:
        return True
    words = expect.get("sw", "9000")
    if not any(_fine(str(word).upper()) for word in (words if isinstance(words, list) else [words])):
        return True
    return any(_wrong(expect[key], fine) for key, fine in FINE.items() if key in expect)


def _fine(word: str) -> bool:
    return word.startswith(("9", "61", "6C", "$"))


def _wrong(expected: Any, fine: set[str]) -> bool:
    values = expected if isinstance(expected, list) else [expected]
    return not any(str(value) in fine or str(value).startswith("$") for value in values)


def written(plan: RunPlan) -> list[PlannedScenario]:
    """Each scenario once, however many rows its matrix has."""
    return [scenario for scenario in plan.scenarios if not scenario.generated]


def test_there_are_enough_and_most_expect_a_refusal(plan: RunPlan) -> None:
    once = written(plan)
    negative = [scenario for scenario in once if any(map(expects_a_refusal, scenario.steps))]
    print(f"{len(once)} written, {len(negative)} of them negative, {plan.generated} generated")
    assert len(once) + plan.generated == len(plan.scenarios)
    assert len(once) >= LEAST
    assert len(negative) > len(once) / 2
    for topic in TOPICS:
        assert any(scenario.suite.startswith(f"{topic}.") for scenario in once)


def test_each_cites_known_requirements_once(plan: RunPlan) -> None:
    catalogue = load_catalogue()
    for scenario in plan.scenarios:
        cited = scenario.model.requirements
        assert cited, scenario.id
        assert len(set(cited)) == len(cited), scenario.id
        assert all(requirement in catalogue for requirement in cited), scenario.id


# -- the same verdicts through PC/SC -----------------------------------------------------------------------------------

UNPLUGGED = "a reader behind PC/SC is neither plugged in nor out here"
CLOCK = "the clock of a reader behind PC/SC cannot be advanced"
SAMPLE: dict[str, str] = {
    "readers.galss/unknown-resource": "",
    "readers.galss/reader-lost-and-back": UNPLUGGED,
    "readers.hot-plug/service-stopped[readers/olaqin-vitalact]": (
        "the PC/SC service of a workstation is not stopped from here"
    ),
    "readers.life/one-slot-empties-the-other-works[readers/generic-bislot]": "",
    "readers.pin-pad/right-code": (
        "the reader has no PIN pad, or none that can be reached here: vpcd has no control channel"
    ),
    "readers.several/each-slot-is-told-apart": "",
    "readers.sharing/transaction-of-another[readers/generic-bislot]": "",
    "readers.slots/told-apart-by-atr[readers/generic-bislot]": "",
    "readers.speed/other-slot-at-real-speed": CLOCK,
    "readers.several/a-card-carried-to-the-other-reader": "",
    "readers.without-card/readers-are-listed": "",
    "vitale.apcv/forged-context": "",
    "vitale.card/holders-as-public-clients-read-them": "",
    "vitale.contrefacons/copy-is-not-read": "",
    "vitale.presence/wrong-code": "",
    "vitale.ssv-carte-ps/wrong-code[medecin-generaliste]": "",
    "vitale.ssv-droits/every-vitale-2-with-a-cps[medecin-generaliste,vitale/c2s]": "",
    "vitale.ssv-droits/every-vitale-without-a-cps[vitale/ald]": "",
    "vitale.ssv-erreurs/test-and-real[medecin-generaliste]": "",
    "vitale.ssv-galss/two-software-take-turns": "",
    "vitale.vitale-1/memory-by-words": "",
    "wireless.cloud/forged-bearers": "",
    "wireless.link/unpaired": "",
    "wireless.session/renewed-at-119-seconds": CLOCK,
    "wireless.session/closed-then-reopened": "",
    "faults.cards/reset-by-another": "",
    "faults.cards/mute-once": (
        "artefact of what shows the reader: vpcd cannot tell of a failed exchange, one byte stands for the answer"
    ),
    "faults.galss/file-broken[galss-name-missing]": "",
    "faults.readers/lost-and-back": (
        "artefact of what shows the reader: a vpcd reader cannot leave, its slots become empty"
    ),
    "fse.cheats/insured[ald]": "",
    "fse.prices/two-ccam-acts": "",
    "fse.returns/signed-by-the-body": "",
    "fse.securing/degraded-journey": "",
    "fse.securing/desynchronised-insured-first": "",
    "fse.securing/desynchronised-professional-first": "",
    "fse.securing/three-wrong-codes-block": "",
    "fse.securing/vitale-substituted[general-practitioner]": "",
    "fse.securing/vitale-withdrawn-before": "",
    "fse.series/unknown-resource-does-not-break-it[cps4]": "",
}
"""Of every suite at least one, and of every kind of difference; the reason is why pcscd gives another verdict."""

OWN: dict[str, str] = dict.fromkeys(SAMPLE, "") | {one: CLOCK for one, why in SAMPLE.items() if why == CLOCK}
"""Through the bench's own service only the time of the day is not the bench's."""

LEFT_OUT = {"vitale.ssv-library", "vitale.templates", "faults.matrix", "faults.wireless"} | {
    f"fse.{name}"
    for name in ("claims", "deadlines", "galss", "making", "payments", "professional", "sending", "signers", "wireless")
}
"""Suites whose steps others of the sample do as well, or that reach the cards no other way."""


@pytest.fixture
def chain() -> None:
    """A real pcscd, vpcd and pyscard, or a skip that says what is missing."""
    try:
        find_installation()
    except PcscdError as error:
        pytest.skip(f"needs a real pcscd: {error}")
    if (refused := try_namespaces()) is not None:
        pytest.skip(f"needs namespaces: {refused}")
    if importlib.util.find_spec("smartcard") is None:
        pytest.skip("needs pyscard: pip install bifente[pcsc]")


def outcomes(events: list[Event]) -> dict[str, ScenarioFinished]:
    return {event.scenario: event for event in events if isinstance(event, ScenarioFinished)}


def steps(events: list[Event], scenario: str) -> list[Verdict]:
    return [event.verdict for event in events if isinstance(event, StepFinished) and event.scenario == scenario]


@pytest.fixture(scope="module")
def chosen(plan: RunPlan) -> RunPlan:
    found = only(plan, *SAMPLE)
    assert {scenario.id for scenario in found.scenarios} == SAMPLE.keys()
    assert {scenario.suite for scenario in found.scenarios} >= {s.model.suite for s in plan.suites} - LEFT_OUT
    return found


@pytest.fixture(scope="module")
def inside(chosen: RunPlan, workshop: Workshop) -> list[Event]:
    """What is told of the sample in process."""
    told: list[Event] = []
    execute(chosen, workshop, run_id="20250101-000000-000000", command=(), emit=told.append)
    assert {one.verdict for one in outcomes(told).values()} == {Verdict.PASSED}
    return told


@pytest.mark.usefixtures("chain")
def test_through_pcscd_the_verdicts_are_the_same(chosen: RunPlan, inside: list[Event], tmp_path: Path) -> None:
    compare(chosen, inside, tmp_path, ServiceKind.PCSCD, SAMPLE)


def test_through_the_bench_s_own_service_the_verdicts_are_the_same(
    chosen: RunPlan, inside: list[Event], tmp_path: Path
) -> None:
    pytest.importorskip("smartcard", reason="needs pyscard: pip install bifente[pcsc]")
    compare(chosen, inside, tmp_path, ServiceKind.OWN, OWN)


@pytest.mark.parametrize(
    ("folders", "chosen"),
    [
        (
            ("vitale", "wireless"),
            ("vitale.presence/recognised-cards-open-the-coverage*", "wireless.cloud/four-functions"),
        ),
        (
            ("readers", "software"),
            (
                "readers.slots/two-cards-at-once[readers/kapelse-kap-link2]",
                "software.reference/reads-signs-and-leaves",
            ),
        ),
    ],
    ids=["the terminal", "somebody else's program"],
)
def test_who_looks_for_cards_finds_those_of_its_own_bench_alone(
    tmp_path: Path, folders: tuple[str, ...], chosen: tuple[str, ...]
) -> None:
    """Another reader with its cards was in use before: what a run of several profiles leaves behind."""
    pytest.importorskip("smartcard", reason="needs pyscard: pip install bifente[pcsc]")
    paths = [folder for folder in default_paths(TargetKind.PCSC) if folder.name in folders]
    select = [word for one in chosen for word in ("--select", one)]
    done = subprocess.run(
        [*warm(), "run", *paths, "--target", "pcsc", "--out", tmp_path / "run", *select],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = outcomes(list(read_journal(tmp_path / "run" / "journal.jsonl").events))
    assert len({name.partition("/")[0] for name in told}) == 2
    assert all(one.verdict is Verdict.PASSED for one in told.values())


def compare(chosen: RunPlan, inside: list[Event], tmp_path: Path, service: ServiceKind, wanted: dict[str, str]) -> None:
    """In process and through a service; ``wanted`` is why a verdict is not the same, by scenario."""
    files = dict.fromkeys(scenario.document.path for scenario in chosen.scenarios)
    # A process of its own: the PC/SC library asks once in its life where its service is.
    select = [word for scenario in SAMPLE for word in ("--select", scenario)]
    options = ("--target", "pcsc", "--service", service.value, "--out", tmp_path / "run", *select)
    done = subprocess.run(
        [*warm(), "run", *files, *options],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    through = list(read_journal(tmp_path / "run" / "journal.jsonl").events)
    for identifier, outcome in outcomes(through).items():
        told = outcome.reason.en if outcome.reason else ""
        assert told == wanted[identifier], identifier
        if not told:
            assert outcome.verdict is Verdict.PASSED, identifier
            assert steps(through, identifier) == steps(inside, identifier), identifier
        elif told.startswith("artefact"):
            assert outcome.verdict is Verdict.PASSED_WITH_REMARK, identifier
        else:
            assert outcome.verdict is Verdict.NOT_RUN, identifier
    assert outcomes(through).keys() == SAMPLE.keys()
