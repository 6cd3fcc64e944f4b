"""Eight two-slot readers, sixteen cards, eight clients at once: each card answers as itself, and to its own client."""

from __future__ import annotations

import random

import pytest
from pcsc_load import load, shares
from pcsc_tools import new_reader

from bifente.ground.clock import VirtualClock
from bifente.simulator.pcsc import EchoCard, PcscdError, PrivatePcscd
from bifente.simulator.pcsc.discovery import Installation
from bifente.simulator.pcsc.readerconf import plan
from bifente.simulator.readers import PcscService, Reader

SECONDS = 2.0
EXCHANGES = 100_000


def test_sixteen_cards_answer_as_themselves(installation: Installation) -> None:
    readers = [new_reader(f"OLAQIN 9004802{number} TL VITALACT") for number in range(8)]
    slots = [slot for reader in readers for slot in reader.slots]
    marks = [bytes((0xC0, number, 0xFF ^ number)) for number in range(16)]
    with PrivatePcscd.start(readers) as pcscd:
        for slot, mark in zip(slots, marks, strict=True):
            slot.insert(EchoCard(mark))
        assert all(bridge.wait_seen(5) for bridge in pcscd.bridges)
        own = dict(zip(pcscd.reader_names, [mark.hex() for mark in marks], strict=True))
        heard = load(pcscd.environment, shares(own), SECONDS)
        assert [client["wrong"] + client["refused"] for client in heard] == [[]] * 8
        assert all(client["count"] > 100 for client in heard)
        assert not pcscd.defects
        assert pcscd.alive
        # The check can fail: a client told another card's mark hears the difference.
        names = list(own)
        (misled,) = load(pcscd.environment, [{names[0]: own[names[1]]}], 0.05)
        assert misled["wrong"]


def test_sixteen_cards_in_process_answer_as_themselves() -> None:
    clock = VirtualClock()
    readers = [Reader.of(f"TL {number}", [f"TL {number} 1", f"TL {number} 2"], clock) for number in range(8)]
    marks = [bytes((0xC0, number, 0xFF ^ number)) for number in range(16)]
    for slot, mark in zip((slot for reader in readers for slot in reader.slots), marks, strict=True):
        slot.insert(EchoCard(mark))
    service = PcscService(readers, clock)
    names = service.establish().readers()
    own = dict(zip(names, [mark.hex() for mark in marks], strict=True))
    # Eight applications, each with four cards of which two are others' as well, in a random order.
    handles = []
    for cards in shares(own):
        context = service.establish()
        handles += [(context.connect(name), bytes.fromhex(mark)) for name, mark in cards.items()]
    chance = random.Random(1)
    wrong = 0
    for number in range(EXCHANGES):
        handle, mark = chance.choice(handles)
        sent = number.to_bytes(4, "big")
        wrong += handle.transmit(bytes.fromhex("00DA000004") + sent) != mark + sent + b"\x90\x00"
    assert wrong == 0


def test_a_ninth_reader_is_refused_in_words() -> None:
    with pytest.raises(PcscdError, match=r"9 entries of 2 slots asked for, pcscd manages 8"):
        plan([new_reader(f"R{number}") for number in range(9)])
