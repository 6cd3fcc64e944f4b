"""A sound ``galss.ini`` held against the reader that is really there: names, slots, contactless interfaces."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from bifente.ground.text import Text
from bifente.simulator.middleware import ini
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.findings import Finding, Severity
from bifente.simulator.middleware.galss.model import CPS, VITALE, Configuration, ProtocolNumber
from bifente.simulator.middleware.galss.writing import SlotName

_ROLES = {CPS: "cps", VITALE: "vitale"}


def misfits(data: bytes, configuration: Configuration, slots: Sequence[SlotName]) -> tuple[Finding, ...]:
    """What keeps the GALSS from these slots with this file. ``configuration`` is what ``data`` was read as.

    A serial channel names no slot, so nothing is said of one.
    """
    return tuple(_misfits(data, configuration, slots))


def _misfits(data: bytes, configuration: Configuration, slots: Sequence[SlotName]) -> Iterator[Finding]:
    by_name = {slot.name: slot for slot in slots}
    for number, channel in enumerate(configuration.channels, 1):
        if channel.protocol is not ProtocolNumber.PCSC:
            continue
        line = _line(data, number)
        slot = by_name.get(channel.characteristics)
        if slot is None:
            yield _absent(line, number, channel.characteristics, tuple(by_name))
            continue
        for lad in (lad for pad in channel.pads for lad in pad.lads):
            if lad.name not in _ROLES:
                continue
            if lad.name == VITALE and slot.contactless:
                yield _contactless(line, slot)
            elif slot.role in _ROLES.values() and slot.role != _ROLES[lad.name]:
                yield _swapped(line, lad.name, slot)


def _line(data: bytes, number: int) -> int:
    section = ini.read(data).get(f"CANAL{number}")
    entry = section.get("Caracteristiques") if section is not None else None
    return entry.line if entry is not None else 0


def _absent(line: int, number: int, name: str, known: Sequence[str]) -> Finding:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6) or list(known)
    listed = ", ".join(near) or "-"
    return Finding(
        line,
        Text(
            fr=f"CANAL{number} nomme le lecteur {name!r}, qui n'est pas là : longues attentes, puis plus de réponse",
            en=f"CANAL{number} names the reader {name!r}, which is not there: long time-outs, then no answer",
        ),
        Text(
            fr=f"le nom PC/SC doit être exact ; présent : {listed}",
            en=f"the PC/SC name must be exact; present: {listed}",
        ),
        SsvCode.GALSS_NO_ANSWER,
    )


def _contactless(line: int, slot: SlotName) -> Finding:
    return Finding(
        line,
        Text(
            fr=f"la Vitale est liée à l'interface sans contact {slot.name}",
            en=f"the Vitale is bound to the contactless interface {slot.name}",
        ),
        Text(fr="la lier à une fente à contacts", en="bind it to a slot with contacts"),
        severity=Severity.ERROR,
    )


def _swapped(line: int, resource: str, slot: SlotName) -> Finding:
    return Finding(
        line,
        Text(
            fr=f"la ressource {resource} est liée à la fente {slot.role} ({slot.name})",
            en=f"the resource {resource} is bound to the slot {slot.role} ({slot.name})",
        ),
        Text(
            fr="les cartes ont changé de fente : réécrire le fichier (bifente galss make) et relancer le GALSS",
            en="the cards changed slots: write the file anew (bifente galss make) and restart the GALSS",
        ),
    )
