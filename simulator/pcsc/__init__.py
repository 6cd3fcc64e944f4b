"""Virtual cards behind real PC/SC: the vpcd bridge, a private pcscd, and the doctor that tests each link."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
]

_MODULES = {
    "bridge": ("BridgedExchange", "Defect", "DefectKind", "ExchangeKind", "Observer", "SlotBridge"),
    "echo": ("EchoCard",),
    "errors": ("Link", "PcscdError"),
    "private_pcscd": ("PrivatePcscd",),
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a name when it is asked for: the process of our own service lies in here, and needs none of them."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
