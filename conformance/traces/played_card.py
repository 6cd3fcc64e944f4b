"""A card that answers what a trace says: software runs against it as it ran against the card of the trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bifente.conformance.traces.digits import agrees, filled
from bifente.conformance.traces.seen import SeenApdu
from bifente.conformance.traces.trace import Trace
from bifente.reports.masking import mask_command

FILLING = 0x58
"""What stands for a masked byte: a letter, so that a masked name is a name still."""

_SELECT, _FETCH = 0xA4, 0xC0
# What goes with them was drawn at random, or was computed from it, and is never the same again.
_DRAWN = frozenset({0x2A, 0x82, 0x84, 0x86, 0x87, 0x88})
_NOT_TOLD = b"\x6f\x00"
_UNPOWERED = ("", "")
_ANYWHERE = "*"


@dataclass(slots=True)
class Played:
    """How it went: which exchanges of the trace were answered, what the software asked that the trace has not."""

    answered: set[int] = field(default_factory=set)
    strayed: list[tuple[int, str]] = field(default_factory=list)
    """After which exchange, and what was asked, codes masked."""
    farthest: int = -1
    asked: int = 0


class PlayedCard:
    """A card by its protocol (`simulator.iso7816.card.Card`). Codes are neither checked nor kept: any is taken as the
    one of the trace was.

    A command is looked for after the last one that was answered, then anywhere, among those that follow the same
    selection; so a software that reads in another order still finds its files.
    """

    def __init__(self, trace: Trace, atr: bytes) -> None:
        self._trace: Sequence[SeenApdu] = trace.exchanges
        self._atr = atr
        self.played = Played()
        self._places: dict[tuple[str, str, str], list[int]] = {}
        self._alike: dict[tuple[str, str, int], list[int]] = {}
        self._used: dict[tuple[str, str, str], int] = {}
        """How many of each command were answered."""
        self._state = _UNPOWERED
        state = _UNPOWERED
        for index, seen in enumerate(self._trace):
            command = mask_command(seen.command)
            self._places.setdefault((*self._context(command, state), command), []).append(index)
            if command[2:4] == f"{_SELECT:02X}":
                self._places.setdefault((_ANYWHERE, "", command), []).append(index)
            self._alike.setdefault((state[0], command[:8], len(command)), []).append(index)
            state = _after(command, seen.response, state)

    @property
    def atr(self) -> bytes:
        """The answer to reset."""
        return self._atr

    def power_on(self) -> bytes:
        """Power it: what was selected is forgotten."""
        self._state = _UNPOWERED
        return self._atr

    def power_off(self) -> None:
        """Cut the power."""
        self._state = _UNPOWERED

    def reset(self) -> bytes:
        """Reset it warm."""
        return self.power_on()

    def transmit(self, command: bytes) -> bytes:
        """Answer as in the trace; 6F00, and a note of it, where the trace has no such command."""
        self.played.asked += 1
        asked = mask_command(command.hex().upper())
        index = self._find(asked)
        if index is None:
            if len(self.played.strayed) < _MOST_STRAYED:
                self.played.strayed.append((self.played.farthest, asked))
            return _NOT_TOLD
        self.played.answered.add(index)
        self.played.farthest = max(self.played.farthest, index)
        response = self._trace[index].response
        self._state = _after(asked, response, self._state)
        answer = filled(response, FILLING)
        return answer if len(answer) >= 2 else _NOT_TOLD

    def _find(self, asked: str) -> int | None:
        key = (*self._context(asked, self._state), asked)
        if key not in self._places and asked[2:4] == f"{_SELECT:02X}":
            # What is selected before matters to what is read, seldom to a selection.
            key = (_ANYWHERE, "", asked)
        if found := self._places.get(key):
            # The first not answered yet, else the last: what changed on the card had changed for good.
            used = self._used.get(key, 0)
            self._used[key] = used + 1
            return found[min(used, len(found) - 1)]
        drawn = len(asked) >= 4 and int(asked[2:4], 16) in _DRAWN
        alike = [
            index
            for index in self._alike.get((self._state[0], asked[:8], len(asked)), ())[:_MOST_ALIKE]
            if drawn or agrees(self._trace[index].command, asked)
        ]
        return next((index for index in alike if index not in self.played.answered), alike[-1] if alike else None)

    @staticmethod
    def _context(command: str, state: tuple[str, str]) -> tuple[str, str]:
        # What GET RESPONSE gives depends on the command before it.
        return (state[0], state[1] if command[2:4] == f"{_FETCH:02X}" else "")


_MOST_STRAYED = 1000
_MOST_ALIKE = 256


def _after(command: str, response: str, state: tuple[str, str]) -> tuple[str, str]:
    """What is selected after a command, and the command itself."""
    if command[2:4] == f"{_SELECT:02X}" and response[-4:-2] in ("90", "61", "62", "9F"):
        return command, command
    return (state[0], state[1] if command[2:4] == f"{_FETCH:02X}" else command)
