"""The SSV steps on readers that are not ours: they read, and no code but the card's own ever reaches it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from conformance_bench import Lab, Ran, scenario_text, suite_text, write

from bifente.conformance.bench.real import RealBench
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.scenario.loader import load_suite
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.conformance.targets.facets import Facets
from bifente.ground.clock import WallClock
from bifente.reports.verdict import Verdict
from bifente.simulator.readers import Reader, Slot
from bifente.simulator.readers.reader import ReaderIdentity

CPS, VITALE = "Somebody's Reader 00 00", "Somebody else's Reader 01 00"


class Outside(EmbeddedTarget):
    """A target whose cards are not ours."""

    facets = Facets()


@pytest.fixture
def slots(lab: Lab) -> tuple[Slot, Slot]:
    clock = WallClock()
    reader = Reader.of("Somebody's", [CPS, VITALE], clock)
    for slot, template in zip(reader.slots, ("medecin-generaliste", "vitale/famille-trois"), strict=True):
        slot.insert(lab.workshop.make(CardChoice(template=template), Random(1), at=clock.now()).card)
    return reader.slots[0], reader.slots[1]


def run(lab: Lab, slots: tuple[Slot, Slot], folder: Path, body: str) -> Ran:
    class Device:
        name = "Somebody's"
        parts = ()
        pin_pad = None
        identity = ReaderIdentity()

    device = Device()
    device.slots = slots  # type: ignore[attr-defined]
    options = RunOptions(paths=(), readers={"cps": CPS}, real_cards={"cps": "medecin-generaliste"})
    bench = RealBench({"cps": CPS}, options, lab.workshop, Outside([device]), None)  # type: ignore[list-item]
    ran = Ran()
    (plan,) = load_suite(write(folder, suite_text(scenario_text(body))), load_catalogue()).scenarios
    ran.verdicts["only"] = run_scenario(plan, bench, seed=1, command=(), emit=ran.events.append)
    return ran


def tries(slot: Slot) -> int:
    return int(slot.card.state().secrets["pin"].tries_left)  # type: ignore[union-attr]


def test_the_professional_s_card_is_read(lab: Lab, slots: tuple[Slot, Slot], tmp_path: Path) -> None:
    ran = run(
        lab,
        slots,
        tmp_path,
        "steps:\n  - init-lib\n  - lire-carte-ps: $card.code\n    expect: {groups: [1, 2, 2, 2]}",
    )
    assert ran.verdict is Verdict.PASSED, ran.told()


def test_a_code_that_is_not_the_card_s_is_not_presented(lab: Lab, slots: tuple[Slot, Slot], tmp_path: Path) -> None:
    for step in ("lire-carte-ps", "lire-droits-vitale"):
        ran = run(lab, slots, tmp_path, f"steps:\n  - init-lib\n  - {step}: '0000'\n    expect: {{code: F003}}")
        assert ran.verdict is Verdict.NOT_RUN
        assert "is not presented to a real card" in ran.reason
        assert tries(slots[0]) == 3


def test_the_recognition_of_two_real_cards_is_not_tried(lab: Lab, slots: tuple[Slot, Slot], tmp_path: Path) -> None:
    """EXTERNAL AUTHENTICATE may use up a try of a real Vitale: nobody knows, so the guard keeps it from the card."""
    body = """
    steps:
      - init-lib
      - lire-config:
        expect: {groups: {count: {67: 2}}}
      - lire-droits-vitale: $card.code
    """
    told = run(lab, slots, tmp_path, body)
    assert told.step_verdicts == ["passed", "passed", "not-run"]
    assert "might change the card" in told.reason


def test_a_second_professional_s_card_in_another_reader_gets_no_code_at_all(
    lab: Lab, slots: tuple[Slot, Slot], tmp_path: Path
) -> None:
    slots[1].remove()
    slots[1].insert(lab.workshop.make(CardChoice(template="infirmier"), Random(1), at=WallClock().now()).card)
    ran = run(lab, slots, tmp_path, "steps:\n  - init-lib\n  - lire-carte-ps: $card.code\n    expect: {code: FFFF}")
    assert ran.verdict is Verdict.PASSED, ran.told()
    assert (tries(slots[0]), tries(slots[1])) == (3, 3)
