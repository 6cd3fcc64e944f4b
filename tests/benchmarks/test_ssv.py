"""What LireDroitsVitale costs, for one beneficiary and for nineteen, in process and through PC/SC beside an echo card.

One table, printed. Only the counts of commands are asserted, since they are the same on any machine; the echo card,
measured in the same run, tells what so many commands through PC/SC cost by themselves.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from statistics import median

import pytest
from benchmark_tools import TimedCard, behind_pcscd, listener

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.ground.clock import Clock, WallClock
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.pcsc import EchoCard
from bifente.simulator.readers import Reader, ReaderAccess

REPEATS = 25
CASES = {"1 beneficiary": "vitale/assure-seul", "19 beneficiaries": "vitale/dix-neuf-beneficiaires"}
# Commands to the CPS and to the Vitale in one call: application, identity, code, billing, certificate, folder of the
# key, signature on one side; application, rights, certificate of the CPS, challenge, proof, own certificate and proof,
# coverage on the other.
COMMANDS = {"1 beneficiary": (28, 25), "19 beneficiaries": (28, 34)}
PIN = "1234"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call: commands to each card, seconds, bytes of its zone."""

    commands: tuple[int, int]
    seconds: float
    zone: int


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    return Workshop.default()


def card(workshop: Workshop, template: str) -> TimedCard:
    choice = CardChoice(template=template)
    return TimedCard(workshop.make(choice, Random(1), at=WallClock().now()).card)


def cost(access: ReaderAccess, clock: Clock, cps: TimedCard, vitale: TimedCard) -> Cost:
    library = Ssv(FullPcsc(access, clock), clock)
    assert library.init_lib().code == 0
    day = f"{clock.now():%Y%m%d}"
    seconds, zone = [], b""
    for _ in range(REPEATS):
        cps.count = vitale.count = 0
        start = time.perf_counter()
        answer = library.lire_droits_vitale("CPS", "Log_SV", PIN, day)
        seconds.append(time.perf_counter() - start)
        assert answer.code == 0, answer.detail
        zone = answer.zone
    return Cost((cps.count, vitale.count), median(seconds), len(zone))


@pytest.mark.parametrize("case", CASES)
def test_reading_rights(case: str, workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    clock = WallClock()
    cps, vitale = card(workshop, "medecin-generaliste"), card(workshop, CASES[case])
    slots = Reader.of("Benchmark", ["one", "two"], clock)
    for slot, inserted in zip(slots.slots, (cps, vitale), strict=True):
        slot.insert(inserted)
    inside = cost(EmbeddedTarget([slots], clock), clock, cps, vitale)

    cps, vitale = card(workshop, "medecin-generaliste"), card(workshop, CASES[case])
    reader = Reader.of("Benchmark", ["echo", "one", "two"], clock)
    with behind_pcscd(reader) as (target, names):
        for slot, one in zip(reader.slots, (EchoCard(), cps, vitale), strict=True):
            slot.insert(one)  # type: ignore[arg-type]
        for name in names:
            assert target.wait(name, present=True, timeout=3)
        echo = target.connect(names[0])
        spent: list[float] = []
        listen = listener(echo.transmit, spent)
        listen()
        through = cost(target, clock, cps, vitale)
        listen()
        echo.disconnect()

    assert inside.commands == through.commands == COMMANDS[case]
    assert inside.zone == through.zone
    count, one = sum(through.commands), median(spent)
    with capsys.disabled():
        print(
            f"\n  LireDroitsVitale, {case:17} {count} commands, zone of {inside.zone:5,} bytes: "
            f"{inside.seconds * 1000:6.2f} ms in process, {through.seconds * 1000:6.2f} ms through PC/SC "
            f"({count} echoes: {count * one * 1000:6.2f} ms)",
            end="",
        )
