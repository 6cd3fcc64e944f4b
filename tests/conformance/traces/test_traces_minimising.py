"""The least that still fails: found, written as a scenario, and the scenario is right about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.loading import InputError
from bifente.conformance.options import RunOptions
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.traces.host import Replayer
from bifente.conformance.traces.minimising import last_failure, minimise, scenario_of
from bifente.conformance.traces.seen import SeenApdu
from bifente.reports.verdict import Verdict

CARDS = {"cps": "medecin-generaliste"}
PROFILE = "readers/generic-bislot"
APPLICATION = ("00A40404088025000001FF0100", "9000")
STATUS = ("0020000100", "63C3")
NOISE = [STATUS, ("00A4000002FFFF", "6A82"), ("0084000008", "0102030405060708" + "9000")]
CODE = ("0020000104••••••••", "9000")


def seen(*exchanges: tuple[str, str]) -> list[SeenApdu]:
    return [SeenApdu(command, response, place) for place, (command, response) in enumerate(exchanges, 1)]


def replayer(exchanges: Sequence[SeenApdu], workshop: Workshop, *faults: str) -> Replayer:
    return Replayer(
        exchanges,
        cards=CARDS,
        profile=PROFILE,
        workshop=workshop,
        options=RunOptions(paths=()),
        faults=faults,
    )


def test_what_fails_by_itself_is_left_alone(workshop: Workshop, tmp_path: Path) -> None:
    exchanges = seen(APPLICATION, *NOISE * 8, ("00D6000001AA", "6D00"), STATUS)
    with replayer(exchanges, workshop) as sending:
        # Whatever this card says to it, the trace says the same.
        said = sending.send(sending.steps[-2:-1]).sent[0].response
        exchanges[-2] = SeenApdu("00D6000001AA", said, 0)
        reduction = minimise(exchanges, sending, len(exchanges) - 2)
    assert [step.number for step in reduction.steps] == [len(exchanges) - 2]
    assert reduction.runs < 5
    assert run(scenario_of(reduction, cards=CARDS, profile=PROFILE), workshop, tmp_path) is Verdict.PASSED


def test_a_fault_of_the_session_and_what_it_needs_are_kept(workshop: Workshop, tmp_path: Path) -> None:
    exchanges = seen(APPLICATION, *NOISE * 5, STATUS, *NOISE[1:] * 5, ("0020000104••••••••", "6F00"))
    faults = ("{fault: wrong-status-word, at: verify, command: 7}", "slow-line")
    with replayer(exchanges, workshop, *faults) as sending:
        reduction = minimise(exchanges, sending, len(exchanges) - 1)
    # The seventh VERIFY fails: six before it, and none of the thirty others.
    assert len(reduction.steps) == 7
    assert {exchanges[step.number].command for step in reduction.steps[:-1]} == {STATUS[0]}
    assert list(reduction.faults) == [faults[0]]
    text = scenario_of(reduction, cards=CARDS, profile=PROFILE)
    assert run(text, workshop, tmp_path) is Verdict.PASSED
    # Without the fault, or with one command less, it is not seen again: the scenario can fail.
    assert run(text.replace(f"      - inject-fault: {faults[0]}\n", ""), workshop, tmp_path) is Verdict.FAILED
    lines = text.splitlines(True)
    first = next(at for at, line in enumerate(lines) if "transmit" in line)
    assert run("".join(lines[:first] + lines[first + 2 :]), workshop, tmp_path) is Verdict.FAILED


def test_a_code_that_is_needed_is_kept_and_stays_unknown(workshop: Workshop, tmp_path: Path) -> None:
    exchanges = seen(APPLICATION, *NOISE * 3, CODE, *NOISE[1:] * 3, ("0020000100", "9000"))
    with replayer(exchanges, workshop) as sending:
        reduction = minimise(exchanges, sending, len(exchanges) - 1)
    assert [step.line for step in reduction.steps] == ["verify-code: {code: $card.code}", 'transmit: "0020000100"']
    assert run(scenario_of(reduction, cards=CARDS, profile=PROFILE), workshop, tmp_path) is Verdict.PASSED


def test_a_card_that_falls_silent_is_shrunk_too(workshop: Workshop, tmp_path: Path) -> None:
    exchanges = seen(APPLICATION, *NOISE * 3, STATUS, ("0084000008", ""))
    with replayer(exchanges, workshop, "{fault: card-mute, command: 12}") as sending:
        reduction = minimise(exchanges, sending, len(exchanges) - 1)
    # The twelfth command finds it mute: none can be left out.
    assert len(reduction.steps) == 12
    text = scenario_of(reduction, cards=CARDS, profile=PROFILE)
    assert "error: " in text
    assert run(text, workshop, tmp_path) is Verdict.PASSED


def test_what_does_not_fail_here_is_not_shrunk(workshop: Workshop) -> None:
    exchanges = seen(APPLICATION, ("0020000100", "6F42"))
    with replayer(exchanges, workshop) as sending, pytest.raises(InputError, match="not to be seen again") as refused:
        minimise(exchanges, sending, 1)
    assert "--inject" in refused.value.problems[0].cure


def test_what_is_not_sent_again_cannot_be_shrunk(workshop: Workshop) -> None:
    exchanges = seen(APPLICATION, ("0024000108" + 8 * "••", "6F00"))
    with replayer(exchanges, workshop) as sending, pytest.raises(InputError, match="not sent again"):
        minimise(exchanges, sending, 1)


@pytest.mark.parametrize(
    ("exchanges", "number"),
    [
        ([STATUS, ("00B0000000", "6982"), STATUS, ("00A4000002FFFF", "6A82")], 1),
        ([("0020000104••••••••", "63C2"), ("00B0000000", "6C10")], 0),
        ([("00B0000000", ""), STATUS], 0),
        ([STATUS, APPLICATION], None),
        ([], None),
    ],
)
def test_the_last_exchange_that_fails_is_found(exchanges: list[tuple[str, str]], number: int | None) -> None:
    assert last_failure(seen(*exchanges)) == number


def run(text: str, workshop: Workshop, folder: Path) -> Verdict:
    path = folder / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    plan = prepare(RunOptions(paths=(path,)), workshop)
    [verdict] = execute(plan, workshop, run_id="test", command=(), emit=lambda event: None)
    return verdict
