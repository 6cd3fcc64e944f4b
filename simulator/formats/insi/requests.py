"""The two requests, written and read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from lxml import etree

from bifente.simulator.formats.insi.model import InsiFormError, InsMatricule, TraitSearch, VitaleSearch
from bifente.simulator.formats.insi.names import InsiOperation
from bifente.simulator.formats.soap import element
from bifente.simulator.formats.soap.xml import XmlElement

Search: TypeAlias = TraitSearch | VitaleSearch
_MATRICULE = ("NumIdentifiant", "Cle", "TypeMatricule")
_LONGEST = 200
_MOST_GIVEN = 20


def operation_of(search: Search) -> InsiOperation:
    """Return the operation that a search is."""
    return InsiOperation.TRAITS if isinstance(search, TraitSearch) else InsiOperation.VITALE


def request_element(search: Search) -> XmlElement:
    """Return what goes into the body."""
    operation = operation_of(search)
    space = operation.namespace
    if isinstance(search, TraitSearch):
        parts = [
            ("NomNaissance", search.name),
            *(("Prenom", one) for one in search.given),
            ("Sexe", search.sex),
            ("DateNaissance", search.birth_date),
            ("LieuNaissance", search.birth_place),
        ]
        children = [element(f"{{{space}}}{name}", text) for name, text in parts if text]
        if search.matricule is not None:
            children += _matricule_parts(search.matricule, space)
    else:
        held = (("MatriculeIndividu", search.individual), ("MatriculeOD", search.insured))
        children = [
            element(f"{{{space}}}{name}", None, _matricule_parts(one, space)) for name, one in held if one is not None
        ]
        said = (
            ("NomNaissance", search.name),
            ("DateNaissance", search.birth_date),
            ("RangNaissance", search.birth_rank),
        )
        children += [element(f"{{{space}}}{name}", text) for name, text in said if text]
    return element(operation.element, None, children, prefixes={"ins": space})


def read_request(content: XmlElement) -> Search:
    """Return the search that the content of a body is. Raise InsiFormError."""
    for operation in InsiOperation:
        if content.tag == operation.element:
            return _traits(content) if operation is InsiOperation.TRAITS else _vitale(content)
    raise InsiFormError(etree.QName(content).localname[:60], "is no search of INSi: RECSANSVITALE or RECVITALE")


def _traits(content: XmlElement) -> TraitSearch:
    order = ("NomNaissance", "Prenom", "Sexe", "DateNaissance", "LieuNaissance", *_MATRICULE)
    parts = list(_parts(content, InsiOperation.TRAITS.namespace, order))
    given = tuple(_text(node) for name, node in parts if name == "Prenom")
    if len(given) > _MOST_GIVEN:
        raise InsiFormError("Prenom", f"is there {len(given)} times")
    once = _once(parts, "Prenom")
    return TraitSearch(
        once.get("NomNaissance", ""),
        given,
        once.get("Sexe", ""),
        once.get("DateNaissance", ""),
        once.get("LieuNaissance", ""),
        InsMatricule(*(once.get(name, "") for name in _MATRICULE)) if "NumIdentifiant" in once else None,
    )


def _vitale(content: XmlElement) -> VitaleSearch:
    order = ("MatriculeIndividu", "MatriculeOD", "NomNaissance", "DateNaissance", "RangNaissance")
    parts = list(_parts(content, InsiOperation.VITALE.namespace, order))
    held = {name: _matricule(node) for name, node in parts if name.startswith("Matricule")}
    once = _once([one for one in parts if not one[0].startswith("Matricule")])
    return VitaleSearch(
        held.get("MatriculeIndividu"),
        held.get("MatriculeOD"),
        once.get("NomNaissance", ""),
        once.get("DateNaissance", ""),
        once.get("RangNaissance", ""),
    )


def _parts(content: XmlElement, space: str, order: tuple[str, ...]) -> Iterator[tuple[str, XmlElement]]:
    """The children, each of a known name and none before the one before it in the schema."""
    at = 0
    for node in content:
        if not isinstance(node.tag, str):
            continue
        name = etree.QName(node)
        if name.namespace != space or name.localname not in order:
            raise InsiFormError(name.localname[:60], "is not expected here")
        place = order.index(name.localname)
        if place < at:
            raise InsiFormError(name.localname, "is not in the order of the schema")
        at = place
        yield name.localname, node


def _once(parts: list[tuple[str, XmlElement]], *many: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, node in parts:
        if name in many:
            continue
        if name in found:
            raise InsiFormError(name, "is there twice")
        found[name] = _text(node)
    return found


def _matricule(node: XmlElement) -> InsMatricule:
    once = _once(list(_parts(node, etree.QName(node).namespace or "", _MATRICULE)))
    return InsMatricule(*(once.get(name, "") for name in _MATRICULE))


def _matricule_parts(matricule: InsMatricule, space: str) -> list[XmlElement]:
    said = zip(_MATRICULE, (matricule.number, matricule.key, matricule.type), strict=True)
    return [element(f"{{{space}}}{name}", text) for name, text in said if text]


def _text(node: XmlElement) -> str:
    if any(isinstance(one.tag, str) for one in node):
        raise InsiFormError(etree.QName(node).localname, "is no text")
    text = "".join(str(one) for one in node.itertext())
    if len(text) > _LONGEST:
        raise InsiFormError(etree.QName(node).localname, f"is longer than {_LONGEST} characters")
    return text
