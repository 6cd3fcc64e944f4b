"""A message of a protocol as it passed: what a service, a mailbox or a socket of the bench tells a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bifente.ground.text import Text


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
