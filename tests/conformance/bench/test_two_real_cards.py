"""A suite of two cards on readers that are not the bench's own, both slots: guarded, and refused where they must be."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from conformance_bench import Lab, Ran, write
from conformance_cli import Said, apart
from warm import warm

from bifente.conformance.bench.real import RealBench
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.scenario.loader import load_suite
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.conformance.targets.facets import Facets
from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.reports.verdict import Verdict
from bifente.simulator.readers import Reader, Slot

READERS = {"cps": "Somebody's Reader 00 00", "vitale": "Somebody's Reader 00 01"}
TEMPLATES = {"cps": "medecin-generaliste", "vitale": "vitale/assure-seul"}
SUITE = """
suite: real.two-cards
title: {fr: Deux cartes, en: Two cards}
fidelity: observed
bench:
  cards: {cps: medecin-generaliste, vitale: vitale/assure-seul}
scenarios:
  - id: both-are-read
    title: {fr: Les deux se lisent, en: Both are read}
    requirements: [SEED-READER-08]
    steps:
      - verify-code: $cards.cps.code
      - read: CPS_ACTIVITY_01_PS
        expect: {sector: $card.activities.1.sector}
      - read-vitale-file: {sfi: 2, application: root}
        slot: vitale
        expect: {holders: $cards.vitale.names}
  - id: rights-take-both
    title: {fr: Les droits se lisent par les deux cartes, en: Rights are read with both cards}
    requirements: [SEED-READER-08]
    destructive: true
    steps:
      - init-lib:
      - lire-droits-vitale: $card.code
        expect: {groups: {present: [101]}}
  - id: nothing-is-tried-on-a-vitale
    title: {fr: Rien n'est essayé sur une Vitale, en: Nothing is tried on a Vitale}
    requirements: [SEED-READER-08]
    steps:
      - init-lib:
      - lire-droits-vitale: $card.code
"""


class Outside(EmbeddedTarget):
    """A target whose cards are not ours."""

    facets = Facets()


@pytest.fixture
def reader(lab: Lab) -> Reader:
    clock = WallClock()
    reader = Reader.of("Somebody's Reader", list(READERS.values()), clock)
    for slot, template in zip(reader.slots, TEMPLATES.values(), strict=True):
        slot.insert(lab.workshop.make(CardChoice(template=template), Random(1), at=clock.now()).card)
    return reader


def run(lab: Lab, reader: Reader, folder: Path, **options: object) -> Ran:
    chosen = RunOptions(paths=(), readers=READERS, real_cards=TEMPLATES, **options)  # type: ignore[arg-type]
    bench = RealBench(READERS, chosen, lab.workshop, Outside([reader]), None)
    ran = Ran()
    for plan in load_suite(write(folder, SUITE), load_catalogue()).scenarios:
        ran.verdicts[plan.id.partition("/")[2]] = run_scenario(plan, bench, seed=1, command=(), emit=ran.events.append)
    return ran


def test_what_harms_neither_card_runs_and_the_rest_does_not(lab: Lab, reader: Reader, tmp_path: Path) -> None:
    ran = run(lab, reader, tmp_path)
    assert ran.verdicts == {
        "both-are-read": Verdict.PASSED,
        "rights-take-both": Verdict.NOT_RUN,
        "nothing-is-tried-on-a-vitale": Verdict.NOT_RUN,
    }, ran.told()


def test_with_permission_the_cards_recognise_each_other(lab: Lab, reader: Reader, tmp_path: Path) -> None:
    ran = run(lab, reader, tmp_path, allow_destructive=True)
    assert ran.verdicts["rights-take-both"] is Verdict.PASSED, ran.told()
    # Permission is given to the scenario that asks for it, and to no other.
    assert ran.verdicts["nothing-is-tried-on-a-vitale"] is Verdict.NOT_RUN


def test_cards_in_each_other_s_slot_are_not_what_the_scenario_speaks_of(
    lab: Lab, reader: Reader, tmp_path: Path
) -> None:
    one, other = (slot.remove() for slot in reader.slots)
    reader.slots[0].insert(other)
    reader.slots[1].insert(one)
    ran = run(lab, reader, tmp_path, allow_destructive=True)
    assert set(ran.verdicts.values()) == {Verdict.NOT_RUN}
    assert ran.reason == "the scenario is for a CPS3, the card is a VITALE2"


def test_a_vitale_that_says_nothing_of_itself_is_refused(lab: Lab, reader: Reader, tmp_path: Path) -> None:
    atr = reader.slots[1].card.atr  # type: ignore[union-attr]
    reader.slots[1].replace(Mute(atr))  # type: ignore[arg-type]
    ran = run(lab, reader, tmp_path)
    assert set(ran.verdicts.values()) == {Verdict.NOT_RUN}
    assert "card ? is not recognised as a test card" in ran.reason


def test_a_vitale_without_a_test_mark_is_refused_unless_asked_for_by_its_number(
    lab: Lab, reader: Reader, tmp_path: Path
) -> None:
    reader.slots[1].remove()
    real = CardChoice(template="vitale/marquee-reelle")
    reader.slots[1].insert(lab.workshop.make(real, Random(1), at=WallClock().now()).card)
    ran = run(lab, reader, tmp_path, allow_destructive=True)
    assert set(ran.verdicts.values()) == {Verdict.NOT_RUN}
    assert "card 999000014 is not recognised as a test card (type of Vitale card: R)" in ran.reason
    ran = run(lab, reader, tmp_path, allow_destructive=True, production_card="999000014")
    # Asked for, it is met; a CPS of test does not open its rights.
    assert ran.verdicts["rights-take-both"] is Verdict.FAILED
    assert "F026 test-and-real" in ran.told()


class Mute:
    """A card that answers nothing but a refusal."""

    def __init__(self, atr: bytes) -> None:
        self.atr = atr

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None: ...

    def reset(self, *, warm: bool = True) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        return b"\x6d\x00"


def test_the_operator_hears_which_card_and_which_slot(lab: Lab, reader: Reader, tmp_path: Path) -> None:
    asked: list[str] = []
    slot: Slot = reader.slots[1]

    def hand(what: Text) -> None:
        asked.append(what.fr)
        slot.remove()

    chosen = RunOptions(paths=(), readers=READERS, real_cards=TEMPLATES, operator=True)
    bench = RealBench(READERS, chosen, lab.workshop, Outside([reader]), hand)
    bench.seat({role: CardChoice(template=name) for role, name in TEMPLATES.items()}, Random(1), destructive=False)
    bench.remove("vitale")
    assert asked == ["retirez la Vitale de la fente vitale"]


@pytest.mark.usefixtures("_chain")
def test_virtual_cards_met_as_real_ones_in_both_slots(tmp_path: Path) -> None:
    """``bifente exec -- bifente run --reader``: the inner one knows nothing of whose cards it meets."""
    path = write(tmp_path, SUITE)
    readers = [
        part
        for slot, number in (("cps", "00"), ("vitale", "01"))
        for part in ("--reader", f"{slot}=Bifente Bi-Slot Reader 00 {number}", "--card", f"{slot}={TEMPLATES[slot]}")
    ]
    cards = [part for slot, name in TEMPLATES.items() for part in ("--card", f"{slot}={name}")]
    inner: tuple[str | Path, ...] = (
        "run",
        path,
        *readers,
        "--lang",
        "en",
        "--out",
        tmp_path / "run",
        "--allow-destructive",
    )
    said: Said = apart("exec", *cards, "--", *warm(), *inner, cwd=tmp_path)
    text = said.ok()
    assert "✓ passed  real.two-cards/both-are-read" in text
    assert "✓ passed  real.two-cards/rights-take-both" in text
