"""What a service that mail reaches takes and gives, told as the messages of any other service are."""

from __future__ import annotations

from bifente.ground.clock import Clock
from bifente.simulator.serving.mail.base import TransportError
from bifente.simulator.serving.recording import LONGEST_BODY, Heading, Hear, Passed
from bifente.simulator.serving.service import Service

PROTOCOL = "mail"


class RecordedReception:
    """The reception of a service (see ``Reception``): each file is told, then what it was answered by."""

    def __init__(self, service: Service, clock: Clock, hear: Hear) -> None:
        self._service = service
        self._clock = clock
        self._hear = hear

    def __call__(self, data: bytes, name: str) -> list[bytes]:
        """Hand a file over and return the answers. Raise TransportError, which is told with its reply."""
        since = self._clock.monotonic()
        self._tell(Heading.RECEIVED, "FILE", name, data)
        try:
            answers = [*self._service.application(data, name)]
        except TransportError as refused:
            self._tell(Heading.SENT, "FILE", name, str(refused).encode(), refused.reply or None)
            raise
        seconds = self._clock.monotonic() - since
        for answer in answers:
            self._tell(Heading.SENT, "RETURN", name, answer, seconds=seconds)
        return answers

    def owed(self, answer: bytes) -> bytes:
        """Tell and return what the service sends of its own accord."""
        self._tell(Heading.SENT, "RETURN", "", answer)
        return answer

    def _tell(
        self, way: Heading, method: str, name: str, data: bytes, status: int | None = None, *, seconds: float = 0.0
    ) -> None:
        kept = data[:LONGEST_BODY]
        self._hear(Passed(PROTOCOL, self._service.name, way, method, name, status, (), kept, len(data), seconds))
