"""The two context headers: who sends (ContexteBAM v01_02), with which software (ContexteLPS v01_00)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from bifente.simulator.formats.insi.model import InsiFormError
from bifente.simulator.formats.insi.names import BAM, BAM_NS, LPS, LPS_NS
from bifente.simulator.formats.soap import SoapEnvelope, element
from bifente.simulator.formats.soap.xml import XmlElement

BAM_VERSION, LPS_VERSION = "01_02", "01_00"
_IDAM_KIND = "4"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class InsiSender:
    """Who sends. ``idam`` is the authorisation number of the software, ``instance`` a UUID of this installation."""

    sender: str
    idam: str
    version: str
    instance: str
    name: str


def context_blocks(sender: InsiSender, at: datetime, bam_id: str, lps_id: str) -> tuple[XmlElement, XmlElement]:
    """Return both headers. ``at`` is aware."""
    when = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
    bam = element(
        BAM,
        None,
        [
            element(f"{{{BAM_NS}}}Id", bam_id),
            element(f"{{{BAM_NS}}}Temps", when),
            element(f"{{{BAM_NS}}}Emetteur", sender.sender),
            element(f"{{{BAM_NS}}}COUVERTURE"),
        ],
        {"Version": BAM_VERSION},
        {"ctxbam": BAM_NS},
    )
    software = element(
        f"{{{LPS_NS}}}LPS",
        None,
        [
            element(f"{{{LPS_NS}}}IDAM", sender.idam, attributes={"R": _IDAM_KIND}),
            element(f"{{{LPS_NS}}}Version", sender.version),
            element(f"{{{LPS_NS}}}Instance", sender.instance),
            element(f"{{{LPS_NS}}}Nom", sender.name),
        ],
    )
    lps = element(
        LPS,
        None,
        [
            element(f"{{{LPS_NS}}}Id", lps_id),
            element(f"{{{LPS_NS}}}Temps", when),
            element(f"{{{LPS_NS}}}Emetteur", sender.sender),
            software,
        ],
        {"Nature": "CTXLPS", "Version": LPS_VERSION},
        {"ctxlps": LPS_NS},
    )
    return bam, lps


def read_sender(envelope: SoapEnvelope) -> InsiSender:
    """Return who sent a message, from its context headers. Raise InsiFormError, or SoapFaultError for a double one."""
    bam, lps = _block(envelope, BAM, BAM_VERSION), _block(envelope, LPS, LPS_VERSION)
    for block, space in ((bam, BAM_NS), (lps, LPS_NS)):
        for name in ("Id", "Temps"):
            if not _said(block, space, name):
                raise InsiFormError(f"{etree.QName(block).localname}/{name}", "is missing")
        _check_time(_said(block, space, "Temps"), etree.QName(block).localname)
    if bam.find(f"{{{BAM_NS}}}COUVERTURE") is None:
        raise InsiFormError("ContexteBAM/COUVERTURE", "is missing: it may be empty, not absent")
    if lps.get("Nature") not in (None, "CTXLPS"):
        raise InsiFormError("ContexteLPS/Nature", "is CTXLPS")
    software = lps.find(f"{{{LPS_NS}}}LPS")
    if software is None:
        raise InsiFormError("ContexteLPS/LPS", "is missing")
    idam = software.find(f"{{{LPS_NS}}}IDAM")
    if idam is None or idam.get("R") != _IDAM_KIND:
        raise InsiFormError("ContexteLPS/LPS/IDAM", f'is missing, or its R is not "{_IDAM_KIND}"')
    return InsiSender(
        _said(lps, LPS_NS, "Emetteur") or _said(bam, BAM_NS, "Emetteur"),
        _said(software, LPS_NS, "IDAM"),
        _said(software, LPS_NS, "Version"),
        _said(software, LPS_NS, "Instance"),
        _said(software, LPS_NS, "Nom"),
    )


def _block(envelope: SoapEnvelope, name: str, version: str) -> XmlElement:
    found = envelope.header(name)
    local = etree.QName(name).localname
    if found is None:
        raise InsiFormError(local, "is missing in the header")
    if found.get("Version") != version:
        raise InsiFormError(f"{local}/Version", f"is not {version}")
    return found


def _check_time(text: str, where: str) -> None:
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise InsiFormError(f"{where}/Temps", "is no xsd:dateTime") from None


def _said(parent: XmlElement, space: str, name: str) -> str:
    return (parent.findtext(f"{{{space}}}{name}") or "").strip()[:_LONGEST]
