"""What every card is to a reader, whatever its family."""

from __future__ import annotations

from typing import Protocol


class Card(Protocol):
    """A smart card seen from the contacts.

    T=0 procedure bytes (61xx, 6Cxx, GET RESPONSE) belong to the card, because real clients depend on them
    (ISO/IEC 7816-3, PCSC-01 to PCSC-03). Two cards never share state.
    """

    @property
    def atr(self) -> bytes:
        """Answer To Reset, 2 to 33 bytes."""
        ...

    def power_on(self) -> bytes:
        """Apply power (cold reset) and give the ATR. All volatile state starts anew."""
        ...

    def power_off(self) -> None:
        """Cut the power: volatile state is lost (PCSC-06)."""
        ...

    def reset(self) -> bytes:
        """Warm reset: same loss of state as a cold one (PCSC-07). Gives the ATR."""
        ...

    def transmit(self, command: bytes) -> bytes:
        """Answer one command APDU with data and status word, at least 2 bytes.

        Never raises for any bytes received: what is wrong gets a status word. An unpowered card is powered on first,
        as a reader would have done.
        """
        ...
