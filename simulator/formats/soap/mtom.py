"""MTOM and XOP (W3C): binary content beside its envelope, in one multipart/related message.

A message is taken only whole: each xop:Include names a part, each part is named once, the root is XOP of SOAP 1.2.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message as MimeHeaders
from email.parser import HeaderParser
from email.policy import compat32
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import quote, unquote

from lxml import etree

from bifente.ground.text import Text
from bifente.simulator.formats.soap.names import NS, SOAP_TYPE, qname
from bifente.simulator.formats.soap.xml import XmlElement

XOP_TYPE = "application/xop+xml"
MULTIPART = "multipart/related"
ROOT_ID = "root.message@bifente.invalid"
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?\- ]{1,70}")
_DELIMITER_ENDS, _BLANKS, _FOLDED = re.compile(rb"[ \t]*\r\n"), re.compile(rb"\s+"), re.compile(r"\r?\n[ \t]+")
_HEADS = 16_384
"""The most that the headers of a part take."""


class MtomRefusal(StrEnum):
    """Why a multipart message was not taken."""

    NOT_MTOM = "not-mtom"
    BOUNDARY = "boundary"
    MALFORMED = "malformed"
    ROOT = "root"
    MISSING_PART = "missing-part"
    UNREFERENCED = "unreferenced-part"
    TWICE = "part-twice"
    INCLUDE = "include"
    ENCODING = "transfer-encoding"
    TOO_MANY = "too-many-parts"
    TOO_LARGE = "part-too-large"

    @property
    def sentence(self) -> Text:
        """Return the reason in words."""
        return _SENTENCES[self]


_SENTENCES: Mapping[MtomRefusal, Text] = {
    MtomRefusal.NOT_MTOM: Text(
        "le message n'est pas en MTOM : cette transaction attend multipart/related, racine application/xop+xml, "
        "les documents en pièces jointes",
        "you sent no MTOM: this transaction wants multipart/related, its root application/xop+xml, documents as parts",
    ),
    MtomRefusal.BOUNDARY: Text("multipart sans boundary lisible", "multipart without a readable boundary"),
    MtomRefusal.MALFORMED: Text("le multipart est mal formé ou coupé", "the multipart is malformed or cut"),
    MtomRefusal.ROOT: Text(
        "la racine du multipart n'est pas une enveloppe XOP de SOAP 1.2", "the root part is no XOP envelope of SOAP 1.2"
    ),
    MtomRefusal.MISSING_PART: Text("une pièce jointe citée est absente", "a part that is referred to is missing"),
    MtomRefusal.UNREFERENCED: Text("une pièce jointe n'est citée nulle part", "a part is referred to by nothing"),
    MtomRefusal.TWICE: Text("une pièce jointe est là ou est citée deux fois", "a part is there, or used, twice"),
    MtomRefusal.INCLUDE: Text(
        "un xop:Include n'est pas seul ou n'a pas de cid", "an xop:Include is not alone or has no cid"
    ),
    MtomRefusal.ENCODING: Text(
        "Content-Transfer-Encoding : binary, 8bit, 7bit ou base64",
        "Content-Transfer-Encoding: binary, 8bit, 7bit or base64",
    ),
    MtomRefusal.TOO_MANY: Text("il y a trop de pièces jointes", "there are too many parts"),
    MtomRefusal.TOO_LARGE: Text("une pièce jointe est trop longue", "a part is too long"),
}


class MtomError(ValueError):
    """A multipart message that is not taken."""

    def __init__(self, refusal: MtomRefusal, detail: Text | None = None) -> None:
        said = refusal.sentence
        self.refusal = refusal
        self.text = said if detail is None else Text(f"{said.fr} ({detail.fr})", f"{said.en} ({detail.en})")
        super().__init__(self.text.en)


@dataclass(frozen=True, slots=True)
class MtomLimits:
    """The most that is read: parts, and bytes of each."""

    parts: int = 64
    part: int = 67_108_864


@dataclass(frozen=True, slots=True)
class MtomPart:
    """One part: ``id`` without its angle brackets, ``type`` its media type with parameters, as received."""

    id: str
    type: str
    content: bytes = field(repr=False)


def include(part_id: str) -> XmlElement:
    """Return the element that stands for a part."""
    return etree.Element(qname("xop:Include"), {"href": "cid:" + quote(part_id, safe="@.-_")}, nsmap={"xop": NS["xop"]})


def packed(
    envelope: bytes, parts: Sequence[MtomPart], boundary: str = "MIMEBoundary-bifente-0", action: str = ""
) -> tuple[str, bytes]:
    """Return content type and body of an MTOM message. Raise ValueError for a boundary that a part contains."""
    named = [MtomPart(ROOT_ID, f'{XOP_TYPE}; charset=UTF-8; type="{SOAP_TYPE}"', envelope), *parts]
    delimiter = b"--" + boundary.encode("ascii")
    if not _BOUNDARY.fullmatch(boundary) or any(b"\r\n" + delimiter in part.content for part in named):
        raise ValueError("another boundary is needed")
    pieces = []
    for part in named:
        head = (
            f"Content-Type: {part.type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{part.id}>\r\n\r\n"
        ).encode()
        pieces.append(delimiter + b"\r\n" + head + part.content + b"\r\n")
    body = b"".join(pieces) + delimiter + b"--\r\n"
    more = f'; action="{action}"' if action else ""
    return (
        f'{MULTIPART}; boundary="{boundary}"; type="{XOP_TYPE}"; start="<{ROOT_ID}>"; start-info="{SOAP_TYPE}"{more}',
        body,
    )


def unpacked(content_type: str, body: bytes, limits: MtomLimits | None = None) -> tuple[MtomPart, tuple[MtomPart, ...]]:
    """Return the root part and the others. Raise MtomError."""
    parts = split(content_type, body, limits)
    parameters = _parameters(content_type)
    start = _bare(parameters.get("start", ""))
    roots = [part for part in parts if part.id == start] if start else list(parts[:1])
    if len(roots) != 1:
        raise MtomError(
            MtomRefusal.ROOT, Text(f"{len(roots)} pièces sont la racine", f"{len(roots)} parts are the start")
        )
    root = roots[0]
    kind, inner = _media_type(root.type), _parameters(root.type).get("type", "")
    if kind != XOP_TYPE:
        attached = Text(" ; SOAP with Attachments est autre chose", "; SOAP with attachments is another thing")
        more = attached if kind == SOAP_TYPE else Text.same("")
        raise MtomError(
            MtomRefusal.ROOT,
            Text(
                f"{kind or 'aucun type'} au lieu de {XOP_TYPE}{more.fr}",
                f"{kind or 'no type'} instead of {XOP_TYPE}{more.en}",
            ),
        )
    if _media_type(inner) != SOAP_TYPE:
        found = _media_type(inner)
        raise MtomError(
            MtomRefusal.ROOT,
            Text(
                f"type {found or 'absent'} au lieu de {SOAP_TYPE} : la bibliothèque SOAP annonce une autre version",
                f"type {found or 'missing'} instead of {SOAP_TYPE}: the SOAP library announces another version",
            ),
        )
    return root, tuple(part for part in parts if part is not root)


def split(content_type: str, body: bytes, limits: MtomLimits | None = None) -> tuple[MtomPart, ...]:
    """Return the parts of a multipart message, in order (RFC 2046, section 5.1). Raise MtomError."""
    boundary = _parameters(content_type).get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise MtomError(MtomRefusal.BOUNDARY)
    most = limits or MtomLimits()
    parts: list[MtomPart] = []
    for start, end in _spans(boundary.encode("ascii"), body):
        if len(parts) >= most.parts:
            raise MtomError(MtomRefusal.TOO_MANY, Text(f"plus de {most.parts}", f"more than {most.parts}"))
        parts.append(_part(body, start, end, most))
    if not parts:
        raise MtomError(MtomRefusal.MALFORMED, Text("aucune pièce", "no part"))
    names = [part.id for part in parts]
    if len(set(names)) != len(names):
        raise MtomError(MtomRefusal.TWICE, Text("deux pièces ont un même Content-ID", "two parts have one Content-ID"))
    return tuple(parts)


def _spans(boundary: bytes, body: bytes) -> Iterator[tuple[int, int]]:
    """Where each part begins and ends. What stands before the first delimiter and after the last one is no part."""
    delimiter = b"\r\n--" + boundary
    first = body.startswith(delimiter[2:])
    at, begun = (-2 if first else body.find(delimiter)), -1
    while at != -1:
        after = at + len(delimiter)
        closing = body.startswith(b"--", after)
        line = _DELIMITER_ENDS.match(body, after)
        if closing or line:
            if begun >= 0:
                yield begun, at
            if closing:
                return
            assert line is not None  # noqa: S101 - one of the two matched
            begun = line.end()
            # The end of this line may be the beginning of the next delimiter.
            after = begun - 2
        at = body.find(delimiter, after)
    if begun < 0 and delimiter[1:] + b"\n" in body:
        raise MtomError(
            MtomRefusal.MALFORMED,
            Text("ses lignes finissent par LF seul, MIME veut CRLF", "its lines end in LF alone, MIME wants CRLF"),
        )
    if begun >= 0:
        raise MtomError(MtomRefusal.MALFORMED, Text("pas de boundary final", "no closing boundary"))
    raise MtomError(MtomRefusal.MALFORMED, Text("le boundary n'est pas dans le corps", "no boundary in the body"))


def _part(body: bytes, start: int, end: int, limits: MtomLimits) -> MtomPart:
    blank = start - 2 if body.startswith(b"\r\n", start) else body.find(b"\r\n\r\n", start, min(end, start + _HEADS))
    if blank == -1:
        raise MtomError(
            MtomRefusal.MALFORMED,
            Text("une pièce dont les en-têtes ne finissent pas", "a part without an end of its headers"),
        )
    content = body[min(blank + 4, end) : end]
    if len(content) > limits.part:
        raise MtomError(MtomRefusal.TOO_LARGE, Text(f"plus de {limits.part} octets", f"more than {limits.part} bytes"))
    headers = HeaderParser(policy=compat32).parsestr(body[start : max(start, blank)].decode("latin-1"))
    encoding = _header(headers, "content-transfer-encoding").lower() or "binary"
    if encoding == "base64":
        try:
            content = b64decode(_BLANKS.sub(b"", content), validate=True)
        except Base64Error:
            raise MtomError(MtomRefusal.MALFORMED, Text("base64 faux", "bad base64")) from None
    elif encoding not in {"binary", "8bit", "7bit"}:
        raise MtomError(MtomRefusal.ENCODING, Text.same(encoding[:40]))
    return MtomPart(_bare(_header(headers, "content-id")), _header(headers, "content-type"), content)


def _header(headers: MimeHeaders, name: str) -> str:
    """A header with its folding taken out."""
    return _FOLDED.sub(" ", str(headers.get(name, ""))).strip()


def resolved(root: XmlElement, parts: Sequence[MtomPart]) -> Mapping[XmlElement, MtomPart]:
    """Return, by the element that holds its xop:Include, the part that is its content. Raise MtomError."""
    by_id = {part.id: part for part in parts}
    found: dict[XmlElement, MtomPart] = {}
    used: set[str] = set()
    for place in root.iter(qname("xop:Include")):
        holder, name = place.getparent(), _cid(place)
        if holder is None or len(holder) != 1 or (holder.text or "").strip() or (place.tail or "").strip():
            raise MtomError(
                MtomRefusal.INCLUDE, Text("il n'est pas seul dans son élément", "it is not alone in its element")
            )
        if name not in by_id:
            raise MtomError(MtomRefusal.MISSING_PART, Text.same(f"cid:{name}"[:120]))
        if name in used:
            raise MtomError(MtomRefusal.TWICE, Text.same(f"cid:{name}"[:120]))
        used.add(name)
        found[holder] = by_id[name]
    if left := [name for name in by_id if name not in used]:
        raise MtomError(MtomRefusal.UNREFERENCED, Text.same(f"cid:{left[0]}"[:120]))
    return found


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _parameters(value: str) -> Mapping[str, str]:
    """The parameters of a media type, their names in lower case."""
    return _read_parameters(value[:2048])


# Several parts of this room ask of one message, and messages to one service are of few types.
@lru_cache(maxsize=64)
def _read_parameters(value: str) -> Mapping[str, str]:
    headers = MimeHeaders()
    # Folding and control characters have no business there.
    headers["Content-Type"] = re.sub(r"[\x00-\x1f]", " ", value)
    found = headers.get_params(failobj=[], unquote=True)
    return MappingProxyType({str(name).lower(): str(given) for name, given in found[1:]})


def _bare(content_id: str) -> str:
    return content_id.strip().removeprefix("<").removesuffix(">")


def _cid(place: XmlElement) -> str:
    href = place.get("href") or ""
    scheme, _colon, name = href.partition(":")
    if scheme.lower() != "cid" or not name:
        raise MtomError(MtomRefusal.INCLUDE, Text("son href n'est pas un cid", "its href is no cid"))
    return unquote(name)
