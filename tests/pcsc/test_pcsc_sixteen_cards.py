"""Eight two-slot readers, sixteen cards, eight clients at once: each card answers as itself, and to its own client."""

from __future__ import annotations

import pytest
from pcsc_load import load, shares
from pcsc_tools import new_reader

from simulator.pcsc import EchoCard, PcscdError, PrivatePcscd
from simulator.pcsc.discovery import Installation
from simulator.pcsc.readerconf import plan

SECONDS = 2.0


@pytest.mark.timeout(60)
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


def test_a_ninth_reader_is_refused_in_words() -> None:
    with pytest.raises(PcscdError, match=r"9 entries of 2 slots asked for, pcscd manages 8"):
        plan([new_reader(f"R{number}") for number in range(9)])
