"""pcscd's ``reader.conf``: which entries a list of readers needs, written and read back.

One entry is one vpcd driver: Debian's has two slots, on ports P and P+1. pcscd manages 16 slots. Entries that share a
driver *file* share its per-slot state and answer for each other: each entry needs a copy of the file (measured).
Entries that share a name get the same PC/SC names: names must differ (measured on pcscd 1.9.9).
Names may have any printable character for pcscd, but pyscard 2.3.1 fails in ``SCardGetStatusChange`` on a name that is
not ASCII: prefer ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bifente.ground.text import Text
from bifente.simulator.pcsc.errors import Link, PcscdError
from bifente.simulator.readers import Reader, Slot

SLOTS_PER_ENTRY = 2
"""Slots of one entry of Debian's vpcd."""

MAX_ENTRIES = 8
"""16 slots in pcscd (PCSCLITE_MAX_READERS_CONTEXTS), two an entry."""

MAX_NAME_BYTES = 121
"""pcscd's MAX_READERNAME (128) less the seven bytes of " 00 00" and its end; it cuts longer names in silence."""

FIRST_PORT = 20480
"""Below Linux's ephemeral ports (32768 and up), so that no outgoing connection can sit on a reader's port."""

_DIRECTIVE = re.compile(r'[^\S\n]*+(?P<key>[A-Za-z]+)\s+(?:"(?P<quoted>[^"\n]*)"|(?P<bare>[^\s#"]+))')


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry to be made: ``slots[i]`` answers on port ``port + i``."""

    name: str
    port: int
    slots: tuple[Slot, ...]


def plan(readers: Sequence[Reader], first_port: int = FIRST_PORT) -> tuple[Entry, ...]:
    """The entries that ``readers`` need, in order: one for each two slots.

    The third and later slots of one reader need further entries, named "NAME (2)", "NAME (3)"... because pcscd gives
    equal names to entries of equal name. Raises PcscdError (link ``readers``) if pcscd could not show them all.
    """
    entries: list[Entry] = []
    for reader in (device for one in readers for device in one.devices):
        for start in range(0, len(reader.slots), SLOTS_PER_ENTRY):
            rank = start // SLOTS_PER_ENTRY + 1
            name = reader.name if rank == 1 else f"{reader.name} ({rank})"
            _check_name(name)
            port = first_port + SLOTS_PER_ENTRY * len(entries)
            entries.append(Entry(name, port, reader.slots[start : start + SLOTS_PER_ENTRY]))
    if not entries:
        raise _refused("aucun lecteur n'a de fente", "no reader has a slot")
    if len(entries) > MAX_ENTRIES:
        raise _refused(
            f"{len(entries)} entrées de 2 fentes demandées, pcscd en gère {MAX_ENTRIES}",
            f"{len(entries)} entries of 2 slots asked for, pcscd manages {MAX_ENTRIES}",
        )
    names = [entry.name for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise _refused(
                f"deux lecteurs portent le nom {name!r} : pcscd ne les distinguerait pas",
                f"two readers bear the name {name!r}: pcscd would not tell them apart",
            )
    return tuple(entries)


def _check_name(name: str) -> None:
    size = len(name.encode())
    if not 0 < size <= MAX_NAME_BYTES or '"' in name or not name.isprintable() or name != name.strip():
        raise _refused(
            f"nom de lecteur refusé par pcscd : {name!r} ({size} octets)",
            f"reader name that pcscd refuses: {name!r} ({size} bytes)",
        )


def _refused(fr: str, en: str) -> PcscdError:
    return PcscdError(Link.READERS, Text(fr, en))


def render(entries: Sequence[Entry], driver_paths: Sequence[str]) -> str:
    """The text of ``reader.conf``; ``driver_paths`` has one path for each entry."""
    return "\n".join(
        f'FRIENDLYNAME "{entry.name}"\nDEVICENAME /dev/null:{entry.port:#06x}\n'
        f"LIBPATH {path}\nCHANNELID {entry.port:#06x}\n"
        for entry, path in zip(entries, driver_paths, strict=True)
    )


def match_names(entries: Sequence[Entry], listed: Sequence[str]) -> tuple[str, ...]:
    """The PC/SC name of each slot, in slot order, among those a real pcscd lists.

    pcscd appends " XX YY" (device number, slot number, in hexadecimal). Raises PcscdError (link ``reader-listed``) if
    a slot has no name.
    """
    names = []
    for entry in entries:
        for number in range(len(entry.slots)):
            pattern = re.compile(rf"{re.escape(entry.name)} [0-9A-F]{{2}} {number:02X}")
            found = [name for name in listed if pattern.fullmatch(name)]
            if len(found) != 1:
                raise PcscdError(
                    Link.READER_LISTED,
                    Text(
                        f"pcscd montre {len(found)} fois la fente {number} de {entry.name!r} parmi {list(listed)}.",
                        f"pcscd shows slot {number} of {entry.name!r} {len(found)} times among {list(listed)}.",
                    ),
                )
            names.append(found[0])
    return tuple(names)


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """One entry read from a ``reader.conf`` of the machine; ``port`` is None if the entry names none."""

    source: str
    name: str
    driver: str
    port: int | None


def parse(text: str, source: str = "reader.conf") -> tuple[SystemEntry, ...]:
    """The entries of a ``reader.conf``; what cannot be read is passed over, as pcscd does. Never raises."""
    entries: list[dict[str, str]] = []
    for line in text.splitlines():
        # One line at a time: blanks that may run over lines would be tried from each of them again.
        if (directive := _DIRECTIVE.match(line)) is None:
            continue
        key = directive["key"].upper()
        value = directive["quoted"] if directive["quoted"] is not None else directive["bare"]
        if key == "FRIENDLYNAME":
            entries.append({})
        if entries:
            entries[-1][key] = value
    return tuple(
        SystemEntry(source, entry["FRIENDLYNAME"], entry.get("LIBPATH", ""), _port(entry)) for entry in entries
    )


def _port(entry: dict[str, str]) -> int | None:
    # vpcd takes its port from DEVICENAME (after the colon) and, without one, from CHANNELID.
    for text in (entry.get("DEVICENAME", "").rpartition(":")[2], entry.get("CHANNELID", "")):
        try:
            port = int(text, 0)
        except ValueError:
            continue
        if 0 < port <= 0xFFFF:
            return port
    return None
