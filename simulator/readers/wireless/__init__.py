"""The wireless terminal: pairing, link, battery, and a session that lives as long as its token is renewed in time."""

from bifente.simulator.readers.wireless.parameters import BatteryModel, TerminalParameters, WeakLink
from bifente.simulator.readers.wireless.platform import Platform
from bifente.simulator.readers.wireless.refusals import Refusal, TokenRefusedError
from bifente.simulator.readers.wireless.states import (
    Pairing,
    RadioLink,
    SessionEvent,
    TerminalCondition,
    TerminalSession,
)
from bifente.simulator.readers.wireless.terminal import BusyError, Radio, Terminal

__all__ = [
    "BatteryModel",
    "BusyError",
    "Pairing",
    "Platform",
    "Radio",
    "RadioLink",
    "Refusal",
    "SessionEvent",
    "Terminal",
    "TerminalCondition",
    "TerminalParameters",
    "TerminalSession",
    "TokenRefusedError",
    "WeakLink",
]
