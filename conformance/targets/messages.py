"""A message of a protocol as it passed: what a service, a mailbox or a socket of the bench tells a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bifente.ground.text import Text
from bifente.simulator.serving.recording import Heading, Passed


@dataclass(frozen=True, slots=True)
class Messaged:
    """One message with `peer`: `sent` by the bench or received. `line` begins it: method and target, or status."""

    protocol: str
    peer: str
    sent: bool
    line: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    text: Text = field(default=Text("", ""))
    seconds: float = 0.0

    @classmethod
    def http(
        cls, peer: str, line: str, headers: Mapping[str, str], body: bytes, *, sent: bool, seconds: float = 0.0
    ) -> Messaged:
        """Return an HTTP request or response as it passed."""
        return cls("http", peer, sent, line, tuple(headers.items()), body, seconds=seconds)


def messaged(passed: Passed) -> Messaged:
    """Return a message that a service received or sent, as the software that speaks to it sees it."""
    whole, kept = passed.size, len(passed.body)
    cut = Text(f"{whole} octets, les {kept} premiers gardés", f"{whole} bytes, the first {kept} kept")
    return Messaged(
        protocol=passed.protocol,
        peer=passed.peer,
        sent=passed.direction is Heading.RECEIVED,
        line=passed.line,
        headers=passed.headers,
        body=passed.body,
        text=cut if kept < whole else Text("", ""),
        seconds=passed.seconds,
    )
