"""Virtual cards behind real PC/SC: the vpcd bridge, a private pcscd, and the doctor that tests each link."""

from bifente.ground.text import Text
from bifente.simulator.pcsc.bridge import BridgedExchange, Defect, DefectKind, ExchangeKind, Observer, SlotBridge
from bifente.simulator.pcsc.echo import EchoCard
from bifente.simulator.pcsc.errors import Link, PcscdError
from bifente.simulator.pcsc.private_pcscd import PrivatePcscd

__all__ = [
    "BridgedExchange",
    "Defect",
    "DefectKind",
    "EchoCard",
    "ExchangeKind",
    "Link",
    "Observer",
    "PcscdError",
    "PrivatePcscd",
    "SlotBridge",
    "Text",
]
