"""``galss.ini`` written: from a configuration, and a configuration from the slots of a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from bifente.simulator.middleware import ini
from bifente.simulator.middleware.galss.model import (
    ALIASES,
    CPS,
    LOG_SV,
    MAX_NAME,
    VITALE,
    Configuration,
    GalssChannel,
    GalssProtocol,
    Lad,
    Pad,
    ProtocolNumber,
)
from bifente.simulator.middleware.ini import LineEnd


class GalssSystem(StrEnum):
    """A system the GALSS runs on and whose settings are known."""

    WINDOWS = "windows"
    MACOS = "macos"

    @property
    def line_end(self) -> LineEnd:
        """How its files end their lines; on macOS CR occurs, and LF is what is written today."""
        return LineEnd.CRLF if self is GalssSystem.WINDOWS else LineEnd.LF


LIBRARIES: Mapping[GalssSystem, Mapping[ProtocolNumber, Mapping[int, str]]] = {
    GalssSystem.WINDOWS: {
        # PCSCW32.DLL is not in the public texts: it is PCSCW64.DLL named as PSSINW32.DLL is beside PSSINW64.DLL.
        ProtocolNumber.PSS: {32: "PSSINW32.DLL", 64: "PSSINW64.DLL"},
        ProtocolNumber.PCSC: {32: "PCSCW32.DLL", 64: "PCSCW64.DLL"},
    },
    GalssSystem.MACOS: {
        ProtocolNumber.PSS: {64: "pssinosx.framework"},
        ProtocolNumber.PCSC: {64: "pcscosx.framework"},
    },
}
"""The protocol libraries by system, protocol and word length."""

_PSS_CONFIG = (1000, 20, 15000)
_TEMPO_INIT = {GalssSystem.WINDOWS: (1, 200, 1000), GalssSystem.MACOS: (1, 1500, 1000)}
_SERIAL_LINE = "9600,1,8,0,0"
_SERIAL_PAD = 2


@dataclass(frozen=True, slots=True)
class SlotName:
    """A slot of a reader as the file needs it: the role it plays and its exact PC/SC name.

    The role is that of the card usually there, or really there where that was seen; empty for a slot without card.
    """

    role: str
    name: str
    contactless: bool = False


@lru_cache(maxsize=32)
def generate(configuration: Configuration, line_end: LineEnd = LineEnd.CRLF) -> bytes:
    """The file of a configuration, cp1252. Raises ValueError for a text that cannot stand in one."""
    sections: dict[str, dict[str, str]] = {}
    for protocol in configuration.protocols:
        entries = {"Config": _list(protocol.config)}
        if protocol.tempo_init:
            entries["TempoInit"] = _list(protocol.tempo_init)
        entries["NomLib"] = protocol.library
        if protocol.channels:
            entries["ListeCanaux"] = _list(protocol.channels)
        sections[f"PROTOCOLE{protocol.number.value}"] = entries
    sections["CONFIG"] = {"NbCanaux": str(len(configuration.channels))}
    for number, channel in enumerate(configuration.channels, 1):
        sections[f"CANAL{number}"] = {
            "TCanal": str(channel.protocol.channel_type),
            "Index": str(channel.index),
            "Protocole": str(channel.protocol.value),
            "Caracteristiques": channel.characteristics,
            "NbPAD": str(len(channel.pads)),
        }
        for rank, pad in enumerate(channel.pads, 1):
            sections[f"CANAL{number}.PAD{rank}"] = {"PAD": str(pad.number), "NbLAD": str(len(pad.lads))}
            for place, lad in enumerate(pad.lads, 1):
                aliases = {f"NomAlias{index}": alias for index, alias in enumerate(lad.aliases, 1)}
                sections[f"CANAL{number}.PAD{rank}.LAD{place}"] = {
                    "LAD": str(lad.number),
                    "NomLAD": lad.name,
                    "NbAlias": str(len(lad.aliases)),
                    **aliases,
                }
    return ini.write(sections, line_end)


def for_pcsc(slots: Sequence[SlotName], system: GalssSystem = GalssSystem.WINDOWS, *, bits: int = 64) -> Configuration:
    """The configuration of a PC/SC reader: one channel a slot, CPS first, then Vitale, then the others.

    Roles other than ``cps`` and ``vitale`` get the name of a further CPS (``CPS1``), as three-slot readers have.
    Raises ValueError without a slot for the CPS.
    """
    ordered = [slot for role in ("cps", "vitale") for slot in slots if slot.role == role]
    if not any(slot.role == "cps" for slot in ordered):
        raise ValueError("the reader has no slot for the CPS: a galss.ini needs one")
    ordered += [slot for slot in slots if slot not in ordered]
    channels = []
    further = 0
    for number, slot in enumerate(ordered, 1):
        known = {"cps": CPS, "vitale": VITALE}.get(slot.role)
        if known is None:
            further += 1
        lad = Lad(1, known, (ALIASES[known],)) if known is not None else Lad(1, f"CPS{further}"[:MAX_NAME])
        channels.append(GalssChannel(number, ProtocolNumber.PCSC, slot.name, (Pad(0, (lad,)),)))
    return Configuration(
        (
            GalssProtocol(
                ProtocolNumber.PSS, _library(system, ProtocolNumber.PSS, bits), _PSS_CONFIG, _TEMPO_INIT[system]
            ),
            GalssProtocol(
                ProtocolNumber.PCSC,
                _library(system, ProtocolNumber.PCSC, bits),
                (0,),
                channels=tuple(range(1, len(channels) + 1)),
            ),
        ),
        tuple(channels),
    )


def for_serial(port: int = 1, system: GalssSystem = GalssSystem.WINDOWS, *, bits: int = 32) -> Configuration:
    """The configuration of a homologated reader on a serial port (``port`` is its COM number): three resources."""
    lads = (Lad(0, LOG_SV), Lad(1, CPS, (ALIASES[CPS],)), Lad(2, VITALE, (ALIASES[VITALE],)))
    channel = GalssChannel(port, ProtocolNumber.PSS, _SERIAL_LINE, (Pad(_SERIAL_PAD, lads),))
    library = _library(system, ProtocolNumber.PSS, bits)
    return Configuration((GalssProtocol(ProtocolNumber.PSS, library, _PSS_CONFIG, _TEMPO_INIT[system]),), (channel,))


def _library(system: GalssSystem, protocol: ProtocolNumber, bits: int) -> str:
    known = LIBRARIES[system][protocol]
    if bits not in known:
        raise ValueError(f"no {bits}-bit library of the GALSS is known on {system.value}: {', '.join(map(str, known))}")
    return known[bits]


def _list(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))
