"""What a card loses without power: where each side and channel stands, and what waits to be fetched."""

from __future__ import annotations

from dataclasses import dataclass, field

from bifente.simulator.iso7816.files import FileSystem, Node
from bifente.simulator.iso7816.image import Algorithm, CardKey, Digest
from bifente.simulator.iso7816.trust import Trust


@dataclass(frozen=True, slots=True)
class Environment:
    """What MANAGE SECURITY ENVIRONMENT chose for one kind of operation."""

    key: CardKey | None = None
    algorithm: Algorithm | None = None


@dataclass(frozen=True, slots=True)
class HashValue:
    """A finished hash waiting for its signature."""

    digest: Digest
    value: bytes


@dataclass(slots=True)
class Chain:
    """The parts of a command received so far: its header but for the class, the body they make, and where they came:
    a side and a channel of it.
    """

    owner: tuple[str, int]
    ins: int
    p1: int
    p2: int
    body: bytes


@dataclass(slots=True)
class Channel:
    """Where one side of the card stands on one logical channel: cleared by reset.

    ``current`` is the selected file, ``environments`` are by control reference template tag (A4, AA, B6, B8).
    """

    files: FileSystem
    current: Node
    environments: dict[int, Environment] = field(default_factory=dict)
    hash: HashValue | None = None


@dataclass(slots=True)
class Pending:
    """Data that wait for GET RESPONSE, the status word that ends them, and which side owes them on which channel."""

    data: bytes
    sw: int
    owner: tuple[str, int]


@dataclass(slots=True)
class Volatile:
    """All that a reset clears, but for the codes presented.

    ``channels``: by side and number, opened at first use. ``running``: the application on each logical channel, None
    where the channel is closed. ``trust``: who proved what to the card.
    """

    running: dict[int, str | None] = field(default_factory=dict)
    trust: Trust = field(default_factory=Trust)
    channels: dict[tuple[str, int], Channel] = field(default_factory=dict)
    pending: Pending | None = None
    chain: Chain | None = None
