"""Which reading goes with the card that was met in the Vitale's place."""

from __future__ import annotations

from collections.abc import Callable

from cryptography import x509

from bifente.simulator.middleware.recognition import CardKind, kind_of
from bifente.simulator.middleware.ssv.line import Line
from bifente.simulator.middleware.ssv.vitale import VitaleCard, fault
from bifente.simulator.middleware.ssv.vitale1 import Vitale1
from bifente.simulator.middleware.ssv.vitale2 import Vitale2


def vitale_on(line: Line, random: Callable[[int], bytes], anchors: tuple[x509.Certificate, ...]) -> VitaleCard:
    """The Vitale on a line. Raises SsvError: F014 for a card that is none (which code it gives is modelled)."""
    kind = kind_of(line.atr)
    if kind is CardKind.VITALE_2:
        return Vitale2(line, random, anchors)
    if kind is CardKind.VITALE_1:
        return Vitale1(line)
    raise fault(f"the card is no Vitale: {line.atr.hex().upper()}")
