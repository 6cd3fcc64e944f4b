"""The readers of a live bench as one more application reaches them: the rival of the program that is looked at."""

from __future__ import annotations

import time
from pathlib import Path

from bifente.conformance.targets.base import PcscCode, ScardError
from bifente.conformance.targets.facets import Facets
from bifente.simulator.pcsc.own.client import SeenReader, WireClient, WireConnection
from bifente.simulator.readers import Share, State
from bifente.simulator.readers.sharing import COUNTER

_LOOK_AGAIN = 0.01


class WireTarget:
    """Satisfies ``Target``. Each dialogue has a context of its own, as another program's has. Raises ScardError."""

    def __init__(self, path: Path, facets: Facets | None = None) -> None:
        self._path = path
        self._facets = facets if facets is not None else Facets()

    @property
    def facets(self) -> Facets:
        """What the service that serves can do."""
        return self._facets

    def seen(self) -> dict[str, SeenReader]:
        """Return what a program sees of each reader now, by its name."""
        client = WireClient(self._path)
        try:
            return dict(client.readers())
        finally:
            client.close()

    def readers(self) -> tuple[str, ...]:
        """The names of all readers; none is an empty tuple."""
        return tuple(self.seen())

    def connect(self, reader: str) -> WireConnection:
        """Open a shared dialogue."""
        return self.open(reader, Share.SHARED)

    def open(self, reader: str, share: Share) -> WireConnection:
        """Open a dialogue in a share mode."""
        client = WireClient(self._path)
        try:
            return _Own(client, client.connect(reader, share))
        except ScardError:
            client.close()
            raise

    def look(self, reader: str) -> int:
        """Its state and event counter, as SCardGetStatusChange tells them."""
        found = self.seen().get(reader)
        if found is None:
            raise ScardError(PcscCode.UNKNOWN_READER, reader)
        state = State.UNAVAILABLE if found.state & found.UNKNOWN else State.EMPTY
        if found.present:
            state = State.PRESENT | (State.MUTE if found.state & found.SWALLOWED else State.UNAWARE)
            state |= State.EXCLUSIVE if found.sharing < 0 else State.INUSE if found.sharing else State.UNAWARE
        return found.events << COUNTER | int(state)

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """Wait until programs see a card there, or see none; also its ATR, unless it is mute."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.seen().get(reader)
            if found is None:
                raise ScardError(PcscCode.UNKNOWN_READER, reader)
            if found.present == present and (not present or found.atr or found.state & found.SWALLOWED):
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_AGAIN)


class _Own(WireConnection):
    """A dialogue that takes its context along when it ends."""

    def __init__(self, client: WireClient, connection: WireConnection) -> None:
        super().__init__(client, connection._handle, connection._protocol, connection._share, connection._reader)

    def disconnect(self) -> None:
        """Leave the card as it is, and the service."""
        super().disconnect()
        self._client.close()
