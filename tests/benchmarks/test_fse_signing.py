"""Sheets signed a second by both cards, in process and through PC/SC: cards, way and ours apart.

One table, printed. The cards are virtual, so theirs is the time of a processor: a real card takes longer, and its
share alone grows. Asserted are what does not belong to the machine: the commands of a sheet, and what our own code
costs beside two bare RSA signatures of the same run, which is what the cryptography of one sheet comes to.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import pytest
from benchmark_tools import TimedCard, behind_pcscd, sized
from securing_bench import AT, CPS4_DOCTOR, DOCTOR, PIN, anchors, card_of, cps_data, sheet_of_cards, vitale_data
from store_bench import cps, vitale

from bifente.conformance.bench.recording import RecordedAccess
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.model import Invoice, SecuredInvoice
from bifente.simulator.formats.fse.securing.verifying import verify
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.readers import Reader, ReaderAccess
from bifente.simulator.software.billing.securing.desk import SecuringDesk

ALONE, BATCH, TURNS = sized(10, 5), 25, sized(3, 2)
FAMILIES = {"CPS3": DOCTOR, "CPS4": CPS4_DOCTOR}
COMMANDS = {"CPS3": (75, 9.7), "CPS4": (66, 6.5)}
"""Commands to both cards for one sheet: signed alone, and in a batch of 25 whose cards are met and read once.

A CPS3 is told the folder of its key before it uses it: once to sign, once to prove itself to the Vitale.
"""
OURS = 25
"""What our own code costs a sheet at most, in bare pairs of signatures."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one sheet: its commands, and seconds in all, inside the cards, and on the way to them and back."""

    commands: float
    seconds: float
    card: float
    way: float

    @property
    def ours(self) -> float:
        return self.seconds - self.card - self.way

    def __str__(self) -> str:
        return (
            f"{1 / self.seconds:6.1f} a second ({self.commands:4.1f} commands): {self.seconds * 1000:6.2f} ms each = "
            f"cards {self.card * 1000:6.2f} + way {self.way * 1000:6.2f} + ours {self.ours * 1000:6.2f}"
        )


class Office:
    """Both cards behind one way to reach them, all that passes being timed."""

    def __init__(self, access: ReaderAccess, clock: VirtualClock, cards: tuple[TimedCard, TimedCard]) -> None:
        self.cards = cards
        self.spent = 0.0
        recorded = RecordedAccess(lambda: access, dict, lambda _, exchanged: self._told(exchanged.seconds))
        self.desk = SecuringDesk(FullPcsc(recorded, clock), clock, anchors=anchors().insured)

    def _told(self, seconds: float) -> None:
        self.spent += seconds

    def cost(self, work: Callable[[], tuple[SecuredInvoice, ...]]) -> Cost:
        """Of one sheet of those that ``work`` gives: the best turn, and every sheet of it sound."""
        found = []
        for _ in range(TURNS):
            self.spent = 0.0
            for card in self.cards:
                card.count, card.seconds = 0, 0.0
            start = time.perf_counter()
            signed = work()
            seconds = time.perf_counter() - start
            inside = sum(card.seconds for card in self.cards)
            commands = sum(card.count for card in self.cards)
            parts = (commands, seconds, inside, self.spent - inside)
            found.append(Cost(*(part / len(signed) for part in parts)))
            assert all(not verify(sheet, AT, anchors(), ()) for sheet in signed)
        return min(found, key=lambda cost: cost.seconds)

    def alone(self, sheets: list[Invoice]) -> Cost:
        return self.cost(lambda: tuple(self.desk.secure(sheet, PIN) for sheet in sheets[:ALONE]))

    def batch(self, sheets: list[Invoice]) -> Cost:
        def work() -> tuple[SecuredInvoice, ...]:
            done = self.desk.secure_all(sheets, PIN)
            assert done.refusal is None
            assert len(done.done) == len(sheets)
            return done.done

        return self.cost(work)


def bare_pair(content: bytes) -> float:
    """Seconds of two RSA signatures of a content by the library, without any card."""
    found = []
    for _ in range(20):
        start = time.perf_counter()
        for card in (cps(), vitale()):
            card.sign(content)
        found.append(time.perf_counter() - start)
    return median(found)


@pytest.mark.parametrize("family", FAMILIES)
def test_sheets_signed_a_second(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    template, options = FAMILIES[family]
    doctor, insured = cps_data(template, **options), vitale_data()
    clock = VirtualClock(AT)
    sheets = [sheet_of_cards(doctor, insured, number=number, on=AT.date()) for number in range(1, BATCH + 1)]

    def office(reader: Reader, access: ReaderAccess) -> Office:
        cards = TimedCard(card_of(doctor)), TimedCard(card_of(insured))
        for slot, card in zip(reader.slots, cards, strict=True):
            slot.insert(card)
        return Office(access, clock, cards)

    reader = Reader.of("Benchmark", ["one", "two"], clock)
    inside = office(reader, EmbeddedTarget([reader], clock))
    found = {"alone, in process": inside.alone(sheets), "batch, in process": inside.batch(sheets)}
    reader = Reader.of("Benchmark", ["one", "two"], clock)
    with behind_pcscd(reader) as (target, names):
        through = office(reader, target)
        for name in names:
            assert target.wait(name, present=True, timeout=3)
        found |= {"alone, PC/SC": through.alone(sheets), "batch, PC/SC": through.batch(sheets)}
    bare = bare_pair(canonical(sheets[0]))

    with capsys.disabled():
        print(f"\n  FSE signed by {family} and Vitale (two bare signatures: {bare * 1000:.2f} ms)")
        for name, cost in found.items():
            print(f"    {name:18} {cost}")
    for name, cost in found.items():
        assert round(cost.commands, 1) == COMMANDS[family]["batch" in name], name
        assert cost.ours < OURS * bare, name
