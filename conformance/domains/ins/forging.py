"""Requests broken in one named way each, the rest of them right: what an attacker or a software gone wrong sends."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

from lxml import etree

from bifente.conformance.domains.ins.forged import Forged
from bifente.simulator.formats.insi import (
    InsMatricule,
    ProfessionalAssertion,
    TraitSearch,
    VitaleSearch,
    action_of,
    context_blocks,
    professional_assertion,
    request_element,
)
from bifente.simulator.formats.insi.requests import Search, operation_of
from bifente.simulator.formats.soap import Addressing, built, element, qname
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.software.insi.credentials import Said

if TYPE_CHECKING:
    from bifente.conformance.domains.ins.bench import InsBench

ALICE = TraitSearch("TESTINS", ("ALICE",), "F", "1980-03-12")
OTHER = "899900000099"


def forged(what: Forged, ins: InsBench, code: str) -> bytes:
    """Return the request. Raise what the card refuses."""
    assertion = _assertion(what, ins, code)
    sender = ins.desk.calls.sender
    search: Search = _SEARCHES.get(what, ALICE)
    action = "urn:other" if what is Forged.OTHER_ACTION else action_of(operation_of(search))
    message_id = {Forged.NO_MESSAGE_ID: "", Forged.SAME_MESSAGE_ID: "uuid:always"}.get(what, f"uuid:{ins.identifier()}")
    addressing = Addressing(action, message_id)
    bam, lps = context_blocks(sender, ins.desk.clock.now(), ins.identifier(), ins.identifier())
    blocks = [one for one in (bam, lps) if (what, one) not in ((Forged.NO_BAM, bam), (Forged.NO_LPS, lps))]
    blocks += addressing.blocks()
    if what is Forged.TWO_ACTIONS:
        blocks += addressing.blocks()[:1]
    if what is Forged.UNKNOWN_MANDATORY:
        blocks.append(element("{urn:other}Payment", "1", attributes={qname("env:mustUnderstand"): "true"}))
    security = element(qname("wsse:Security"), None, [assertion])
    if what is Forged.TWO_ASSERTIONS:
        security.append(deepcopy(assertion))
    if what is not Forged.NO_ASSERTION:
        blocks.append(security)
    content = request_element(search)
    if what is Forged.TWICE:
        content.insert(1, deepcopy(content[0]))
    if what is Forged.WRAPPED_9:
        blocks.append(element("{urn:any}Extensions", None, [_evil(assertion)]))
    data = built(content, blocks).bytes()
    change = _CHANGES.get(what)
    if change is None:
        return data
    root = etree.fromstring(data)
    found = next(root.iter(qname("saml:Assertion")))
    header = found.getparent()
    assert header is not None  # noqa: S101 - it stands in the header
    change(header, found)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


_SEARCHES: Mapping[Forged, Search] = {
    Forged.LOWER_CASE: TraitSearch("Testins", ("ALICE",), "F", "1980-03-12"),
    Forged.ACCENT: TraitSearch("TESTÉ", ("ALICE",), "F", "1980-03-12"),
    Forged.NO_SEX: TraitSearch("TESTINS", ("ALICE",), "", "1980-03-12"),
    Forged.KEPT_VITALE: VitaleSearch(InsMatricule("1801975349002"), None, "", "19800312"),
    Forged.KEPT_OTHER_VITALE: VitaleSearch(InsMatricule("1701975349001"), None, "", "19700119"),
}
_KEPT = frozenset({Forged.KEPT_TRAITS, Forged.KEPT_VITALE, Forged.KEPT_OTHER_VITALE})


def _assertion(what: Forged, ins: InsBench, code: str) -> XmlElement:
    credential = ins.as_card(code, Said())
    if what in _KEPT:
        return credential.security()
    credential.renew()
    if what is Forged.AUTHENTICATION_KEY:
        made = credential.security()
        with ins.meet(code) as card:
            told = b64encode(card.card.certificate).decode("ascii")
        next(made.iter(qname("ds:X509Certificate"))).text = told
        return made
    if what is Forged.ISSUER:
        return _signed_as(ins, code, lambda said: replace(said, issuer=f"CN={OTHER}"))
    if what is Forged.SUBJECT:
        return _signed_as(ins, code, lambda said: replace(said, national_id=OTHER))
    return credential.security()


def _signed_as(
    ins: InsBench, code: str, change: Callable[[ProfessionalAssertion], ProfessionalAssertion]
) -> XmlElement:
    with ins.meet(code) as card:
        said = ins.as_card(code, Said()).told(card)
        return professional_assertion(change(said), card)


def _signature(assertion: XmlElement) -> XmlElement:
    return next(assertion.iter(qname("ds:Signature")))


def _evil(assertion: XmlElement, identifier: str = "_evil") -> XmlElement:
    evil = deepcopy(assertion)
    evil.set("ID", identifier)
    evil.remove(_signature(evil))
    next(evil.iter(qname("saml:NameID"))).text = OTHER
    return evil


def _bare(assertion: XmlElement) -> XmlElement:
    bare = deepcopy(assertion)
    bare.remove(_signature(bare))
    return bare


def _wrapped_1(header: XmlElement, good: XmlElement) -> None:
    evil, bare, signature = _evil(good), _bare(good), _signature(good)
    etree.SubElement(signature, qname("ds:Object")).append(bare)
    evil.insert(1, signature)
    header.replace(good, evil)


def _wrapped_2(header: XmlElement, good: XmlElement) -> None:
    evil = _evil(good)
    evil.insert(1, deepcopy(_signature(good)))
    header.insert(0, evil)


def _wrapped_3(header: XmlElement, good: XmlElement) -> None:
    header.insert(0, _evil(good))


def _wrapped_4(header: XmlElement, good: XmlElement) -> None:
    evil = _evil(good)
    header.replace(good, evil)
    evil.append(good)


def _wrapped_5(header: XmlElement, good: XmlElement) -> None:
    evil, bare = _evil(good), _bare(good)
    evil.insert(1, _signature(good))
    header.replace(good, evil)
    root = header.getparent()
    assert root is not None  # noqa: S101
    root.append(bare)


def _wrapped_6(header: XmlElement, good: XmlElement) -> None:
    evil, bare, signature = _evil(good), _bare(good), _signature(good)
    evil.insert(1, signature)
    signature.append(bare)
    header.replace(good, evil)


def _wrapped_7(header: XmlElement, good: XmlElement) -> None:
    evil = _evil(good, good.get("ID") or "")
    evil.insert(1, deepcopy(_signature(good)))
    header.replace(good, evil)
    hidden = etree.Element("{urn:any}Extensions")
    hidden.append(good)
    root = header.getparent()
    assert root is not None  # noqa: S101
    root.insert(0, hidden)


def _wrapped_8(header: XmlElement, good: XmlElement) -> None:
    evil, signature = _evil(good, good.get("ID") or ""), deepcopy(_signature(good))
    etree.SubElement(signature, qname("ds:Object")).append(deepcopy(good))
    evil.insert(1, signature)
    header.replace(good, evil)


def _another_holder(header: XmlElement, good: XmlElement) -> None:
    next(good.iter(qname("saml:NameID"))).text = OTHER


def _set(path: str, text: str) -> Callable[[XmlElement, XmlElement], None]:
    def change(header: XmlElement, good: XmlElement) -> None:
        next(good.iter(qname(path))).text = text

    return change


def _algorithm(path: str, value: str) -> Callable[[XmlElement, XmlElement], None]:
    return lambda header, good: next(good.iter(qname(path))).set("Algorithm", value)


def _unsigned(header: XmlElement, good: XmlElement) -> None:
    good.remove(_signature(good))


def _indented(header: XmlElement, good: XmlElement) -> None:
    signature = _signature(good)
    good.remove(signature)
    etree.indent(good, "  ")
    good.insert(1, signature)


_CHANGES: Mapping[Forged, Callable[[XmlElement, XmlElement], None]] = {
    Forged.WRAPPED_1: _wrapped_1,
    Forged.WRAPPED_2: _wrapped_2,
    Forged.WRAPPED_3: _wrapped_3,
    Forged.WRAPPED_4: _wrapped_4,
    Forged.WRAPPED_5: _wrapped_5,
    Forged.WRAPPED_6: _wrapped_6,
    Forged.WRAPPED_7: _wrapped_7,
    Forged.WRAPPED_8: _wrapped_8,
    Forged.ANOTHER_HOLDER: _another_holder,
    Forged.DIGEST: _set("ds:DigestValue", "A" * 43 + "="),
    Forged.VALUE: _set("ds:SignatureValue", "A" * 344),
    Forged.UNSIGNED: _unsigned,
    Forged.SHA_1: _algorithm("ds:SignatureMethod", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
    Forged.XSLT: _algorithm("ds:Transform", "http://www.w3.org/TR/1999/REC-xslt-19991116"),
    Forged.INDENTED: _indented,
}
