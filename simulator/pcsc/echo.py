"""The simplest card there is: the reference of the doctor and of the benchmarks."""

from __future__ import annotations

ECHO_ATR = bytes.fromhex("3B044543484F")
"""T=0, four historical bytes that spell ECHO."""

_HEADER = 4
_EXTENDED = 7
_MAX_DATA = 0xFFFF - 2


def data_field(command: bytes) -> bytes:
    """The data of a command APDU (ISO/IEC 7816-3 section 12.1.3), empty if it has none or is malformed."""
    if len(command) > _EXTENDED and command[_HEADER] == 0:
        size = int.from_bytes(command[5:7], "big")
        return command[_EXTENDED : _EXTENDED + size]
    if len(command) > _HEADER + 1:
        return command[5 : 5 + command[_HEADER]]
    return b""


class EchoCard:
    """Answers every command with ``prefix``, the command's data and 9000. Not copied from any card; nothing secret."""

    def __init__(self, prefix: bytes = b"", atr: bytes = ECHO_ATR) -> None:
        self._prefix = prefix
        self._atr = atr

    @property
    def atr(self) -> bytes:
        """The ATR given at construction."""
        return self._atr

    def power_on(self) -> bytes:
        """Nothing to power: gives the ATR."""
        return self._atr

    def power_off(self) -> None:
        """Nothing to lose."""

    def reset(self) -> bytes:
        """Nothing to reset: gives the ATR."""
        return self._atr

    def transmit(self, command: bytes) -> bytes:
        """``prefix``, the data of ``command``, 9000; cut to what a vpcd message carries."""
        return (self._prefix + data_field(command))[:_MAX_DATA] + b"\x90\x00"
