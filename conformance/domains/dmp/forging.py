"""Messages broken in one named way each, all the rest of them right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from lxml import etree

from bifente.conformance.domains.dmp.forged import DmpForgery
from bifente.conformance.domains.dmp.signers import laboratory_user
from bifente.simulator.formats.soap import MtomPart, qname
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.vihf import Vihf
from bifente.simulator.software.lps.client import DmpRequest, MessageTampering

if TYPE_CHECKING:
    from bifente.conformance.bench.scene import Act
    from bifente.conformance.domains.dmp.bench import DmpBench


def tampering(act: Act, bench: DmpBench, forgery: DmpForgery) -> MessageTampering:
    """Return what breaks the next message so."""
    made = MessageTampering()
    if forgery in _VIHF:
        made.vihf = _VIHF[forgery]
    elif forgery in _ASSERTION:
        made.assertion = _ASSERTION[forgery]
    elif forgery in _PARTS:
        made.parts = _PARTS[forgery]
    elif forgery in _REQUEST:
        made.request = _REQUEST[forgery]
    elif forgery is DmpForgery.OTHER_PROFESSIONAL:
        made.user = laboratory_user(act.bench.workshop, "colleague", act.bench.now().date())
    elif forgery is DmpForgery.OTHER_PATIENT:
        other = next(one for one in bench.charts.values() if one is not bench.patient)
        made.vihf = lambda vihf: replace(vihf, patient=other.ins.written)
    elif forgery is DmpForgery.NO_MTOM:
        made.mtom = False
    elif forgery is DmpForgery.OTHER_ACTION:
        made.action = "urn:ihe:iti:2007:CrossGatewayQuery"
    elif forgery is DmpForgery.OTHER_BODY:
        made.body = lambda body: etree.Element("{urn:test}Body")
    elif forgery is DmpForgery.CREATE_ACCESS:
        made.body = lambda body: etree.Element("{urn:si-dmp-patients}createPatientAccess")
    return made


_VIHF: Mapping[DmpForgery, Callable[[Vihf], Vihf]] = {
    DmpForgery.STALE: lambda vihf: replace(vihf, issued=vihf.issued - timedelta(days=1)),
    DmpForgery.FUTURE: lambda vihf: replace(vihf, issued=vihf.issued + timedelta(hours=2)),
    DmpForgery.OTHER_ISSUER: lambda vihf: replace(vihf, issuer="CN=899900000999,C=FR"),
    DmpForgery.OTHER_SUBJECT: lambda vihf: replace(vihf, subject="899900000999"),
    DmpForgery.OTHER_VERSION: lambda vihf: replace(vihf, version="2.0"),
    DmpForgery.OTHER_RESOURCE: lambda vihf: replace(vihf, resource="urn:autre"),
    DmpForgery.NO_ROLE: lambda vihf: replace(vihf, roles=()),
    DmpForgery.NO_SPECIALITY: lambda vihf: replace(vihf, roles=vihf.roles[:1]),
    DmpForgery.NO_SOFTWARE: lambda vihf: replace(vihf, software=replace(vihf.software, homologation="")),
    DmpForgery.OTHER_MODE: lambda vihf: replace(vihf, mode="INDIRECTE"),
    # What one client of the field sends, and TRE_R248 does not have (sources#dmp-clients).
    DmpForgery.FIELD_PURPOSE: lambda vihf: replace(vihf, purpose="urgence"),
    DmpForgery.UNKNOWN_STRUCTURE: lambda vihf: replace(vihf, structure="10B0000099"),
    DmpForgery.OTHER_STRUCTURE: lambda vihf: replace(vihf, structure="1990000010"),
    DmpForgery.OTHER_SECTOR: lambda vihf: replace(vihf, sector="SA33^1.2.250.1.71.4.2.4"),
    DmpForgery.BAD_PATIENT: lambda vihf: replace(vihf, patient=vihf.patient.replace("^NH", "^PI")),
}


def _unsigned(assertion: XmlElement) -> XmlElement:
    for one in assertion.findall(qname("ds:Signature")):
        assertion.remove(one)
    return assertion


def _changed(assertion: XmlElement) -> XmlElement:
    for value in assertion.iter(qname("saml:AttributeValue")):
        if (value.text or "").startswith("SA"):
            value.text = "SA33^1.2.250.1.71.4.2.4"
    return assertion


def _indented(assertion: XmlElement) -> XmlElement:
    etree.indent(assertion)
    return assertion


def _evil(assertion: XmlElement, identifier: str = "_evil") -> XmlElement:
    """Another assertion, unsigned, for another holder."""
    made = _unsigned(deepcopy(assertion))
    made.set("ID", identifier)
    name = made.find(f"{qname('saml:Subject')}/{qname('saml:NameID')}")
    if name is not None:
        name.text = "899900000999"
    return made


def _wrapped(number: int) -> Callable[[XmlElement], XmlElement]:
    """The eight forms of "On Breaking SAML" (2012): where the signed assertion and the evil one stand."""

    def wrap(assertion: XmlElement) -> XmlElement:
        signature = assertion.find(qname("ds:Signature"))
        assert signature is not None  # noqa: S101 - it was just signed
        good, evil = deepcopy(assertion), _evil(assertion)
        if number == 1:  # evil around the signed one
            evil.append(good)
        elif number == 2:  # the signed one inside the signature of the evil one
            moved = deepcopy(signature)
            etree.SubElement(moved, qname("ds:Object")).append(good)
            evil.insert(1, moved)
        elif number == 3:  # the signature moved to the evil one, the signed one beside its parts
            bare = _unsigned(deepcopy(assertion))
            evil.insert(1, deepcopy(signature))
            evil.append(bare)
        elif number == 4:  # both bear one identifier
            evil.set("ID", assertion.get("ID") or "")
            evil.append(good)
        elif number == 5:  # the evil one inside the signed one
            assertion.append(evil)
            return assertion
        elif number == 6:  # the evil one inside an Object of the signature
            etree.SubElement(signature, qname("ds:Object")).append(evil)
            return assertion
        elif number == 7:  # an extension holds the signed one
            holder = etree.SubElement(evil, "{urn:test}Extensions")
            holder.append(good)
            evil.insert(1, deepcopy(signature))
        else:  # the signature alone, its content elsewhere and the evil one with its identifier
            evil.set("ID", assertion.get("ID") or "")
            evil.insert(1, deepcopy(signature))
        return evil

    return wrap


_ASSERTION: Mapping[DmpForgery, Callable[[XmlElement], XmlElement]] = {
    **{DmpForgery(f"wrapped-{number}"): _wrapped(number) for number in range(1, 9)},
    DmpForgery.NO_ASSERTION: lambda assertion: etree.Element("{urn:test}Nothing"),
    DmpForgery.UNSIGNED: _unsigned,
    DmpForgery.CHANGED_AFTER_SIGNING: _changed,
    DmpForgery.INDENTED: _indented,
}


def _swapped(parts: list[MtomPart]) -> list[MtomPart]:
    first, second = parts[:2]
    return [replace(first, content=second.content), replace(second, content=first.content), *parts[2:]]


_PARTS: Mapping[DmpForgery, Callable[[list[MtomPart]], list[MtomPart]]] = {
    DmpForgery.PART_MISSING: lambda parts: parts[1:],
    DmpForgery.PARTS_SWAPPED: _swapped,
    DmpForgery.PART_UNNAMED: lambda parts: [*parts, MtomPart("more@test.invalid", "text/xml", b"<a/>")],
    DmpForgery.PART_CHANGED: lambda parts: [
        replace(parts[0], content=parts[0].content.replace(b"<title>", b"<title>X")),
        *parts[1:],
    ],
}


def _entity(request: DmpRequest) -> DmpRequest:
    laughs = "".join(f'<!ENTITY a{one} "{f"&a{one - 1};" * 10}">' for one in range(1, 10))
    doctype = f'<!DOCTYPE x [<!ENTITY a0 "ha">{laughs}]>'.encode()
    body = re.sub(
        rb"(<\?xml[^>]*\?>\s*)?(<[A-Za-z0-9]+:Envelope)",
        lambda found: (found[1] or b"") + doctype + found[2],
        request.body,
        count=1,
    )
    return replace(request, body=body)


def _soap_11(request: DmpRequest) -> DmpRequest:
    return replace(
        request,
        body=request.body.replace(
            b"http://www.w3.org/2003/05/soap-envelope", b"http://schemas.xmlsoap.org/soap/envelope/"
        ),
    )


def _without_action(request: DmpRequest) -> DmpRequest:
    body = re.sub(rb"<wsa:Action\b.*?</wsa:Action>", b"", request.body, count=1, flags=re.DOTALL)
    return replace(request, body=body, content_type=re.sub(r'; action="[^"]*"', "", request.content_type))


_REQUEST: Mapping[DmpForgery, Callable[[DmpRequest], DmpRequest]] = {
    DmpForgery.ENTITY: _entity,
    DmpForgery.SOAP_11: _soap_11,
    DmpForgery.CUT: lambda request: replace(request, body=request.body[: len(request.body) // 2]),
    DmpForgery.NO_ACTION: _without_action,
}
