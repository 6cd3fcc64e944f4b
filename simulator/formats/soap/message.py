"""A SOAP message as HTTP carries it: plain or in MTOM, its content type checked, its binary contents found."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field

from bifente.ground.text import Text
from bifente.simulator.formats.soap.envelope import SoapEnvelope, opened
from bifente.simulator.formats.soap.faults import SoapCode, SoapFaultError
from bifente.simulator.formats.soap.mtom import (
    MULTIPART,
    MtomError,
    MtomLimits,
    MtomPart,
    MtomRefusal,
    _media_type,
    _parameters,
    resolved,
    unpacked,
)
from bifente.simulator.formats.soap.names import SOAP_TYPE
from bifente.simulator.formats.soap.xml import XmlElement, XmlLimits

UNSUPPORTED_MEDIA_TYPE = 415
_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii", "utf-16"})
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class SoapMessage:
    """An envelope and, by the element that holds each, the parts beside it. ``action`` is that of the content type."""

    envelope: SoapEnvelope
    parts: Mapping[XmlElement, MtomPart] = field(default_factory=dict)
    by_mtom: bool = False
    action: str = ""

    def check_mtom(self) -> None:
        """Raise SoapFaultError, in words, for a message that is not MTOM where the transaction wants it."""
        if not self.by_mtom:
            raise refused(MtomError(MtomRefusal.NOT_MTOM))

    def content(self, holder: XmlElement) -> bytes:
        """Return the bytes of a base64Binary element, sent beside the envelope or in it. Raise SoapFaultError."""
        if holder in self.parts:
            return self.parts[holder].content
        try:
            return b64decode(_BLANKS.sub("", holder.text or ""), validate=True)
        except (Base64Error, ValueError):
            name = holder.tag.rpartition("}")[2]
            raise SoapFaultError(
                SoapCode.SENDER, Text(f"{name} n'est pas en base64", f"{name} is not in base64")
            ) from None


def received(
    content_type: str | None,
    body: bytes,
    limits: XmlLimits | None = None,
    mtom: MtomLimits | None = None,
) -> SoapMessage:
    """Return the message that an HTTP request or answer carries. Raise SoapFaultError, the fault to answer."""
    kind = _media_type(content_type or "")
    if kind == SOAP_TYPE:
        given = _parameters(content_type or "")
        _check_charset(given.get("charset", ""))
        return SoapMessage(opened(body, limits), action=given.get("action", ""))
    if kind != MULTIPART:
        _refuse_type(kind, body)
    try:
        root, others = unpacked(content_type or "", body, mtom)
        envelope = opened(root.content, limits)
        parts = resolved(envelope.root, others)
    except MtomError as error:
        raise refused(error) from None
    inner = _parameters(root.type)
    _check_charset(inner.get("charset", ""))
    action = _parameters(content_type or "").get("action", "") or inner.get("action", "")
    return SoapMessage(envelope, parts, by_mtom=True, action=action)


def refused(error: MtomError) -> SoapFaultError:
    """Return the fault that says why a multipart message is not taken."""
    return SoapFaultError(SoapCode.SENDER, error.text)


def _refuse_type(kind: str, body: bytes) -> None:
    if kind in {"text/xml", "application/xml"} and b"http://schemas.xmlsoap.org/soap/envelope/" in body[:4096]:
        opened(body)  # raises VersionMismatch for SOAP 1.1
    shown = re.sub(r"[^\x21-\x7e]", "?", kind)[:80]
    raise SoapFaultError(
        SoapCode.SENDER,
        Text(
            f"Content-Type {shown or 'absent'} : envoyer {SOAP_TYPE}, ou {MULTIPART} en MTOM",
            f"Content-Type {shown or 'missing'}: send {SOAP_TYPE}, or {MULTIPART} with MTOM",
        ),
        http=UNSUPPORTED_MEDIA_TYPE,
    )


def _check_charset(charset: str) -> None:
    if charset.lower() not in _CHARSETS:
        raise SoapFaultError(
            SoapCode.SENDER,
            Text("charset : UTF-8 est attendu", "charset: UTF-8 is expected"),
            http=UNSUPPORTED_MEDIA_TYPE,
        )
