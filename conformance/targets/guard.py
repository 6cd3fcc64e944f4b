"""Real cards are precious: what may reach one, and what is refused before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bifente.conformance.targets.base import Connection, GuardRefusalError
from bifente.ground.text import Text
from bifente.simulator.iso7816.apdu import SHORT_NE, ApduError, Command
from bifente.simulator.readers import PassingConnection, ReaderAccess

_VERIFY, _RESET_RETRY = 0x20, frozenset({0x2C, 0x2D})
_CODES = frozenset({0x20, 0x21, 0x24, 0x25, 0x26, 0x28}) | _RESET_RETRY
"""VERIFY, CHANGE, DISABLE and ENABLE, RESET RETRY COUNTER, with their BER-TLV twins: all of them take a code."""
_HARMLESS = frozenset({0x22, 0x2A, 0x70, 0x84, 0x88, 0xA4, 0xB0, 0xB1, 0xB2, 0xB3, 0xC0, 0xCA, 0xCB})
"""Instructions that neither change a card nor use up a try: reading, selecting, and keys at work. No list of the
harmful ones would be complete (ISO/IEC 7816-4, -8 and -9, and what a manufacturer adds).
"""
_PLAIN = frozenset(range(4))
"""The classes of a plain command, each of a logical channel."""
_PRECIOUS_TRIES = 3
"""A PUK with this few tries left is never presented wrong: past it the card is lost for good."""

_MALFORMED = Text("commande mal formée : non envoyée à une carte réelle", "malformed command: not sent to a real card")
_NOT_A_READING = Text(
    "une commande qui pourrait modifier la carte n'est pas envoyée à une carte réelle "
    "(scénario destructif et --allow-destructive requis)",
    "a command that might change the card is not sent to a real card "
    "(a destructive scenario and --allow-destructive are needed)",
)
_NOT_THE_CODE = Text(
    "un code qui n'est pas celui de la carte n'est pas présenté à une carte réelle "
    "(scénario destructif et --allow-destructive requis)",
    "a code that is not the card's is not presented to a real card "
    "(a destructive scenario and --allow-destructive are needed)",
)
_TRIES_UNKNOWN = Text(
    "la carte ne dit pas combien d'essais restent : code non présenté à une carte réelle",
    "the card does not tell how many tries are left: the code is not presented to a real card",
)


@dataclass(frozen=True, slots=True)
class Codes:
    """The right codes of a card as far as they are known, by VERIFY reference; ``puk`` is the PUK's reference.

    One that the card refuses is taken out of ``known``: it was not right, and is not presented a second time.
    """

    known: dict[int, bytes]
    puk: int


@dataclass(frozen=True, slots=True)
class GuardedAccess:
    """The readers of a workstation whose cards are not ours: ``guarded`` opens each of their dialogues."""

    access: ReaderAccess
    guarded: Callable[[str], Connection]

    def readers(self) -> tuple[str, ...]:
        """The names, in the order of the service. Raises ScardError."""
        return self.access.readers()

    def connect(self, reader: str) -> Connection:
        """Open a shared, guarded dialogue. Raises ScardError."""
        return self.guarded(reader)

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """Wait until a card is there, or not."""
        return self.access.wait(reader, present=present, timeout=timeout)


class GuardedConnection(PassingConnection):
    """A connection to a card that is not ours.

    Unless ``destructive`` (the scenario and the run both allow it) only commands that read or use keys pass, and of
    the codes only the right one, with more than one try left. With it, a wrong PUK is still refused when few tries are
    left.
    """

    def __init__(self, connection: Connection, codes: Codes, *, destructive: bool) -> None:
        super().__init__(connection)
        self._codes = codes
        self._destructive = destructive

    def transmit(self, command: bytes) -> bytes:
        """One command, unless it is refused. Raises GuardRefusalError, ScardError."""
        try:
            parsed = Command.parse(command)
        except ApduError:
            raise GuardRefusalError(_MALFORMED) from None
        if parsed.ins not in _CODES:
            if not (self._destructive or _harmless(parsed)):
                raise GuardRefusalError(_NOT_A_READING)
            return self._connection.transmit(command)
        if self._destructive:
            self._spare_the_puk(parsed)
            return self._connection.transmit(command)
        if _asks_status(parsed):
            return self._connection.transmit(command)
        self._check_right(parsed)
        answer = self._connection.transmit(command)
        if int.from_bytes(answer[-2:], "big") != 0x9000:
            self._codes.known.pop(parsed.p2, None)
        return answer

    def _check_right(self, command: Command) -> None:
        """Only a plain VERIFY of the right code, and only while a mistake of ours would not block the card."""
        plain = command.cla in _PLAIN and (command.ins, command.p1) == (_VERIFY, 0x00)
        if not plain or command.data != self._codes.known.get(command.p2):
            raise GuardRefusalError(_NOT_THE_CODE)
        left, verified = self._tries_left(command, command.p2)
        if verified:
            return
        if left is None:
            raise GuardRefusalError(_TRIES_UNKNOWN)
        if left < 2:
            raise GuardRefusalError(
                Text(
                    f"essais restants : {left} ; code non présenté à une carte réelle",
                    f"tries left: {left}; the code is not presented to a real card",
                )
            )

    def _spare_the_puk(self, command: Command) -> None:
        # RESET RETRY COUNTER carries the PUK in front of the new code, unless P1 says that it does not.
        carries = command.p1 not in (0x02, 0x03) if command.ins in _RESET_RETRY else command.p2 == self._codes.puk
        right = self._codes.known.get(self._codes.puk)
        if not carries or not command.data or (right is not None and _begins_with(command, right)):
            return
        left, _verified = self._tries_left(command, self._codes.puk)
        if left is None or left <= _PRECIOUS_TRIES:
            shown = "?" if left is None else left
            raise GuardRefusalError(
                Text(
                    f"essais du code de déblocage : {shown} ; un PUK faux perdrait la carte",
                    f"tries of the unblocking code: {shown}; a wrong PUK would lose the card",
                )
            )

    def _tries_left(self, command: Command, reference: int) -> tuple[int | None, bool]:
        """Tries left (None if not told) and whether it is verified, by VERIFY without data on the command's channel:
        it uses up no try (CARD-CPS3-20, CARD-CPS4-10).
        """
        channel = command.cla & 0x03 if command.cla < 0x40 else 0
        answer = self._connection.transmit(bytes((channel, _VERIFY, 0x00, reference, 0x00)))
        sw = int.from_bytes(answer[-2:], "big")
        if sw >> 4 == 0x63C:
            return sw & 0x0F, False
        return (0 if sw == 0x6983 else None), sw == 0x9000


def may_reach_a_real_card(command: bytes) -> bool:
    """Whether a command of somebody else's neither carries a code nor can change a card: only such are sent again."""
    try:
        parsed = Command.parse(command)
    except ApduError:
        return False
    return _asks_status(parsed) if parsed.ins in _CODES else _harmless(parsed)


def _harmless(command: Command) -> bool:
    interindustry_or_cps2ter = command.cla < 0x20 or command.cla == 0xA0
    return interindustry_or_cps2ter and command.ins in _HARMLESS


def _asks_status(command: Command) -> bool:
    """VERIFY without a code. A P3 other than 00 would have a T=0 card wait for one."""
    return command.ins == _VERIFY and not command.data and command.ne in (None, SHORT_NE)


def _begins_with(command: Command, right: bytes) -> bool:
    """VERIFY carries the code alone, the others the old code and the new one."""
    return command.data == right if command.ins == _VERIFY else command.data.startswith(right)
