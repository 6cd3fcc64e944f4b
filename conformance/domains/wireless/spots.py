"""The wireless terminal and the reading service that a fault strikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.wireless.bench import WirelessBench
from bifente.conformance.domains.wireless.link import WirelessLink
from bifente.simulator.fault import MissingPartError
from bifente.simulator.readers.wireless.faults import TerminalSpot
from bifente.simulator.services.cloudfsv import CloudFsvService


def _wireless(act: Act) -> WirelessBench:
    link = act.bench.facets.find(WirelessLink)
    if link is None:
        raise MissingPartError("a wireless terminal")
    return link.wireless


def _terminal(act: Act) -> TerminalSpot:
    wireless = _wireless(act)
    return TerminalSpot(wireless.terminal, wireless.open_session)


SPOTS: Mapping[type, Callable[[Act], Any]] = {
    TerminalSpot: _terminal,
    CloudFsvService: lambda act: _wireless(act).served,
}
