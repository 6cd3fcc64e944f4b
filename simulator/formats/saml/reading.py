"""Assertions read back: each thing once, where it belongs. Give it what was signed, not what was received."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from lxml import etree

from bifente.simulator.formats.saml.model import CodedValue, SamlAssertion, SamlAttribute, SamlAuthentication
from bifente.simulator.formats.saml.writing import ASSERTION
from bifente.simulator.formats.soap.names import qname
from bifente.simulator.formats.soap.xml import XmlElement

_SAML = qname("saml:")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


class SamlError(ValueError):
    """An assertion that cannot be read; one sentence, without the values in it."""


def read_assertion(root: XmlElement) -> SamlAssertion:
    """Return what an assertion says. Raise SamlError."""
    if root.tag != ASSERTION:
        raise SamlError("this is no SAML 2.0 Assertion")
    if root.get("Version") != "2.0":
        raise SamlError("Version is not 2.0")
    issuer, subject = _only(root, "Issuer"), _only(_only(root, "Subject"), "NameID")
    conditions = _at_most(root, "Conditions")
    statement = _at_most(root, "AttributeStatement")
    return SamlAssertion(
        id=root.get("ID") or "",
        issued=_instant(root.get("IssueInstant"), "IssueInstant"),
        issuer=_text(issuer),
        issuer_format=issuer.get("Format") or "",
        subject=_text(subject),
        qualifier=subject.get("NameQualifier") or "",
        authentication=_authentication(root),
        not_before=_limit(conditions, "NotBefore"),
        not_on_or_after=_limit(conditions, "NotOnOrAfter"),
        attributes=() if statement is None else tuple(_attribute(one) for one in _all(statement, "Attribute")),
    )


def _authentication(root: XmlElement) -> SamlAuthentication | None:
    statement = _at_most(root, "AuthnStatement")
    if statement is None:
        return None
    context = _only(statement, "AuthnContext")
    declaration = _at_most(context, "AuthnContextDecl")
    reference = _at_most(context, "AuthnContextClassRef")
    return SamlAuthentication(
        _instant(statement.get("AuthnInstant"), "AuthnInstant"),
        "" if reference is None else _text(reference),
        "" if declaration is None else _text(declaration),
    )


def _attribute(node: XmlElement) -> SamlAttribute:
    name = (node.get("Name") or "").strip()
    if not name:
        raise SamlError("an Attribute has no Name")
    return SamlAttribute(name, tuple(_value(one) for one in _all(node, "AttributeValue")))


def _value(node: XmlElement) -> str | CodedValue:
    if not len(node):
        return _text(node)
    inside = [one for one in node if isinstance(one.tag, str)]
    if not inside:
        return _text(node)
    if len(inside) != 1 or (node.text or "").strip():
        raise SamlError("an AttributeValue holds more than one coded value")
    coded = inside[0]
    return CodedValue(
        etree.QName(coded).localname,
        coded.get("code") or "",
        coded.get("codeSystem") or "",
        coded.get("displayName") or "",
        coded.get("codeSystemName") or "",
    )


def _all(parent: XmlElement, name: str) -> list[XmlElement]:
    return list(parent.iterchildren(f"{_SAML}{name}"))


def _at_most(parent: XmlElement, name: str) -> XmlElement | None:
    found = _all(parent, name)
    if len(found) > 1:
        raise SamlError(f"there are {len(found)} {name}, one is expected")
    return found[0] if found else None


def _only(parent: XmlElement, name: str) -> XmlElement:
    found = _at_most(parent, name)
    if found is None:
        raise SamlError(f"{name} is missing")
    return found


def _text(node: XmlElement) -> str:
    if not len(node):
        return (node.text or "").strip()
    if any(isinstance(one.tag, str) for one in node):
        raise SamlError(f"{etree.QName(node).localname} is no text")
    return "".join(str(one) for one in node.itertext()).strip()


def _limit(node: XmlElement | None, name: str) -> datetime | None:
    return None if node is None or node.get(name) is None else _instant(node.get(name), name)


def _instant(text: str | None, name: str) -> datetime:
    found = _INSTANT.fullmatch(text or "")
    if found is None:
        raise SamlError(f"{name} is no time with its zone, e.g. 2026-01-31T09:30:00.000Z")
    try:
        moment = datetime.fromisoformat(found[1] + (found[2] or "")[:7] + found[3].replace("Z", "+00:00"))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SamlError(f"{name} is no time") from None
