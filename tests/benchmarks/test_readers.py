"""Sixteen slots at once, in process and through one pcscd, and what a further reader costs.

``BIFENTE_LOAD_SECONDS=60 ./run bench tests/benchmarks/test_readers.py`` keeps the eight clients at it for a minute.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.ground.clock import VirtualClock, WallClock
from bifente.simulator.cards.families import make_card
from bifente.simulator.iso7816.card import Card
from bifente.simulator.pcsc import EchoCard, PcscdError, PrivatePcscd
from bifente.simulator.readers import PcscService, Reader

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pcsc"))
from benchmark_tools import sized
from pcsc_load import load, shares

DAY = datetime(2026, 6, 1, tzinfo=UTC).date()
SELECT, READ = bytes.fromhex("00A4090C043F00D003"), bytes.fromhex("00B000000C")
EXCHANGES = sized(100_000, 10_000)
SECONDS = float(os.environ.get("BIFENTE_LOAD_SECONDS", sized(3000, 500) / 1000))


def say(capsys: pytest.CaptureFixture[str], what: str, figure: str) -> None:
    with capsys.disabled():
        print(f"\n  {what:58} {figure:>44}", end="")


@pytest.fixture(scope="module")
def cards() -> list[Any]:
    """Sixteen CPS with serials of their own, and what each answers to the reading of it."""
    workshop = Workshop.default()
    choices = [
        CardChoice.model_validate({"template": "medecin-generaliste", "card": {"serial": f"9911{number:04}"}})
        for number in range(16)
    ]
    made: list[Card] = [make_card(workshop.personalised(choice, DAY).image) for choice in choices]
    return [(card, _serial(card)) for card in made]


def _serial(card: Card) -> bytes:
    card.power_on()
    card.transmit(SELECT)
    return card.transmit(READ)


def readers(count: int, clock: VirtualClock | WallClock) -> list[Reader]:
    names = [f"OLAQIN 900480{number:02} TL VITALACT" for number in range(count)]
    return [Reader.of(name, [f"{name} 1 0", f"{name} 2 0"], clock) for name in names]


def test_sixteen_slots_in_process(cards: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    clock = VirtualClock()
    devices = readers(8, clock)
    slots = [slot for reader in devices for slot in reader.slots]
    for slot, (card, _serial) in zip(slots, cards, strict=True):
        slot.insert(card)
    context = PcscService(devices, clock).establish()
    handles = [context.connect(name) for name in context.readers()]
    assert len({serial for _card, serial in cards}) == 16
    wrong = 0
    started = time.perf_counter()
    for number in range(EXCHANGES // 2):
        at = number * 7 % 16
        handles[at].transmit(SELECT)
        wrong += handles[at].transmit(READ) != cards[at][1]
    took = time.perf_counter() - started
    for slot in slots:
        slot.remove()
    say(capsys, f"16 slots in process, {EXCHANGES:,} exchanges", f"{EXCHANGES / took:,.0f} a second, {wrong} mix-ups")
    assert not wrong


def test_sixteen_slots_through_pcscd(cards: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    devices = readers(8, WallClock())
    slots = [slot for reader in devices for slot in reader.slots]
    try:
        pcscd = PrivatePcscd.start(devices)
    except PcscdError as error:
        pytest.skip(str(error))
    with pcscd:
        for slot, (card, _serial) in zip(slots, cards, strict=True):
            slot.insert(card)
        assert all(bridge.wait_seen(5) for bridge in pcscd.bridges)
        marks = {name: serial.hex() for name, (_card, serial) in zip(pcscd.reader_names, cards, strict=True)}
        heard = load(pcscd.environment, shares(marks), SECONDS, before=SELECT.hex(), read=READ.hex())
        count = sum(client["count"] for client in heard)
        bad = [item for client in heard for item in client["wrong"] + client["refused"]]
        figure = f"{count:,} = {count / SECONDS:,.0f} a second, {len(bad)} mix-ups"
        say(capsys, f"8 readers, 16 cards, 8 clients, one pcscd, {SECONDS:g} s", figure)
        assert not bad
        assert not pcscd.defects
        assert pcscd.alive


def test_the_cost_of_a_further_reader(capsys: pytest.CaptureFixture[str]) -> None:
    def in_process(count: int) -> float:
        clock = VirtualClock()
        started = time.perf_counter()
        PcscService(readers(count, clock), clock).establish().readers()
        return time.perf_counter() - started

    def behind_pcscd(count: int) -> float:
        devices = readers(count, WallClock())
        for slot in (slot for reader in devices for slot in reader.slots):
            slot.insert(EchoCard())
        started = time.perf_counter()
        with PrivatePcscd.start(devices):
            return time.perf_counter() - started

    costs = {count: median(in_process(count) for _ in range(sized(50, 3))) for count in (8, 808)}
    say(capsys, "a further two-slot reader, in process", f"{(costs[808] - costs[8]) / 800 * 1e6:.1f} us")
    try:
        starts = {count: median(behind_pcscd(count) for _ in range(sized(5, 1))) for count in (1, 8)}
    except PcscdError as error:
        pytest.skip(str(error))
    figure = f"{(starts[8] - starts[1]) / 7 * 1e3:.1f} ms (1: {starts[1] * 1e3:.0f} ms, 8: {starts[8] * 1e3:.0f} ms)"
    say(capsys, "a further two-slot reader, at the start of pcscd", figure)
