"""A sound ``galss.ini`` held against the reader that is really there: names, slots, contactless interfaces."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from bifente.ground.text import Text
from bifente.simulator.middleware import ini
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.findings import Finding, Severity
from bifente.simulator.middleware.galss.model import CPS, VITALE, Configuration, ProtocolNumber
from bifente.simulator.middleware.galss.writing import SlotName
from bifente.simulator.middleware.listing import ListedReader
from bifente.simulator.middleware.recognition import CardKind

_ROLES = {CPS: "cps", VITALE: "vitale"}
_SEEN = {CardKind.CPS: "cps", CardKind.VITALE_1: "vitale", CardKind.VITALE_2: "vitale"}
_OTHER = "other"


def misfits(
    data: bytes, configuration: Configuration, slots: Sequence[SlotName], *, pss: bool | None = None
) -> tuple[Finding, ...]:
    """Return what keeps the GALSS from these slots with this file. ``configuration`` is what ``data`` was read as.

    ``pss`` tells whether the reader speaks the protocol of the homologated ones on a serial line; None where that is
    not known, and nothing is said of a serial channel then.
    """
    return tuple(_misfits(data, configuration, slots, pss))


def slots_seen(readers: Iterable[ListedReader]) -> tuple[SlotName, ...]:
    """Return the slots of readers that were looked at, each in the role of the card that it holds."""
    return tuple(SlotName(_SEEN.get(reader.kind, _OTHER) if reader.kind else "", reader.name) for reader in readers)


def _misfits(
    data: bytes, configuration: Configuration, slots: Sequence[SlotName], pss: bool | None
) -> Iterator[Finding]:
    by_name = {slot.name: slot for slot in slots}
    for number, channel in enumerate(configuration.channels, 1):
        if channel.protocol is not ProtocolNumber.PCSC:
            if pss is False:
                yield _not_serial(_line(data, number), number, tuple(by_name))
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
            elif not slot.role and (other := next((one for one in slots if one.role == _ROLES[lad.name]), None)):
                yield _elsewhere(line, lad.name, slot, other)


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


def _elsewhere(line: int, resource: str, slot: SlotName, other: SlotName) -> Finding:
    return Finding(
        line,
        Text(
            fr=f"la ressource {resource} est liée à {slot.name}, qui est vide : la carte est dans {other.name}",
            en=f"the resource {resource} is bound to {slot.name}, which is empty: the card is in {other.name}",
        ),
        Text(
            fr="y mettre la carte, ou réécrire le fichier (bifente galss make --readers)",
            en="put the card there, or write the file anew (bifente galss make --readers)",
        ),
    )


def _not_serial(line: int, number: int, known: Sequence[str]) -> Finding:
    return Finding(
        line,
        Text(
            fr=f"CANAL{number} est un canal série que ce lecteur n'a pas, il ne parle que PC/SC : aucun n'est vu",
            en=f"CANAL{number} is a serial channel that this reader lacks: it speaks PC/SC only, no reader is seen",
        ),
        Text(
            fr=f"réécrire le fichier avec un canal PC/SC par fente (bifente galss make) : {', '.join(known)}",
            en=f"write the file anew with one PC/SC channel a slot (bifente galss make): {', '.join(known)}",
        ),
        SsvCode.GALSS_NO_ANSWER,
    )
