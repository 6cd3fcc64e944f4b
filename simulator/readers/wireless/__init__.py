"""The wireless terminal: pairing, link, battery, and a session that lives as long as its token is renewed in time."""

from simulator.readers.wireless.parameters import BatteryModel, TerminalParameters, WeakLink
from simulator.readers.wireless.platform import Platform
from simulator.readers.wireless.refusals import Refusal, TokenRefusedError
from simulator.readers.wireless.states import Condition, Link, Pairing, Session, SessionEvent
from simulator.readers.wireless.terminal import BusyError, Radio, Terminal

__all__ = [
    "BatteryModel",
    "BusyError",
    "Condition",
    "Link",
    "Pairing",
    "Platform",
    "Radio",
    "Refusal",
    "Session",
    "SessionEvent",
    "Terminal",
    "TerminalParameters",
    "TokenRefusedError",
    "WeakLink",
]
