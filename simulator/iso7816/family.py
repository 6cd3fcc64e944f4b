"""A card family: which classes and instructions it serves, as data. The engine runs whatever is listed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.image import DedicatedFile, ElementaryFile

if TYPE_CHECKING:
    from bifente.simulator.iso7816.channel import Channel
    from bifente.simulator.iso7816.engine import SmartCard

Handler = Callable[["SmartCard", "Channel", Command], Response]
"""What serves one instruction. It raises StatusError to refuse, and nothing else whatever the command's bytes."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of a command table.

    ``outgoing``: the body goes to the reader only, so that in T=0 the fifth byte is Le; for all others it is Lc, and
    00 there is an empty body (PCSC-01). ``chaining``: the body may come in several commands (PCSC-20).
    """

    handler: Handler
    outgoing: bool = False
    chaining: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One operating side of a card: a file volume, its commands by INS, and how SELECT describes a file.

    ``describe`` gives what goes into the template that SELECT answers. ``more`` is the SW1 that announces waiting data:
    61, or 9F on the GSM-like side of some cards.
    """

    name: str
    volume: str
    instructions: Mapping[int, Instruction]
    describe: Callable[[ElementaryFile | DedicatedFile], bytes]
    more: int = 0x61


@dataclass(frozen=True, slots=True)
class Class:
    """What one CLA value means: a side, a logical channel of it, and whether more of the body follows.

    Without a side it is a channel on which the applications of the card run, each started by the SELECT of its name.
    """

    side: Side | None = None
    channel: int = 0
    chained: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """A card operating system.

    ``main`` names the side that clients work with. ``applications`` are the sides that run on a logical channel once
    SELECTed there by the name of their MF. ``max_body`` bounds a chained body, in bytes; ``extended``: long APDUs are
    served.
    """

    name: str
    main: str
    classes: Mapping[int, Class]
    applications: tuple[Side, ...] = ()
    max_body: int = 1024
    extended: bool = False
