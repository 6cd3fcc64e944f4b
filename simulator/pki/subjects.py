"""Subject names of IGC-Santé certificates.

A person's subject ends in one multi-valued RDN (GN + SN + CN): requirement PKI-01. Several client libraries stumble
over it, so a laboratory that flattened it would hide their bugs.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

_SHOWN = {NameOID.GIVEN_NAME: "GN", NameOID.SURNAME: "SN", NameOID.PSEUDONYM: "pseudonym", NameOID.TITLE: "title"}
_Attribute = tuple[x509.ObjectIdentifier, str]


def person(*, title: str, surname: str, given_name: str, national_id: str) -> x509.Name:
    """A professional: C, title, then GN + SN + CN in one RDN; the CN is the 12-digit national id (8 + RPPS).

    Source: decoded official sample certificates (PKI-01), fidelity "documented".
    """
    return _name(
        [(NameOID.COUNTRY_NAME, "FR")],
        [(NameOID.TITLE, title)],
        [(NameOID.GIVEN_NAME, given_name), (NameOID.SURNAME, surname), (NameOID.COMMON_NAME, national_id)],
    )


def anonymous_employee(
    *, title: str, pseudonym: str, national_id: str, structure: str, structure_id: str, department: str
) -> x509.Name:
    """A non-nominative CPE: no names, pseudonym + CN in one RDN, the CN ending in ``/CPET`` and four digits.

    Source: screenshot of such a certificate (SEED-PKI-10, PKI-10), fidelity "observed".
    """
    return _name(
        *_place(structure, structure_id, department, title),
        [(NameOID.PSEUDONYM, pseudonym), (NameOID.COMMON_NAME, national_id)],
    )


def employee(
    *,
    title: str,
    surname: str,
    given_name: str,
    national_id: str,
    structure: str,
    structure_id: str,
    department: str,
) -> x509.Name:
    """A named card holder known by a structure (CPE, CDE, CDA, CPA): the place, then GN + SN + CN in one RDN.

    Modelled on the two above; no such certificate was read.
    """
    return _name(
        *_place(structure, structure_id, department, title),
        [(NameOID.GIVEN_NAME, given_name), (NameOID.SURNAME, surname), (NameOID.COMMON_NAME, national_id)],
    )


def card(number: str) -> x509.Name:
    """A card, not its holder: the technical certificate that is read without contact. Modelled: none was read."""
    return _name(
        [(NameOID.COUNTRY_NAME, "FR")], [(NameOID.TITLE, "Certificat technique TEST")], [(NameOID.COMMON_NAME, number)]
    )


def organisation(*, name: str, structure_id: str, department: str, common_name: str) -> x509.Name:
    """A structure: C, ST (``Rhône (69)``), O legal name, OU 1 + FINESS or 3 + SIRET, and a free CN.

    Source: decoded official sample certificates, fidelity "documented".
    """
    return _name(
        [(NameOID.COUNTRY_NAME, "FR")],
        [(NameOID.STATE_OR_PROVINCE_NAME, department)],
        [(NameOID.ORGANIZATION_NAME, name)],
        [(NameOID.ORGANIZATIONAL_UNIT_NAME, structure_id)],
        [(NameOID.COMMON_NAME, common_name)],
    )


def authority(common_name: str) -> x509.Name:
    """A test authority: C=FR, O=ASIP-SANTE, OU=0002 187512751, OU=IGC-SANTE TEST, CN (SEED-PKI-09)."""
    return _name(
        [(NameOID.COUNTRY_NAME, "FR")],
        [(NameOID.ORGANIZATION_NAME, "ASIP-SANTE")],
        [(NameOID.ORGANIZATIONAL_UNIT_NAME, "0002 187512751")],
        [(NameOID.ORGANIZATIONAL_UNIT_NAME, "IGC-SANTE TEST")],
        [(NameOID.COMMON_NAME, common_name)],
    )


def told(name: x509.Name) -> str:
    """Return a name as people of the field write it (RFC 4514, with the short words for its attributes)."""
    return name.rfc4514_string(_SHOWN)


def _place(structure: str, structure_id: str, department: str, title: str) -> list[list[_Attribute]]:
    return [
        [(NameOID.COUNTRY_NAME, "FR")],
        [(NameOID.STATE_OR_PROVINCE_NAME, department)],
        [(NameOID.ORGANIZATION_NAME, structure)],
        [(NameOID.ORGANIZATIONAL_UNIT_NAME, structure_id)],
        [(NameOID.TITLE, title)],
    ]


def _name(*rdns: list[_Attribute]) -> x509.Name:
    return x509.Name(
        [x509.RelativeDistinguishedName([x509.NameAttribute(oid, value) for oid, value in rdn]) for rdn in rdns]
    )
