"""What every kind of log offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bifente.conformance.traces.seen import Seen, SeenApdu, SeenOddity
from bifente.ground.text import Text


@dataclass(frozen=True, slots=True)
class TraceSource:
    """A kind of log: its name for ``--format``, what it is, how it is told from others, how it is read.

    ``recognises`` looks at the first bytes; ``read`` yields what the log shows, in order, and holds no more of it than
    the exchange at hand. Raise InputError with the place for a file that cannot be read on, OSError.
    """

    name: str
    title: Text
    recognises: Callable[[bytes], bool]
    read: Callable[[Path], Iterator[Seen]]


HEX_EXPECTED = Text("une APDU qui n'est pas en hexadécimal", "an APDU that is not in hexadecimal")
NO_STATUS = Text("une réponse qui ne finit pas par un mot d'état", "a response that does not end with a status word")
NO_COMMAND = Text("une réponse sans commande", "a response without a command")


class AnswerPairing:
    """Commands waiting for their responses, one a thread of the log; threads come and go, few are remembered."""

    _MOST = 256

    def __init__(self) -> None:
        self._waiting: dict[str, SeenApdu] = {}

    def command(self, thread: str, seen: SeenApdu) -> Iterator[Seen]:
        """A command was sent; one that the thread sent before got no answer."""
        if (before := self._waiting.pop(thread, None)) is not None:
            yield before
        if len(self._waiting) >= self._MOST:
            yield self._waiting.pop(next(iter(self._waiting)))
        self._waiting[thread] = seen

    def response(self, thread: str, digits: str, place: int, at: datetime) -> Iterator[Seen]:
        """A response came to the command of this thread."""
        sent = self._waiting.pop(thread, None)
        if sent is None:
            yield SeenOddity(place, NO_COMMAND)
            return
        # A card ends by 6xxx or 9xxx: else the log was cut, or the line was.
        if len(digits) < 4 or digits[-4] not in "69":
            yield SeenOddity(place, NO_STATUS)
        duration = max(0, round((at - sent.at).total_seconds() * 1_000_000))
        yield SeenApdu(sent.command, digits, sent.place, sent.at, sent.slot, sent.client, duration)

    def rest(self) -> Iterator[Seen]:
        """What was never answered, at the end of the log."""
        waiting, self._waiting = self._waiting, {}
        yield from waiting.values()
