"""Files on their way to a body: lots of one sender for one body, named and numbered, in clear or in an envelope.

The sender is of type ``TP`` with its billing number on 14 digits, file numbers have 3 digits (sources#care-sheet). The
name and the header of a file (group 9520, which nobody signs: its SHA-256 follows it) are ours: modelled. Profiles
(``files.yaml``) say what a version of the specification encrypts and carries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.ground.shipped import shipped
from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.envelope import MAX_FILE, is_sealed, seal, unseal
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.frames import LABEL, FrameReader, day_of, day_text, frame, group_of, summed
from bifente.simulator.formats.fse.lots import RawLot, encode_lot, read_lot, understand
from bifente.simulator.formats.fse.model import Lot, LotKind, Nomenclature, SecuringMode, TransportFile

#: Ours, modelled: the header of a file.
FILE_GROUP = 9520
_FIELDS = 8
_FORM = "1"
_SENDER_TYPE = "TP"
_MAX_LOTS = 1000
_NAME = re.compile(r"TP([0-9]{14})-([0-9A-Z]{8,10})-([0-9]{8})-([0-9]{3})\.(fse|dre)(\.p7m)?")


@dataclass(frozen=True, slots=True)
class FileProfile:
    """How files travel under a version of the specification, and what they may carry."""

    name: str
    encrypted: bool
    modes: frozenset[SecuringMode]
    nomenclatures: frozenset[Nomenclature]
    kinds: frozenset[LotKind]
    source: str
    fidelity: str


@dataclass(frozen=True, slots=True)
class FileHead:
    """What a file says of itself. ``sender`` has the 9 digits of a billing number."""

    number: int
    sender: str
    body: str
    on: date
    kind: LotKind


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file out of its envelope, its lots read as far as their frames go."""

    head: FileHead
    lots: tuple[RawLot, ...]


@cache
def file_profiles() -> Mapping[str, FileProfile]:
    """The profiles that are known, by name."""
    return {
        name: FileProfile(
            name,
            item["encrypted"],
            frozenset(map(SecuringMode, item["modes"])),
            frozenset(map(Nomenclature, item["nomenclatures"])),
            frozenset(map(LotKind, item["kinds"])),
            item["source"],
            item["fidelity"],
        )
        for name, item in shipped(__package__, "files.yaml")["profiles"].items()
    }


def _check_still_valid(recipient: x509.Certificate | None, on: date, place: str) -> None:
    if recipient is None:
        return
    since, until = recipient.not_valid_before_utc.date(), recipient.not_valid_after_utc.date()
    if not since <= on <= until:
        cure = "take the body's certificate of today: a file for a key that has ended is answered by 4015"
        raise FseError(place, f"the body's certificate holds from {since} to {until}, not on {on}", cure)


def make_file(
    lots: Sequence[Lot],
    recipient: x509.Certificate | None = None,
    *,
    number: int = 1,
    on: date | None = None,
    profile: str | None = None,
) -> TransportFile:
    """The file of some lots, of ``on`` (default: the day of the last of them), enveloped for ``recipient``.

    ``profile`` defaults to ``1.40`` with a recipient, ``1.40-clear`` without. Lots that are not signed are let through:
    refusing them is up to the body. Raises FseError for lots of several senders, bodies or kinds, and for what the
    profile does not carry.
    """
    head = _head(lots, number, on)
    chosen = profile_named(profile or ("1.40" if recipient else "1.40-clear"))
    place = f"file {number}"
    if chosen.encrypted and recipient is None:
        raise FseError(
            place, f"profile {chosen.name} encrypts, no certificate was given", "give the body's certificate"
        )
    if not chosen.encrypted and recipient is not None:
        raise FseError(place, f"profile {chosen.name} does not encrypt", "take profile 1.40, or give no certificate")
    _check_carried(lots, chosen)
    data = encode_file(head, [encode_lot(lot) for lot in lots])
    _check_still_valid(recipient, head.on, place)
    sealed = seal(data, recipient) if recipient is not None else data
    return TransportFile(number, head.sender, head.body, file_name(head, sealed=recipient is not None), sealed)


def open_file(
    file: TransportFile | bytes, key: RSAPrivateKey | None = None, certificate: x509.Certificate | None = None
) -> tuple[Lot, ...]:
    """The lots of a file. Raises FseError (EnvelopeError, LotError) for a file that is not as it left.

    Signatures are not checked here: those of the sheets and of the lots are the business of who receives them.
    """
    return tuple(understand(raw) for raw in read_file(file, key, certificate).lots)


def read_file(
    file: TransportFile | bytes, key: RSAPrivateKey | None = None, certificate: x509.Certificate | None = None
) -> RawFile:
    """A file out of its envelope, its lots not understood yet: what a front end checks one by one. Raises FseError."""
    data = file if isinstance(file, bytes) else file.data
    if is_sealed(data):
        if key is None or certificate is None:
            raise FseError("file", "it is in an envelope", "give the key and the certificate of the body")
        data = unseal(data, certificate, key)
    raw = _read(data)
    if isinstance(file, TransportFile) and (file.number, file.sender, file.body) != (
        raw.head.number,
        raw.head.sender,
        raw.head.body,
    ):
        raise FseError("file", "what it carries is not what it is announced as", "send it again")
    return raw


