"""How a program that is still there is ended: it is asked before it is said not to have ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.observation.observing import ProgramObservation
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.reports.verdict import Verdict
from bifente.simulator.pki.keystore import KeyStore

READY = "echo ready; "
DEAF = "trap '' TERM; "
WAITS = "while :; do sleep 0.05; done"


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    workshop = Workshop(KeyStore(tmp_path_factory.mktemp("keys")))
    with Standing(Wanted(profile="readers/generic-bislot", cards={}, workshop=workshop)) as standing:
        yield standing


def ended(standing: Standing, script: str, *, told: bool = False) -> tuple[int | None, dict[str, Verdict]]:
    """Its exit code, and what the rules say of a program that runs when the observation is closed."""
    with ProgramObservation(standing, patience=0.3) as observation:
        program = observation.start(["sh", "-c", script], piped=True)
        assert program.stdout.readline() == b"ready\n"
        if told:
            program.ask_to_end()
        code = program.end(0.3)
        observation.close()
        return code, {one.rule.name: one.verdict for one in observation.observed().verdicts}


def test_a_program_that_ends_when_it_is_asked_is_not_accused(standing: Standing) -> None:
    code, said = ended(standing, READY + WAITS)
    assert code == -15
    assert said["it-ends-when-told"] is Verdict.PASSED
    assert said["no-crash"] is Verdict.PASSED


def test_its_own_exit_code_is_kept(standing: Standing) -> None:
    code, said = ended(standing, "trap 'exit 7' TERM; " + READY + WAITS)
    assert code == 7
    assert said["it-ends-when-told"] is Verdict.PASSED


def test_one_that_is_deaf_to_it_is_accused(standing: Standing) -> None:
    code, said = ended(standing, DEAF + READY + WAITS)
    assert code is None
    assert said["it-ends-when-told"] is Verdict.FAILED


def test_one_that_was_told_otherwise_and_stays_is_accused_without_being_asked_again(standing: Standing) -> None:
    code, said = ended(standing, READY + WAITS, told=True)
    assert code is None
    assert said["it-ends-when-told"] is Verdict.FAILED
