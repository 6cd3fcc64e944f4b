"""What an assertion says, as values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

SMARTCARD = "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI"
X509_SUBJECT = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"


@dataclass(frozen=True, slots=True)
class CodedValue:
    """A coded value of HL7 v3 (type CE) as the only child of an AttributeValue; ``element`` is its local name."""

    element: str
    code: str
    system: str
    display: str = ""
    system_name: str = ""


@dataclass(frozen=True, slots=True)
class SamlAttribute:
    """One attribute; several values are several AttributeValue of the one Attribute."""

    name: str
    values: tuple[str | CodedValue, ...]


@dataclass(frozen=True, slots=True)
class SamlAuthentication:
    """How the subject was authenticated. ``declaration`` is the AuthnContextDecl, empty where there is none."""

    instant: datetime
    context_class: str = SMARTCARD
    declaration: str = ""


@dataclass(frozen=True, slots=True)
class SamlAssertion:
    """An assertion. ``qualifier`` is the NameQualifier of the subject; times are aware, to the millisecond."""

    id: str
    issued: datetime
    issuer: str
    subject: str
    attributes: tuple[SamlAttribute, ...]
    qualifier: str = ""
    authentication: SamlAuthentication | None = None
    not_before: datetime | None = None
    not_on_or_after: datetime | None = None
    issuer_format: str = X509_SUBJECT

    def named(self, *names: str) -> Iterator[SamlAttribute]:
        """Yield the attributes of these names."""
        yield from (one for one in self.attributes if one.name in names)

    def text(self, *names: str) -> str:
        """Return the first text under one of these names; empty if there is none."""
        for one in self.named(*names):
            for value in one.values:
                if isinstance(value, str):
                    return value
        return ""
