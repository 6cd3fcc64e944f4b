"""What stands: a wireless terminal keeps its session as a vendor's software does, until something ends it."""

from __future__ import annotations

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device
from bifente.conformance.domains.wireless.link import WirelessLink
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.facets import PrivateClock
from bifente.simulator.pki.keystore import MemoryKeys


def terminal() -> Device:
    cards = {"cps": CardChoice(template="medecin-generaliste")}
    return Device.assemble("readers/olaqin-like-wireless", cards, Workshop(MemoryKeys()), seed=1, attached=True)


def test_a_session_is_renewed_before_its_end_and_not_before_its_half() -> None:
    bench = terminal().bench
    link = bench.facet(WirelessLink).wireless
    clock = bench.facet(PrivateClock)
    (kept,) = bench.attachments
    clock.advance(50)
    kept.keep()
    assert link.terminal.remaining < 71
    clock.advance(20)
    kept.keep()
    assert link.terminal.remaining > 100
    assert bench.slots["cps"].answering is not None


def test_a_session_that_has_ended_is_not_brought_back() -> None:
    bench = terminal().bench
    link = bench.facet(WirelessLink).wireless
    (kept,) = bench.attachments
    bench.facet(PrivateClock).advance(121)
    kept.keep()
    assert link.terminal.remaining == 0
    assert bench.slots["cps"].answering is None
