"""The reference program: every planted fault is found under the name of its rule, and nothing where it behaves."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.channel.orders import ChannelOrders
from bifente.conformance.observation.driver import Driver, DriverError
from bifente.conformance.observation.observing import ProgramObservation
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.reports.verdict import Verdict
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.software.reference.desk import FAULTS

CARDS = {"cps": "medecin-generaliste", "vitale": "vitale/ald"}
CODE, WRONG = "1234", "0000"
PROGRAM = [sys.executable, "-P", "-m", "bifente.simulator.software.reference"]

Step = tuple[str, str, Mapping[str, Any]]


def do(action: str, **given: str) -> Step:
    return ("do", action, given)


def world(order: str, **given: str) -> Step:
    return ("world", order, given)


READ, IDLE, SIGN = do("read"), do("idle"), do("sign")
LOGIN, MISTYPE = do("login", code=CODE), do("login", code=WRONG)
FAILING = world("inject", fault="intermittent-read", slot="cps", times="always")

PLANTED: Mapping[str, tuple[str, Sequence[Step]]] = {
    "repeats-refused-code": ("no-code-again-after-a-refusal", [READ, MISTYPE]),
    "replays-code": ("one-verify-for-one-entry", [READ, LOGIN]),
    "hides-last-try": ("tries-told-before-the-last", [READ, MISTYPE, MISTYPE, LOGIN]),
    "code-to-blocked-card": (
        "no-code-to-a-blocked-card",
        [world("inject", fault="code-blocked", slot="cps"), READ, LOGIN, LOGIN],
    ),
    "code-to-unknown-card": ("no-code-to-an-unknown-card", [LOGIN]),
    "goes-on-after-refusal": ("a-refused-code-ends-the-action", [READ, do("login-and-sign", code=WRONG)]),
    "silent-refusal": ("a-refusal-is-told", [READ, MISTYPE]),
    "exclusive-idle": ("no-idle-exclusive-connection", [READ, IDLE]),
    "idle-transaction": ("no-idle-transaction", [READ, IDLE]),
    "transaction-left": ("transactions-are-released", [READ]),
    "storms-busy-card": ("no-storm-on-a-busy-card", [world("inject", fault="exclusivity-held", slot="cps"), READ]),
    "no-logout": ("logged-out-at-the-end", [READ, LOGIN]),
    "ignores-6c": ("wrong-length-is-corrected", [READ]),
    "ignores-61": ("waiting-data-are-fetched", [READ, LOGIN, SIGN]),
    "ignores-silence": (
        "silence-is-no-success",
        [READ, LOGIN, world("inject", fault="intermittent-read", slot="cps", times="1"), SIGN],
    ),
    "storms-mute-card": ("no-storm-on-a-mute-card", [FAILING, READ]),
    "polls-empty-reader": ("no-storm-on-an-empty-reader", [world("remove", slot="cps"), READ]),
    "speaks-to-gone-card": ("a-card-that-has-gone-is-left", [READ, world("remove", slot="cps"), LOGIN]),
    "ignores-selection": ("a-refused-selection-is-heeded", [READ]),
    "crashes": ("no-crash", [FAILING, READ]),
    "does-not-end": ("it-ends-when-told", [READ]),
    "changed-card-not-met": (
        "a-changed-card-is-met-anew",
        [READ, LOGIN, world("put", slot="cps", template="pharmacien"), LOGIN],
    ),
    "identity-not-read-again": (
        "whose-card-it-is-is-read-again",
        [READ, LOGIN, world("put", slot="cps", template="pharmacien"), LOGIN, SIGN],
    ),
    "signs-unread": ("a-card-is-read-before-it-signs", [LOGIN, SIGN]),
    "swapped-patient": (
        "nothing-for-a-patient-whose-card-was-swapped",
        [READ, LOGIN, world("put", slot="vitale", template="vitale/famille-trois"), SIGN],
    ),
    "code-in-arguments": ("no-code-in-arguments", [READ, LOGIN]),
    "code-in-environment": ("no-code-in-environment", [READ, LOGIN]),
    "code-in-output": ("no-code-in-output", [READ, LOGIN]),
    "code-in-file": ("no-code-in-file", [READ, LOGIN]),
}


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    cards = {role: CardChoice(template=template) for role, template in CARDS.items()}
    workshop = Workshop(KeyStore())
    with Standing(Wanted(profile="readers/generic-bislot", cards=cards, workshop=workshop)) as stood:
        yield stood


def broken(standing: Standing, steps: Sequence[Step], faults: Sequence[str] = ()) -> dict[str, Sequence[str]]:
    """What the program is found to do wrong: each rule and what was said of it."""
    orders = ChannelOrders(standing)
    orders.carry_out("clear", {})
    for role, template in CARDS.items():
        orders.carry_out("put", {"slot": role, "template": template})
    with ProgramObservation(standing, patience=0.5 if "does-not-end" in faults else 10) as observation:
        driver = Driver(observation, [*PROGRAM, *(word for one in faults for word in ("--fault", one)), "--driver"])
        try:
            driver.start()
            for kind, name, given in steps:
                if kind == "world":
                    orders.carry_out(name, given)
                else:
                    driver.do(name, **given)
        except DriverError:
            assert "crashes" in faults
        driver.stop()
        observation.close()
        found = observation.observed().verdicts
    return {
        one.rule.name: [breach.said.en for breach in one.breaches or ()]
        for one in found
        if one.verdict is Verdict.FAILED
    }


def test_every_fault_is_planted_here() -> None:
    assert PLANTED.keys() == set(FAULTS)
    assert len(FAULTS) >= 25
    assert len({rule for rule, _steps in PLANTED.values()}) == len(FAULTS)


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found_by_name(standing: Standing, fault: str) -> None:
    rule, steps = PLANTED[fault]
    assert rule in broken(standing, steps, [fault])


@pytest.mark.parametrize("fault", PLANTED)
def test_without_its_fault_the_program_breaks_no_rule(standing: Standing, fault: str) -> None:
    _rule, steps = PLANTED[fault]
    assert broken(standing, steps) == {}
