"""Virtual cards behind real PC/SC: the vpcd bridge, a private pcscd, and the doctor that tests each link."""

from simulator.pcsc.bridge import Defect, DefectKind, Exchange, ExchangeKind, Observer, SlotBridge
from simulator.pcsc.echo import EchoCard
from simulator.pcsc.errors import Link, PcscdError
from simulator.pcsc.private_pcscd import PrivatePcscd
from simulator.sentence import Sentence

__all__ = [
    "Defect",
    "DefectKind",
    "EchoCard",
    "Exchange",
    "ExchangeKind",
    "Link",
    "Observer",
    "PcscdError",
    "PrivatePcscd",
    "Sentence",
    "SlotBridge",
]
