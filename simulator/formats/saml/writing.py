"""Assertions written as XML, in the form of the official samples, and signed."""

from __future__ import annotations

from datetime import UTC, datetime

from lxml import etree

from bifente.simulator.formats.saml.model import CodedValue, SamlAssertion, SamlAttribute
from bifente.simulator.formats.soap.names import NS, qname
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.xmldsig import XmlSigner, signed_with

ASSERTION = qname("saml:Assertion")
_TYPE = qname("xsi:type")


def assertion_element(assertion: SamlAssertion) -> XmlElement:
    """Return it unsigned. Raise ValueError for what XML cannot hold."""
    root = etree.Element(
        ASSERTION,
        {"ID": assertion.id, "IssueInstant": _instant(assertion.issued), "Version": "2.0"},
        nsmap={"saml2": NS["saml"], "xsi": NS["xsi"], "xs": NS["xs"]},
    )
    _child(root, "Issuer", assertion.issuer, {"Format": assertion.issuer_format})
    subject = _child(root, "Subject")
    _child(subject, "NameID", assertion.subject, {"NameQualifier": assertion.qualifier} if assertion.qualifier else {})
    _put_conditions(root, assertion)
    if (how := assertion.authentication) is not None:
        statement = _child(root, "AuthnStatement", None, {"AuthnInstant": _instant(how.instant)})
        context = _child(statement, "AuthnContext")
        _child(context, "AuthnContextClassRef", how.context_class)
        if how.declaration:
            _child(context, "AuthnContextDecl", how.declaration)
    if assertion.attributes:
        statement = _child(root, "AttributeStatement")
        for attribute in assertion.attributes:
            _put_attribute(statement, attribute)
    return root


def signed_assertion(assertion: SamlAssertion, signer: XmlSigner) -> XmlElement:
    """Return it signed, the Signature after the Issuer as the schema wants. What the signer raises comes through."""
    root = assertion_element(assertion)
    return signed_with(signer, root, root.find(qname("saml:Subject")))


def _put_conditions(root: XmlElement, assertion: SamlAssertion) -> None:
    limits = {"NotBefore": assertion.not_before, "NotOnOrAfter": assertion.not_on_or_after}
    given = {name: _instant(limit) for name, limit in limits.items() if limit is not None}
    if given:
        _child(root, "Conditions", None, given)


def _put_attribute(statement: XmlElement, attribute: SamlAttribute) -> None:
    node = _child(statement, "Attribute", None, {"Name": attribute.name})
    for value in attribute.values:
        if isinstance(value, CodedValue):
            _put_coded(_child(node, "AttributeValue"), value)
        else:
            _child(node, "AttributeValue", value, {_TYPE: "xs:string"})


def _put_coded(parent: XmlElement, value: CodedValue) -> None:
    given = {"code": value.code, "codeSystem": value.system}
    if value.system_name:
        given["codeSystemName"] = value.system_name
    if value.display:
        given["displayName"] = value.display
    node = etree.SubElement(parent, f"{{{NS['hl7']}}}{value.element}", given, nsmap={None: NS["hl7"]})  # type: ignore[dict-item]
    node.set(_TYPE, "CE")


def _child(parent: XmlElement, name: str, text: str | None = None, given: dict[str, str] | None = None) -> XmlElement:
    node = etree.SubElement(parent, qname(f"saml:{name}"), given or {})
    node.text = text
    return node


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
