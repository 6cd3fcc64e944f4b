"""What a search asks for, and which entries meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bifente.simulator.services.directory.entries import DirectoryEntry, Register
from bifente.simulator.services.directory.resources import Resource, organization, practitioner, roles

PAGE, LARGEST = 50, 200
"""Results of a page unless asked otherwise (documented), and the most that is advised."""
CONTROL = frozenset({"_count", "_format", "_getpages", "_getpagesoffset", "_bundletype", "_pretty"})


class SearchError(ValueError):
    """A search that cannot be done. One sentence, as an OperationOutcome says it."""


def _by_identifier(resource: Resource, wanted: str) -> bool:
    system, bar, value = wanted.rpartition("|")
    return any(
        one["value"] == value and (not bar or not system or one["system"] == system) for one in resource["identifier"]
    )


def _by_type(resource: Resource, wanted: str) -> bool:
    kinds = {coding["code"] for one in resource["identifier"] for coding in one.get("type", {}).get("coding", ())}
    return wanted.rpartition("|")[2] in kinds


def _named(part: str) -> Callable[[Resource, str], bool]:
    def meets(resource: Resource, wanted: str) -> bool:
        names = resource.get("name", ())
        if isinstance(names, str):
            return names.lower().startswith(wanted.lower())
        texts = [name["family"] for name in names if part != "given"]
        texts += [given for name in names if part != "family" for given in name["given"]]
        return any(text.lower().startswith(wanted.lower()) for text in texts)

    return meets


def _by_card(resource: Resource, wanted: str) -> bool:
    parts = (part for one in resource.get("extension", ()) for part in one.get("extension", ()))
    return any(part.get("valueString") == wanted for part in parts)


def _by_mailbox(resource: Resource, wanted: str) -> bool:
    return any(one["value"].lower() == wanted.lower() for one in resource.get("telecom", ()))


def _by_qualification(resource: Resource, wanted: str) -> bool:
    codes = (coding["code"] for one in resource.get("qualification", ()) for coding in one["code"]["coding"])
    return wanted.rpartition("|")[2] in codes


def _refers(key: str) -> Callable[[Resource, str], bool]:
    return lambda resource, wanted: (
        resource.get(key, {}).get("reference", "").rpartition("/")[2] == (wanted.rpartition("/")[2])
    )


def _by_department(resource: Resource, wanted: str) -> bool:
    return any(one["postalCode"].startswith(wanted) for one in resource.get("address", ()))


_COMMON: Mapping[str, Callable[[Resource, str], bool]] = {
    "_id": lambda resource, wanted: resource["id"] == wanted,
    "identifier": _by_identifier,
    "identifier-type": _by_type,
    "active": lambda resource, wanted: str(resource["active"]).lower() == wanted.lower(),
    "data-information-system": lambda resource, wanted: wanted.upper() in {"RPPS", "FINESS", "ADELI"},
}
PARAMETERS: Mapping[str, Mapping[str, Callable[[Resource, str], bool]]] = {
    "Practitioner": {
        **_COMMON,
        "family": _named("family"),
        "given": _named("given"),
        "name": _named("name"),
        "number-smartcard": _by_card,
        "mailbox-mss": _by_mailbox,
        "qualification-code": _by_qualification,
    },
    "PractitionerRole": {**_COMMON, "practitioner": _refers("practitioner"), "organization": _refers("organization")},
    "Organization": {**_COMMON, "name": _named("name"), "address-postalcode": _by_department},
    "HealthcareService": _COMMON,
    "Device": _COMMON,
}
"""The resources that there are and what they are searched by. Of the last two the laboratory has none."""


def resources(register: Register, kind: str, *, december: bool = False) -> list[Resource]:
    """Return every resource of a kind."""
    if kind == "Practitioner":
        return [practitioner(entry, december=december) for entry in register]
    if kind == "PractitionerRole":
        return [role for entry in register for role in roles(entry)]
    if kind == "Organization":
        found = {place.structure_id: organization(place, entry.department) for entry, place in _places(register)}
        return list(found.values())
    return []


def _places(register: Iterable[DirectoryEntry]) -> Iterable[tuple[DirectoryEntry, Any]]:
    return ((entry, place) for entry in register for place in entry.places)


def found(all_of_a_kind: Iterable[Resource], kind: str, asked: Sequence[tuple[str, str]]) -> list[Resource]:
    """Return those that meet every parameter; values with commas are alternatives. Raise SearchError."""
    known = PARAMETERS[kind]
    tests: list[tuple[Callable[[Resource, str], bool], list[str]]] = []
    for name, value in asked:
        if name in CONTROL:
            continue
        if (test := known.get(name.partition(":")[0])) is None:
            raise SearchError(
                f'HAPI-0524: Unknown search parameter "{name}" for resource type "{kind}". Valid search parameters '
                f"for this search are: {sorted(known)}"
            )
        tests.append((test, value.split(",")))
    return [one for one in all_of_a_kind if all(any(test(one, value) for value in values) for test, values in tests)]


def page_size(asked: Sequence[tuple[str, str]]) -> int:
    """Return how many results a page has. Raise SearchError."""
    given = next((value for name, value in asked if name == "_count"), "")
    if not given:
        return PAGE
    if not given.isascii() or not given.isdecimal() or len(given) > 6:
        raise SearchError(f"HAPI-0473: _count is a number, not {given[:40]!r}")
    return max(1, int(given))
