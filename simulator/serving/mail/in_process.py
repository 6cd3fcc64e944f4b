"""The transport without a network: the body is a function. What disturbs it is what disturbs the mail."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from bifente.simulator.formats.fse.model import TransportFile
from bifente.simulator.serving.mail.base import Reception, TransportError
from bifente.simulator.serving.mail.disturbances import DisturbedWay, MailDirection, Weather, flipped
from bifente.simulator.serving.mail.mailbox import Mailbox


@dataclass(frozen=True, slots=True)
class _Message:
    name: str
    data: bytes


class InProcessTransport:
    """One practice and one body in one process. ``reception`` is called once for each message that gets through.

    ``reception`` may raise TransportError: the file was not taken, its sender knows. A return that is refused on its
    way back is tried again at the next ``receive``.
    """

    def __init__(self, reception: Reception, weather: Weather | None = None) -> None:
        self._reception = reception
        self._weather = weather or Weather()
        self._mailbox = Mailbox()
        self._waiting: deque[bytes] = deque()
        self._out = DisturbedWay[_Message](
            self._arrive, lambda it: replace(it, data=flipped(it.data, self._weather.chance))
        )
        self._back = DisturbedWay[bytes](self._mailbox.put, lambda data: flipped(data, self._weather.chance))

    def send(self, file: TransportFile) -> None:
        """Hand a file over. Raises TransportError."""
        self._out.carry(_Message(file.name, file.data), self._weather.draw(MailDirection.OUT))

    def receive(self) -> list[bytes]:
        """What is in the mailbox."""
        self._retry()
        return self._mailbox.content()

    def delete(self, count: int) -> None:
        """Take the oldest returns out of the mailbox. Raises ValueError."""
        self._mailbox.delete(count)

    def post(self, data: bytes) -> None:
        """Send a return. Raises TransportError."""
        self._back.carry(data, self._weather.draw(MailDirection.BACK))

    def flush(self) -> None:
        """Deliver what is held on its way, in both directions."""
        self._out.flush()
        self._back.flush()

    def _arrive(self, message: _Message) -> None:
        for data in self._reception(message.data, message.name):
            try:
                self.post(data)
            except TransportError:
                self._waiting.append(data)

    def _retry(self) -> None:
        for _ in range(len(self._waiting)):
            data = self._waiting.popleft()
            try:
                self.post(data)
            except TransportError:
                self._waiting.append(data)
