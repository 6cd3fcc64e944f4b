"""A secured sheet as bytes: a zone of groups 9800 to 9809. Modelled: the content of a real secured sheet is not public.

| group | fields |
| --- | --- |
| 9800 | the mark of the laboratory, the version of this form, ``O`` or ``N``: a paper form goes along |
| 9801 | the canonical form of the sheet |
| 9802 | the insured's signature: certificate (DER), value, moment; left out if there is none |
| 9803 | the professional's, alike |
| 9809 | SHA-256 of all that stands before: against accidents, since whoever forges a sheet can compute it too |

One sheet has one writing: what is read back and written again is the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CardSignature, SecuredInvoice, Signer
from bifente.simulator.zones import Group, ZoneError, decode, encode

MARK = b"BIFENTE LABORATOIRE"
VERSION = b"1"
HEADER, CONTENT, INSURED, PROFESSIONAL, CHECKSUM = 9800, 9801, 9802, 9803, 9809
_SIGNATURES = {INSURED: Signer.INSURED, PROFESSIONAL: Signer.PROFESSIONAL}
_COUNTS = {HEADER: 3, CONTENT: 1, INSURED: 3, PROFESSIONAL: 3, CHECKSUM: 1}
_PAPER = {b"O": True, b"N": False}
_MOMENT = re.compile(r"[0-9]{14}")
_CURE = "have the sheet sent again as it was secured"


class SecuredFormatError(FseError):
    """The bytes are no secured sheet. ``content`` is its canonical form if that could be told apart, else None: the
    sheet may be named by it in a refusal, and is not to be believed.
    """

    def __init__(self, place: str, reason: str, cure: str = _CURE, content: bytes | None = None) -> None:
        super().__init__(place, reason, cure)
        self.content = content


def encode_secured(secured: SecuredInvoice) -> bytes:
    """The bytes of a secured sheet. Raises SecuredFormatError for what ``decode_secured`` would not read back."""
    try:
        body = encode(_groups(secured))
        return body + encode((Group(CHECKSUM, (hashlib.sha256(body).digest(),)),))
    except ZoneError as error:
        raise SecuredFormatError("secured sheet", str(error), "make the sheet smaller") from error


def decode_secured(data: bytes) -> SecuredInvoice:
    """The secured sheet in bytes, its form checked and no signature verified. Raises SecuredFormatError."""
    try:
        groups = decode(data)
    except ZoneError as error:
        raise SecuredFormatError("secured sheet", str(error)) from error
    content = next((group.fields[0] for group in groups if group.id == CONTENT and len(group.fields) == 1), None)
    try:
        return _read(groups, data)
    except SecuredFormatError as error:
        raise SecuredFormatError(error.place, error.reason, error.cure, content) from error


def _groups(secured: SecuredInvoice) -> Iterator[Group]:
    yield Group(HEADER, (MARK, VERSION, b"O" if secured.paper else b"N"))
    if not secured.content:
        raise SecuredFormatError("content", "a sheet without content is none", "give its canonical form")
    yield Group(CONTENT, (secured.content,))
    for number, signature in ((INSURED, secured.insured), (PROFESSIONAL, secured.professional)):
        if signature is not None:
            if signature.signer is not _SIGNATURES[number]:
                raise SecuredFormatError(
                    f"group {number}", f"the signature is the {signature.signer}'s", "put each signature at its place"
                )
            _check_moment(number, signature.moment)
            yield Group(number, (signature.certificate, signature.value, signature.moment.encode("ascii")))


def _read(groups: tuple[Group, ...], data: bytes) -> SecuredInvoice:
    ids = [group.id for group in groups]
    if unknown := next((number for number in ids if number not in _COUNTS), None):
        raise SecuredFormatError(f"group {unknown}", "no secured sheet has such a group")
    if ids != sorted(set(ids)) or not {HEADER, CONTENT, CHECKSUM} <= set(ids):
        raise SecuredFormatError("secured sheet", f"its groups are {', '.join(map(str, ids)) or 'none'}")
    fields = {group.id: group.fields for group in groups}
    for number, values in fields.items():
        if len(values) != _COUNTS[number]:
            raise SecuredFormatError(f"group {number}", f"it has {len(values)} fields instead of {_COUNTS[number]}")
    mark, version, paper = fields[HEADER]
    if (mark, version) != (MARK, VERSION) or paper not in _PAPER:
        raise SecuredFormatError("group 9800", "this is not the mark of the laboratory, its version 1, and O or N")
    body = encode(groups[:-1])
    if fields[CHECKSUM] != (hashlib.sha256(body).digest(),):
        raise SecuredFormatError("group 9809", "the bytes before it are not those that were written")
    if not fields[CONTENT][0]:
        raise SecuredFormatError("group 9801", "a sheet without content is none")
    found = SecuredInvoice(
        content=fields[CONTENT][0],
        insured=_signature(INSURED, fields),
        professional=_signature(PROFESSIONAL, fields),
        paper=_PAPER[paper],
    )
    if encode_secured(found) != data:
        raise SecuredFormatError("secured sheet", "it is not written as a secured sheet is")
    return found


def _signature(number: int, fields: dict[int, tuple[bytes, ...]]) -> CardSignature | None:
    if number not in fields:
        return None
    certificate, value, moment = fields[number]
    told = moment.decode("ascii", "replace")
    _check_moment(number, told)
    return CardSignature(_SIGNATURES[number], certificate, value, told)


def _check_moment(number: int, moment: str) -> None:
    if not _MOMENT.fullmatch(moment):
        raise SecuredFormatError(f"group {number}", "its moment is not 14 digits YYYYMMDDHHMMSS")
