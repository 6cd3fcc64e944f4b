"""The answer, written as one of the servers of the field does, and read whatever style it is in."""

from __future__ import annotations

from enum import StrEnum

from lxml import etree

from bifente.simulator.formats.insi.model import (
    InsiAnswer,
    InsiCode,
    InsiFormError,
    InsMatricule,
    InsRecord,
    InsTraits,
)
from bifente.simulator.formats.insi.names import RESULT, RESULT_NS, TRAITS_NS, VITALE_NS
from bifente.simulator.formats.soap.xml import XmlElement

_TRAITS = (
    ("NomNaissance", "name"),
    ("Prenom", "first"),
    ("ListePrenom", "given"),
    ("Sexe", "sex"),
    ("DateNaissance", "birth_date"),
    ("LieuNaissance", "birth_place"),
)
_MOST_HISTORY = 200


class AnswerStyle(StrEnum):
    """Which prefixes RESULTAT is written with: all were seen, one client reads by regular expressions."""

    NS2 = "ns2"
    DEFAULT = "default"

    @property
    def prefixes(self) -> dict[str | None, str]:
        """Return the declarations, the unused ones of the real server with them."""
        if self is AnswerStyle.NS2:
            return {"ns2": RESULT_NS, "ns3": VITALE_NS, None: TRAITS_NS}
        return {None: RESULT_NS, "ns2": TRAITS_NS, "ns3": VITALE_NS}


def result_element(answer: InsiAnswer, style: AnswerStyle = AnswerStyle.NS2) -> XmlElement:
    """Return RESULTAT."""
    root = etree.Element(RESULT, nsmap=style.prefixes)  # type: ignore[arg-type]  # the stubs know no default one
    report = _put(root, "CR")
    _put(report, "CodeCR", answer.code)
    _put(report, "LibelleCR", answer.label or answer.code.label)
    if answer.active is not None and answer.traits is not None:
        individual = _put(root, "INDIVIDU")
        _put_record(individual, "INSACTIF", answer.active)
        for record in answer.history:
            _put_record(individual, "INSHISTO", record)
        traits = _put(individual, "TIQ")
        for name, attribute in _TRAITS:
            if value := getattr(answer.traits, attribute):
                _put(traits, name, value)
    return root


def read_answer(content: XmlElement) -> InsiAnswer:
    """Return what a RESULTAT says. Raise InsiFormError: what it says is not believed where its form is not right."""
    if content.tag != RESULT:
        raise InsiFormError(etree.QName(content).localname[:60], "is no RESULTAT")
    code = _said(_one(content, "CR"), "CodeCR")
    if code not in {*InsiCode}:
        raise InsiFormError("CodeCR", "is none of 00, 01, 02")
    label = _said(_one(content, "CR"), "LibelleCR")
    individual = content.find(_q("INDIVIDU"))
    if individual is None:
        if code == InsiCode.ONE:
            raise InsiFormError("INDIVIDU", "is missing in an answer 00")
        return InsiAnswer(InsiCode(code), label=label)
    history = individual.findall(_q("INSHISTO"))
    if len(history) > _MOST_HISTORY:
        raise InsiFormError("INSHISTO", f"is there {len(history)} times")
    tiq = _one(individual, "TIQ")
    return InsiAnswer(
        InsiCode(code),
        _record(_one(individual, "INSACTIF")),
        tuple(_record(one) for one in history),
        InsTraits(**{attribute: _said(tiq, name) for name, attribute in _TRAITS}),
        label,
    )


def _record(node: XmlElement) -> InsRecord:
    """In the order of the schema or not: real answers have the dates first."""
    who = _one(node, "IdIndividu")
    matricule = InsMatricule(_said(who, "NumIdentifiant"), _said(who, "Cle"), _said(who, "TypeMatricule"))
    if not matricule.number or not _said(node, "OID"):
        raise InsiFormError(etree.QName(node).localname, "has no number or no OID")
    return InsRecord(matricule, _said(node, "OID"), _said(node, "DateDeb"), _said(node, "DateFin"))


def _put_record(parent: XmlElement, name: str, record: InsRecord) -> None:
    node = _put(parent, name)
    who = _put(node, "IdIndividu")
    _put(who, "NumIdentifiant", record.matricule.number)
    if record.matricule.key:
        _put(who, "Cle", record.matricule.key)
    if record.matricule.type:
        _put(who, "TypeMatricule", record.matricule.type)
    _put(node, "OID", record.oid)
    if record.start:
        _put(node, "DateDeb", record.start)
    if record.end:
        _put(node, "DateFin", record.end)


def _q(name: str) -> str:
    return f"{{{RESULT_NS}}}{name}"


def _put(parent: XmlElement, name: str, text: str | None = None) -> XmlElement:
    node = etree.SubElement(parent, _q(name))
    node.text = text
    return node


def _one(parent: XmlElement, name: str) -> XmlElement:
    found = parent.findall(_q(name))
    if len(found) != 1:
        raise InsiFormError(name, f"is there {len(found)} times, once is expected")
    return found[0]


def _said(parent: XmlElement, name: str) -> str:
    return (parent.findtext(_q(name)) or "").strip()
