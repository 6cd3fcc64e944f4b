"""What ``galss.ini`` describes: protocols, channels, PAD (a reader) and LAD (a resource of it); sources#galss-ini."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

MAX_ADDRESS = 255
"""Highest PAD and LAD number (SV-GALSS-03)."""
MAX_NAME = 8
"""Most characters of a logical name or alias (SV-GALSS-03)."""
MAX_CHANNELS = 32
"""Most channels of a file: the text says "too many resources" (8003) without the number, which is ours."""

CPS, VITALE, LOG_SV = "CPS", "Vitale", "Log_SV"
ALIASES = {CPS: "TRANSPA1", VITALE: "TRANSPA2"}
"""The names clients use for the transparent access to each card."""


class ProtocolNumber(IntEnum):
    """What a channel speaks; the number names the section ``PROTOCOLEn``."""

    PSS = 0
    PCSC = 1

    @property
    def channel_type(self) -> int:
        """The ``TCanal`` that goes with it: 1 serial port, 3 PC/SC."""
        return 1 if self is ProtocolNumber.PSS else 3


@dataclass(frozen=True, slots=True)
class GalssProtocol:
    """``[PROTOCOLEn]``: the library that speaks it and its settings, times in milliseconds where they are times."""

    number: ProtocolNumber
    library: str
    config: tuple[int, ...]
    tempo_init: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    """``ListeCanaux``: the channels (from 1) that go through it; empty where the key is not written."""


@dataclass(frozen=True, slots=True)
class Lad:
    """A resource of a reader: its number, its name of at most 8 characters, and its other names."""

    number: int
    name: str
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it answers to."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Pad:
    """A reader on a channel."""

    number: int
    lads: tuple[Lad, ...]


@dataclass(frozen=True, slots=True)
class GalssChannel:
    """``[CANALn]``: ``characteristics`` is the line setting of a serial port, or the exact PC/SC reader name."""

    index: int
    protocol: ProtocolNumber
    characteristics: str
    pads: tuple[Pad, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource with the way that leads to it; ``channel`` counts from 1."""

    channel_number: int
    channel: GalssChannel
    pad: Pad
    lad: Lad

    @property
    def reader(self) -> tuple[int, ...]:
        """What two resources of one call must share (SV-GALSS-02): the PAD, on the same line if it is a serial one.

        A PC/SC reader with two slots takes two channels, so there the PAD alone makes the reader: our model.
        """
        line = 0 if self.channel.protocol is ProtocolNumber.PCSC else self.channel.index
        return (self.channel.protocol, line, self.pad.number)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole ``galss.ini``."""

    protocols: tuple[GalssProtocol, ...]
    channels: tuple[GalssChannel, ...]

    def resources(self) -> Iterator[Resource]:
        """Every resource, the channels in REVERSE order of the file, as the GALSS takes them."""
        for number in range(len(self.channels), 0, -1):
            channel = self.channels[number - 1]
            for pad in channel.pads:
                for lad in pad.lads:
                    yield Resource(number, channel, pad, lad)

    def resource(self, name: str) -> Resource | None:
        """The resource of that name or alias: of several, the one the GALSS meets first."""
        return next((resource for resource in self.resources() if name in resource.lad.names), None)

    def usual_names(self) -> tuple[str, str]:
        """The names a client gives for the CPS and for the reader: ``Log_SV`` if there is one, else the Vitale's."""
        return CPS, LOG_SV if self.resource(LOG_SV) is not None else VITALE
