"""The way of files between the practice and the front end, as a hand on it sees them."""

from __future__ import annotations

from collections.abc import Callable

from bifente.simulator.formats.fse.model import TransportFile
from bifente.simulator.serving.mail import Transport


class Wire:
    """The way of files, on which they may be changed by hand: what weather does is up to the transport below.

    ``sent`` are those that were handed over, as they were when they left the practice.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.changes: list[Callable[[TransportFile], TransportFile]] = []
        """What is done to the next file, once."""
        self.sent: list[TransportFile] = []

    def send(self, file: TransportFile) -> None:
        """Hand a file over, changed if that was asked for. Raises TransportError."""
        changes, self.changes = self.changes, []
        changed = file
        for change in changes:
            changed = change(changed)
        self._transport.send(changed)
        self.sent.append(file)

    def receive(self) -> list[bytes]:
        """What is in the mailbox."""
        return self._transport.receive()

    def delete(self, count: int) -> None:
        """Take the oldest returns out of the mailbox. Raises ValueError."""
        self._transport.delete(count)

    def post(self, data: bytes) -> None:
        """Send a return. Raises TransportError."""
        self._transport.post(data)
