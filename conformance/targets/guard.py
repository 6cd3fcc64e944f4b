"""Real cards are precious: what may reach one, and what is refused before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.targets.base import Connection, GuardRefusalError
from reports.text import Text
from simulator.iso7816.apdu import ApduError, Command

_VERIFY, _CHANGE, _RESET_RETRY = 0x20, 0x24, 0x2C
_WRITES = frozenset({0x04, 0x0E, 0x44, 0xD0, 0xD2, 0xD6, 0xD7, 0xDA, 0xDB, 0xDC, 0xE0, 0xE2, 0xE4, 0xE6, 0x46, 0xFE})
"""Instructions that change or end a card (ISO/IEC 7816-4, -8 and -9)."""
_PRECIOUS_TRIES = 3
"""A PUK with this few tries left is never presented wrong: past it the card is lost for good."""


@dataclass(frozen=True, slots=True)
class Codes:
    """The right codes of a card as far as they are known, by VERIFY reference; ``puk`` is the PUK's reference."""

    known: dict[int, bytes]
    puk: int


class GuardedConnection:
    """A connection to a card that is not ours.

    Unless ``destructive`` (the scenario and the run both allow it) only the right code is ever presented, and only
    with more than one try left; nothing is written. With it, a wrong PUK is still refused when few tries are left.
    """

    def __init__(self, connection: Connection, codes: Codes, *, destructive: bool) -> None:
        self._connection = connection
        self._codes = codes
        self._destructive = destructive

    @property
    def atr(self) -> bytes:
        """The card's ATR."""
        return self._connection.atr

    def transmit(self, command: bytes) -> bytes:
        """One command, unless it is refused. Raises GuardRefusalError, TargetError."""
        self._check(command)
        return self._connection.transmit(command)

    def reset(self, *, cold: bool) -> bytes:
        """Harmless to a card."""
        return self._connection.reset(cold=cold)

    def begin(self) -> None:
        """Exclusive use."""
        self._connection.begin()

    def end(self) -> None:
        """End of exclusive use."""
        self._connection.end()

    def disconnect(self) -> None:
        """Leave the card."""
        self._connection.disconnect()

    def _check(self, raw: bytes) -> None:
        try:
            command = Command.parse(raw)
        except ApduError:
            raise GuardRefusalError(
                Text(
                    "commande mal formée : non envoyée à une carte réelle", "malformed command: not sent to a real card"
                )
            ) from None
        if command.ins in _WRITES and not self._destructive:
            raise GuardRefusalError(Text("écriture refusée sur une carte réelle", "writing is refused on a real card"))
        if command.ins in (_VERIFY, _CHANGE, _RESET_RETRY) and command.data:
            self._check_code(command)

    def _check_code(self, command: Command) -> None:
        right = self._codes.known.get(command.p2)
        presents_right = right is not None and command.data == right and command.ins == _VERIFY
        if not self._destructive and not presents_right:
            raise GuardRefusalError(
                Text(
                    "un code qui n'est pas celui de la carte n'est pas présenté à une carte réelle "
                    "(scénario destructif et --allow-destructive requis)",
                    "a code that is not the card's is not presented to a real card "
                    "(a destructive scenario and --allow-destructive are needed)",
                )
            )
        left = self._tries_left(command.p2)
        least = _PRECIOUS_TRIES + 1 if command.p2 == self._codes.puk and not presents_right else 2
        if not self._destructive and left is not None and left < least:
            raise GuardRefusalError(
                Text(
                    f"il ne reste que {left} essai(s) : code non présenté à une carte réelle",
                    f"only {left} try/tries left: the code is not presented to a real card",
                )
            )
        if (
            self._destructive
            and command.p2 == self._codes.puk
            and not presents_right
            and (left is None or left < least)
        ):
            raise GuardRefusalError(
                Text(
                    f"essais du code de déblocage : {left} ; un PUK faux perdrait la carte",
                    f"tries of the unblocking code: {left}; a wrong PUK would lose the card",
                )
            )

    def _tries_left(self, reference: int) -> int | None:
        """By VERIFY without data, which uses up no try (CARD-CPS3-20); None when verified or not told."""
        answer = self._connection.transmit(bytes((0x00, _VERIFY, 0x00, reference, 0x00)))
        sw = int.from_bytes(answer[-2:], "big")
        if sw == 0x6983:
            return 0
        return sw & 0x0F if sw >> 4 == 0x63C else None
