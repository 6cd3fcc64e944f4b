"""A reader belongs to one workstation, or to one session of a terminal server: nobody else sees or reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pcsc_tools import PATIENCE, Client, ScriptedCard, new_reader

from bifente.simulator.pcsc import PrivatePcscd
from bifente.simulator.pcsc.detectors import listening
from bifente.simulator.pcsc.discovery import Installation
from bifente.simulator.pcsc.readerconf import FIRST_PORT
from bifente.simulator.readers import PcscCode, Reader

COMMAND = "00B0000001AA"
A, B = "Counter A 00 00", "Counter B 00 00"


class Workstation:
    """A reader with a card, the service of this workstation alone, and a software that runs on it."""

    def __init__(self, name: str, installation: Installation) -> None:
        self.reader: Reader = new_reader(name)
        self.reader.slots[0].insert(ScriptedCard(name[-1].encode()))
        self.pcscd = PrivatePcscd.start([self.reader], installation=installation)
        self.client = Client(self.pcscd.environment)

    def close(self) -> None:
        self.client.close()
        self.pcscd.close()


@pytest.fixture(scope="module")
def counters(installation: Installation) -> Iterator[tuple[Workstation, Workstation]]:
    """The two counters of a pharmacy: a workstation each, a reader each, a card each."""
    first = Workstation("Counter A", installation)
    try:
        second = Workstation("Counter B", installation)
        yield first, second
        second.close()
    finally:
        first.close()


def test_each_sees_its_own_reader_only(counters: tuple[Workstation, Workstation]) -> None:
    first, second = counters
    assert first.client.ask(do="listed")["names"] == [A, "Counter A 00 01"]
    assert second.client.ask(do="listed")["names"] == [B, "Counter B 00 01"]


def test_the_card_of_the_other_counter_cannot_be_reached(counters: tuple[Workstation, Workstation]) -> None:
    first, second = counters
    for counter, own, other, mark in ((first, A, B, b"A"), (second, B, A, b"B")):
        assert counter.client.ask(do="connect", reader=other)["code"] == PcscCode.UNKNOWN_READER
        assert counter.client.ask(do="wait", states={own: "present"}, timeout=PATIENCE)["code"] == 0
        assert counter.client.ask(do="connect", reader=own)["code"] == 0
        assert counter.client.ask(do="transmit", reader=own, command=COMMAND)["response"].startswith(mark.hex())
        counter.client.ask(do="leave")


def test_a_card_taken_out_at_one_counter_stays_in_at_the_other(counters: tuple[Workstation, Workstation]) -> None:
    first, second = counters
    slot = first.reader.slots[0]
    card = slot.remove()
    assert first.client.ask(do="wait", states={A: "empty"}, timeout=PATIENCE)["code"] == 0
    assert second.client.ask(do="wait", states={B: "present"}, timeout=PATIENCE)["code"] == 0
    slot.insert(card)
    assert first.client.ask(do="wait", states={A: "present"}, timeout=PATIENCE)["code"] == 0


def test_no_reader_listens_on_the_network(counters: tuple[Workstation, Workstation]) -> None:
    """vpcd listens on every interface, of a network that holds this pcscd alone."""
    assert all(counter.pcscd.alive for counter in counters)
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        path = Path(table)
        if path.exists():
            ports = {port for _, port in listening(path.read_text())}
            assert not ports & set(range(FIRST_PORT, FIRST_PORT + 4))
