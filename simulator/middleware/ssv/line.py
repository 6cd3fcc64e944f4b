"""The line to one card during one call: tries again as the field does, and turns PC/SC failures into SSV codes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bifente.ground.clock import Clock
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.patience import TRANSMISSION, insist
from bifente.simulator.readers import Connection, PcscCode, ScardError

_ONCE = frozenset({0x20, 0x21, 0x24, 0x2A, 0x2C, 0x82, 0x84, 0x86, 0x88})
"""Never sent twice: the card may have acted on the command whose answer was lost. A code would cost a second try, a
challenge would be another one, an authentication or signature would start from a used challenge.
"""
_FLEETING = frozenset(
    {PcscCode.COMM_ERROR, PcscCode.NOT_TRANSACTED, PcscCode.TIMEOUT, PcscCode.NOT_READY, PcscCode.UNRESPONSIVE_CARD}
)
"""What may go well the next time."""
_GONE = frozenset({PcscCode.REMOVED_CARD, PcscCode.NO_SMARTCARD, PcscCode.UNPOWERED_CARD})
_READER_GONE = frozenset({PcscCode.READER_UNAVAILABLE, PcscCode.UNKNOWN_READER})
_SERVICE_GONE = frozenset({PcscCode.NO_SERVICE, PcscCode.SERVICE_STOPPED, PcscCode.NO_READERS_AVAILABLE})


@dataclass(frozen=True, slots=True)
class Blame:
    """The return codes of one of the two cards: not there, gone while the call lasts, not understood."""

    absent: SsvCode
    withdrawn: SsvCode
    fault: SsvCode

    def error(self, error: ScardError, *, met: bool = True) -> SsvError:
        """What a PC/SC failure comes to; ``met`` says that the card had answered before."""
        return SsvError(self.code(error.code, met=met), str(error))

    def code(self, code: int, *, met: bool = True) -> SsvCode:
        """The return code for a PC/SC code. Which GALSS code a lost reader or service gives without GALSS is modelled:
        the ones that today's users see (sources#galss-codes, sources#ssv-codes).
        """
        if code in _GONE:
            return self.withdrawn if met else self.absent
        if code in _READER_GONE:
            return SsvCode.UNKNOWN_RESOURCE
        if code in _SERVICE_GONE:
            return SsvCode.GALSS_NO_ANSWER
        return SsvCode.GALSS_HELD_BY_ANOTHER if code == PcscCode.SHARING_VIOLATION else self.fault


PS = Blame(SsvCode.PS_ABSENT, SsvCode.PS_ABSENT, SsvCode.CPS_API)
"""The professional's card. No code tells that it was withdrawn during the call: it is absent then (modelled)."""
VITALE = Blame(SsvCode.VITALE_ABSENT, SsvCode.VITALE_WITHDRAWN, SsvCode.VITALE_COMMUNICATION)


class Line:
    """A connection whose commands are tried again where that is harmless. ``transmit`` raises SsvError alone.

    An answer without room for a status word counts as none: some drivers give an empty one as a success.
    """

    def __init__(self, connection: Connection, blame: Blame, clock: Clock) -> None:
        self._connection = connection
        self._blame = blame
        self._clock = clock

    @cached_property
    def atr(self) -> bytes:
        """The card's ATR, asked for once: behind a PC/SC service that is a call. Raises SsvError."""
        try:
            return self._connection.atr
        except ScardError as error:
            raise self._blame.error(error) from error

    def transmit(self, command: bytes) -> bytes:
        """One command, one response of at least two bytes. Raises SsvError."""
        try:
            if command[1] in _ONCE:
                return self._once(command)
            return insist(TRANSMISSION, self._clock, lambda: self._once(command), _fleeting)
        except ScardError as error:
            raise self._blame.error(error) from error

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card. Raises SsvError."""
        try:
            return self._connection.reset(cold=cold)
        except ScardError as error:
            raise self._blame.error(error) from error

    def begin(self) -> None:
        """Nothing: whoever opened the connection holds the card for the whole call."""

    def end(self) -> None:
        """Nothing, for the same reason."""

    def disconnect(self) -> None:
        """Nothing: the pair releases both cards."""

    def _once(self, command: bytes) -> bytes:
        answer = self._connection.transmit(command)
        if len(answer) < 2:
            raise ScardError(PcscCode.COMM_ERROR, f"an answer of {len(answer)} bytes")
        return answer


def _fleeting(error: Exception) -> bool:
    return isinstance(error, ScardError) and error.code in _FLEETING
