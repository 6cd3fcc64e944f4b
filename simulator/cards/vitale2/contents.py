"""What the files of a Vitale 2 hold: the public data objects of sources#vitale-card, and the laboratory's rights files.

The rights are the groups of the SSV zones. All but the coverage (group 106) are in EF.RIGHTS, one zone; the coverage
is in EF.COVERAGE, for each beneficiary ``71 { 80 <rank from 1, one byte>  81 <zone of its groups 106> }``. Both are
modelled: nothing public tells how a real card writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bifente.simulator.iso7816 import tlv
from bifente.simulator.zones import Group, ZoneError, decode, encode

BENEFICIARY, RIGHT_PERIOD, COVERAGE = 104, 105, 106

_HOLDER, _NAME, _FIRST_NAME, _BIRTH, _COUNTRY, _NIR = 0x65, 0x80, 0x81, 0x82, 0x90, 0x93
_CARD, _START = 0x66, 0x80
_APPLICATION, _AID, _LABEL, _PAN = 0x61, 0x4F, 0x50, 0x5A
_POINTERS, _ENTRIES, _ENTRY, _FILE = 0xE0, 0xA0, 0x82, 0x80
_COVERED, _RANK, _ZONE = 0x71, 0x80, 0x81
_FILE_NAME_SIZE = 8
_TEXT = "iso-8859-1"


class ContentError(ValueError):
    """The bytes of a file are not what a Vitale 2 holds there."""


@dataclass(frozen=True, slots=True)
class HolderEntry:
    """A holder as the root of the card tells of one. ``born``: YYYYMMDD, the month and the day as they are known."""

    name: str
    first_name: str
    born: str
    country: str


def holders(people: Iterable[HolderEntry]) -> bytes:
    """EF.HOLDERS: one template 65 a holder."""
    return b"".join(
        tlv.encode(
            _HOLDER,
            tlv.encode(_NAME, person.name.encode(_TEXT)),
            tlv.encode(_FIRST_NAME, person.first_name.encode(_TEXT)),
            tlv.encode(_BIRTH, person.born.encode("ascii")),
            tlv.encode(_COUNTRY, person.country.encode("ascii")),
        )
        for person in people
    )


def read_holders(data: bytes) -> tuple[HolderEntry, ...]:
    """The holders in EF.HOLDERS. Raises ContentError."""
    return tuple(
        HolderEntry(*(_text(entry, tag) for tag in (_NAME, _FIRST_NAME, _BIRTH, _COUNTRY)))
        for entry in _templates(data, _HOLDER)
    )


def numbers(nirs: Iterable[str]) -> bytes:
    """EF.NIR: the 15 characters of each holder, in the order of the holders."""
    return b"".join(tlv.encode(_HOLDER, tlv.encode(_NIR, nir.encode("ascii"))) for nir in nirs)


def read_numbers(data: bytes) -> tuple[str, ...]:
    """The numbers in EF.NIR. Raises ContentError."""
    return tuple(_text(entry, _NIR) for entry in _templates(data, _HOLDER))


def card_start(day: str) -> bytes:
    """EF.CARD: the day (YYYYMMDD) from which the card is valid."""
    return tlv.encode(_CARD, tlv.encode(_START, day.encode("ascii")))


def directory(applications: Mapping[str, bytes]) -> bytes:
    """EF.DIR: label and AID of each application."""
    return b"".join(
        tlv.encode(_APPLICATION, tlv.encode(_AID, aid), tlv.encode(_LABEL, label.encode("ascii")))
        for label, aid in applications.items()
    )


def account_number(serial: str) -> bytes:
    """EF.PAN: the serial number, two digits a byte, ended by F if they are odd (its writing is modelled)."""
    return tlv.encode(_PAN, bytes.fromhex(serial + "F" * (len(serial) % 2)))


def pointers(applications: Sequence[tuple[bytes, Sequence[tuple[str, int]]]]) -> bytes:
    """EF.POINTERS: (AID, its files by name and identifier) of each application; its entry number is its rank from 1.

    The two bytes between entry and AID are unknown: zeros.
    """
    entries, files = [], []
    for rank, (aid, own) in enumerate(applications, 1):
        number = rank.to_bytes(2, "big")
        entries.append(tlv.encode(_ENTRY, number, b"\0\0", aid))
        for name, fid in own:
            padded = name.encode("ascii")[:_FILE_NAME_SIZE].ljust(_FILE_NAME_SIZE)
            files.append(tlv.encode(_FILE, padded, number, fid.to_bytes(2, "big")))
    return tlv.encode(_POINTERS, tlv.encode(_ENTRIES, *entries), *files)


def rights(groups: Iterable[Group]) -> bytes:
    """EF.RIGHTS: every group but the coverage."""
    return encode([group for group in groups if group.id != COVERAGE])


def coverage(groups: Iterable[Group]) -> bytes:
    """EF.COVERAGE: the groups 106 of each beneficiary that has some."""
    by_rank: dict[int, list[Group]] = {}
    rank = 0
    for group in groups:
        rank += group.id == BENEFICIARY
        if group.id == COVERAGE:
            by_rank.setdefault(rank, []).append(group)
    return b"".join(
        tlv.encode(_COVERED, tlv.encode(_RANK, bytes((rank,))), tlv.encode(_ZONE, encode(own)))
        for rank, own in by_rank.items()
    )


def read_rights(free: bytes, protected: bytes | None = None) -> tuple[Group, ...]:
    """The groups of a card in the order of a zone: with the coverage of each beneficiary if EF.COVERAGE could be read.

    Raises ContentError.
    """
    try:
        groups = decode(free)
    except ZoneError as error:
        raise ContentError(str(error)) from error
    return with_coverage(groups, protected) if protected else groups


def with_coverage(groups: Sequence[Group], protected: bytes) -> tuple[Group, ...]:
    """The groups of EF.RIGHTS with those of EF.COVERAGE among them, each beneficiary's. Raises ContentError."""
    try:
        covered = _read_coverage(protected)
    except ZoneError as error:
        raise ContentError(str(error)) from error
    merged: list[Group] = []
    rank = 0
    for index, group in enumerate(groups):
        rank += group.id == BENEFICIARY
        merged.append(group)
        following = groups[index + 1].id if index + 1 < len(groups) else None
        if group.id in (BENEFICIARY, RIGHT_PERIOD) and following != RIGHT_PERIOD:
            merged.extend(covered.pop(rank, ()))
    if covered:
        raise ContentError(f"coverage of beneficiary {min(covered)}, who is not on the card")
    return tuple(merged)


def _read_coverage(data: bytes) -> dict[int, tuple[Group, ...]]:
    covered: dict[int, tuple[Group, ...]] = {}
    for entry in _templates(data, _COVERED):
        rank, zone = entry.find(_RANK), entry.find(_ZONE)
        if rank is None or len(rank.value) != 1 or zone is None or rank.value[0] in covered:
            raise ContentError("a coverage has a rank of its own on one byte, and a zone")
        covered[rank.value[0]] = decode(zone.value)
    return covered


def _templates(data: bytes, tag: int) -> tuple[tlv.Tlv, ...]:
    try:
        entries = tlv.parse(data)
    except tlv.TlvError as error:
        raise ContentError(str(error)) from error
    if other := next((entry for entry in entries if entry.tag != tag), None):
        raise ContentError(f"templates {tag:02X} are expected, not {other.tag:02X}")
    return entries


def _text(entry: tlv.Tlv, tag: int) -> str:
    found = entry.find(tag)
    if found is None:
        raise ContentError(f"a template has no object {tag:02X}")
    return found.value.decode(_TEXT)