def profile_named(name: str) -> FileProfile:
    """A profile by its name. Raises FseError."""
    found = file_profiles().get(name)
    if found is None:
        raise FseError("profile", f"{name!r} is not known", f"take one of {', '.join(file_profiles())}")
    return found


def file_name(head: FileHead, *, sealed: bool) -> str:
    """The name of a file: sender, body, day and number, so that it is the only one of its sender."""
    end = ".p7m" if sealed else ""
    return f"TP{head.sender:0>14}-{head.body}-{day_text(head.on)}-{head.number:03}.{head.kind.value}{end}"


def named(name: str) -> FileHead:
    """What the name of a file says. Raises FseError."""
    match = _NAME.fullmatch(name)
    try:
        if match is None or not match[1].startswith("00000"):
            raise ValueError("its form is TP<14 digits>-<body>-<YYYYMMDD>-<number>.fse or .dre, then .p7m")
        day = day_of(match[3])
    except ValueError as error:
        raise FseError("file name", f"{name!r} is none: {error}", "name it as the bench does") from error
    return FileHead(int(match[4]), match[1][5:], match[2], day, LotKind(match[5]))


def _head(lots: Sequence[Lot], number: int, on: date | None) -> FileHead:
    place = f"file {number}"
    if not 0 <= number <= 999:
        raise FseError(place, "a file number has 3 digits", "count from 0 to 999")
    if not 0 < len(lots) <= _MAX_LOTS:
        raise FseError(place, f"it would carry {len(lots)} lots", f"put in 1 to {_MAX_LOTS}")
    first = lots[0]
    for lot in lots:
        for what, mine, theirs in (
            ("sender", lot.sender, first.sender),
            ("body", lot.body, first.body),
            ("kind", lot.kind, first.kind),
        ):
            if mine != theirs:
                raise FseError(
                    place, f"lots {first.number} and {lot.number} differ in {what}", "make one file for each"
                )
    return FileHead(number, first.sender, first.body, on or max(lot.on for lot in lots), first.kind)


def _check_carried(lots: Sequence[Lot], profile: FileProfile) -> None:
    """Refuse lots of a kind, and sheets of a mode or nomenclature, that the profile does not carry. Raises FseError."""
    if lots[0].kind not in profile.kinds:
        raise FseError(
            f"lot {lots[0].number}",
            f"profile {profile.name} carries no lots of claims ({lots[0].kind.value})",
            "send it under profile 1.40",
        )
    if profile.modes == frozenset(SecuringMode) and profile.nomenclatures == frozenset(Nomenclature):
        return
    for lot in lots:
        for sheet in lot.invoices:
            invoice = parse(sheet.content)
            unknown = []
            if invoice.mode not in profile.modes:
                unknown.append(f"securing mode {int(invoice.mode)}")
            unknown += [
                f"{act.nomenclature} act {act.code}"
                for act in invoice.acts
                if act.nomenclature not in profile.nomenclatures
            ]
            if unknown:
                raise FseError(
                    f"lot {lot.number}, invoice {invoice.number}",
                    f"profile {profile.name} does not know {', '.join(unknown)}",
                    "send it under profile 1.40",
                )


def encode_file(head: FileHead, lots: Sequence[bytes]) -> bytes:
    """A file in clear around the bytes of lots, whatever these are worth. Raises FseError if it is too large."""
    header = group_of(
        FILE_GROUP,
        LABEL,
        _FORM,
        f"{_SENDER_TYPE}{head.sender:0>14}",
        head.body,
        head.kind.value,
        f"{head.number:03}",
        day_text(head.on),
        str(len(lots)),
    )
    data = frame(summed(header)) + b"".join(map(frame, lots))
    if len(data) > MAX_FILE:
        raise FseError(f"file {head.number}", f"{len(data)} bytes are more than {MAX_FILE}", "send fewer lots in it")
    return data


def _read(data: bytes) -> RawFile:
    if len(data) > MAX_FILE:
        raise FseError("file", f"{len(data)} bytes are more than {MAX_FILE}", "send fewer lots in it")
    reader = FrameReader(data, "file")
    label, form, sender, body, kind, number, on, count = reader.summed_group("its header", FILE_GROUP, _FIELDS)
    if label != LABEL or form != _FORM:
        raise reader.error(f"it begins with {label!r}, form {form!r}", f"a file begins with {LABEL}, form {_FORM}")
    try:
        head = named(f"{sender}-{body}-{on}-{number}.{kind}")
    except FseError as error:
        raise reader.error("its header is wrong: " + error.reason, error.cure) from error
    if not re.fullmatch(r"[1-9][0-9]{0,3}", count) or int(count) > _MAX_LOTS:
        raise reader.error(f"its header says {count!r} lots", f"put in 1 to {_MAX_LOTS}")
    lots = []
    for rank in range(1, int(count) + 1):
        raw = read_lot(reader.frame(f"lot {rank} of {count}"))
        if (raw.head.sender, raw.head.body, raw.head.kind) != (head.sender, head.body, head.kind):
            raise reader.error(f"lot {raw.head.number} is not of the sender, body and kind of the file", "split it")
        lots.append(raw)
    reader.end()
    return RawFile(head, tuple(lots))
