"""What a search asks for, and which resources meet it: parameters, kinds, modifiers (sources#annuaire-sante)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from bifente.simulator.services.directory.dates import date_test
from bifente.simulator.services.directory.resources import Resource

PAGE, LARGEST = 50, 200
"""Results of a page unless asked otherwise (documented), and the most that is advised."""
CONTROL = frozenset(
    {
        *("_count", "_format", "_getpages", "_getpagesoffset", "_bundletype", "_pretty"),
        *("_include", "_include:iterate", "_revinclude", "_elements", "_total", "_summary"),
    }
)
"""Parameters that say how results are given, not which."""
Everything = Callable[[str], Iterable[Resource]]
"""Gives every resource of a kind."""


class SearchError(ValueError):
    """A search that cannot be done. One sentence, as an OperationOutcome says it."""


class SearchKind(StrEnum):
    """The kinds of parameters that there are (FHIR R4, section 3.1.1.4)."""

    STRING = "string"
    TOKEN = "token"  # noqa: S105 - a kind of parameter
    REFERENCE = "reference"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One parameter: what of a resource it looks at. A token has a system and a code, a reference a ``target`` kind."""

    kind: SearchKind
    values: Callable[[Resource], Iterable[Any]]
    target: str = ""


def _identifiers(resource: Resource) -> Iterable[tuple[str, str]]:
    return ((one["system"], one["value"]) for one in resource["identifier"])


def _types(resource: Resource) -> Iterable[tuple[str, str]]:
    codings = (coding for one in resource["identifier"] for coding in one.get("type", {}).get("coding", ()))
    return ((coding["system"], coding["code"]) for coding in codings)


def _systems(resource: Resource) -> Iterable[tuple[str, str]]:
    if resource["resourceType"] == "Organization":
        return [("", "FINESS")]
    return [
        ("", code) for code in ("RPPS", "ADELI") if code == "RPPS" or code in {two for _one, two in _types(resource)}
    ]


def _codes(key: str) -> Callable[[Resource], Iterable[tuple[str, str]]]:
    def values(resource: Resource) -> Iterable[tuple[str, str]]:
        for one in resource.get(key, ()):
            for coding in one.get("code", one)["coding"]:
                yield coding["system"], coding["code"]

    return values


def _names(*parts: str) -> Callable[[Resource], Iterable[str]]:
    def values(resource: Resource) -> Iterable[str]:
        names = resource.get("name", ())
        if isinstance(names, str):
            return [names]
        return [
            text
            for name in names
            for part in parts
            for text in ([name[part]] if isinstance(name[part], str) else name[part])
        ]

    return values


def _cards(resource: Resource) -> Iterable[str]:
    parts = (part for one in resource.get("extension", ()) for part in one.get("extension", ()))
    return (part["valueString"] for part in parts if "valueString" in part)


def _string(values: Callable[[Resource], Iterable[str]]) -> SearchParameter:
    return SearchParameter(SearchKind.STRING, values)


def _token(values: Callable[[Resource], Iterable[tuple[str, str]]]) -> SearchParameter:
    return SearchParameter(SearchKind.TOKEN, values)


def _reference(key: str, target: str) -> SearchParameter:
    return SearchParameter(SearchKind.REFERENCE, lambda one: [one[key]["reference"]] if key in one else [], target)


_MAILBOX = _string(lambda resource: (one["value"] for one in resource.get("telecom", ())))
_COMMON: Mapping[str, SearchParameter] = {
    "_id": _token(lambda resource: [("", resource["id"])]),
    "_lastUpdated": SearchParameter(SearchKind.DATE, lambda resource: [resource["meta"]["lastUpdated"]]),
    "identifier": _token(_identifiers),
    "identifier-type": _token(_types),
    "active": _token(lambda resource: [("", str(resource["active"]).lower())]),
    "data-information-system": _token(_systems),
}
PARAMETERS: Mapping[str, Mapping[str, SearchParameter]] = {
    "Practitioner": {
        **_COMMON,
        "family": _string(_names("family")),
        "given": _string(_names("given")),
        "name": _string(_names("family", "given")),
        "number-smartcard": _string(_cards),
        "mailbox-mss": _MAILBOX,
        "qualification-code": _token(_codes("qualification")),
    },
    "PractitionerRole": {
        **_COMMON,
        "practitioner": _reference("practitioner", "Practitioner"),
        "organization": _reference("organization", "Organization"),
        "role": _token(_codes("code")),
    },
    "Organization": {
        **_COMMON,
        "name": _string(_names()),
        "address-postalcode": _string(lambda resource: (one["postalCode"] for one in resource.get("address", ()))),
    },
    "HealthcareService": _COMMON,
    "Device": _COMMON,
}
"""The resources that there are and what they are searched by. Of the last two the laboratory has none."""


def found(everything: Everything, kind: str, asked: Sequence[tuple[str, str]]) -> list[Resource]:
    """Return the resources that meet every parameter; values with commas are alternatives. Raise SearchError."""
    tests = [_test(everything, kind, name, value) for name, value in asked if name not in CONTROL]
    return [one for one in everything(kind) if all(test(one) for test in tests)]


def page_size(asked: Sequence[tuple[str, str]]) -> int:
    """Return how many results a page has. Raise SearchError."""
    given = next((value for name, value in asked if name == "_count"), "")
    if not given:
        return PAGE
    if not given.isascii() or not given.isdecimal() or len(given) > 6:
        raise SearchError(f"HAPI-0473: _count is a number, not {given[:40]!r}")
    return max(1, int(given))


def _test(everything: Everything, kind: str, name: str, value: str) -> Callable[[Resource], bool]:
    first, dot, rest = name.partition(".")
    word, _colon, modifier = first.partition(":")
    parameter = PARAMETERS[kind].get(word)
    if parameter is None:
        raise SearchError(
            f'HAPI-0524: Unknown search parameter "{word[:80]}" for resource type "{kind}". Valid search parameters '
            f"for this search are: {sorted(PARAMETERS[kind])}"
        )
    if dot:
        return _chained(everything, parameter, f"{kind}:{word}", modifier, rest, value)
    way = "" if parameter.kind is SearchKind.REFERENCE and modifier == parameter.target else modifier
    if (parameter.kind, way) not in _TESTS:
        ways = ", ".join(f":{one}" for kind, one in _TESTS if kind is parameter.kind and one) or "none"
        raise SearchError(f'Unknown modifier ":{modifier[:40]}" of {word}, which is a {parameter.kind}: it has {ways}')
    tests = [_TESTS[parameter.kind, way](one) for one in value.split(",")]
    return lambda resource: any(test(said) for said in parameter.values(resource) for test in tests)


def _chained(
    everything: Everything, parameter: SearchParameter, path: str, modifier: str, rest: str, value: str
) -> Callable[[Resource], bool]:
    """Return the test of ``practitioner.family``: a reference to something that meets another parameter."""
    if parameter.kind is not SearchKind.REFERENCE or modifier not in ("", parameter.target):
        raise SearchError(f'"{path}" is no reference to {modifier or "another resource"}, nothing is chained to it')
    target = parameter.target
    meeting = {f"{target}/{one['id']}" for one in found(everything, target, [(rest, value)])}
    return lambda one: any(said in meeting for said in parameter.values(one))


@lru_cache(maxsize=1024)
def _plain(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))


def _begins(wanted: str) -> Callable[[str], bool]:
    plain = _plain(wanted)
    return lambda said: _plain(said).startswith(plain)


def _contains(wanted: str) -> Callable[[str], bool]:
    plain = _plain(wanted)
    return lambda said: plain in _plain(said)


def _is_token(wanted: str) -> Callable[[tuple[str, str]], bool]:
    system, bar, code = wanted.rpartition("|")
    return lambda said: (not bar or system == said[0]) and (code == said[1] or (bool(system) and not code))


def _refers(wanted: str) -> Callable[[str], bool]:
    ending = f"/{wanted.rpartition('/fhir/v2/')[2]}"
    return lambda said: f"/{said}".endswith(ending)


_TESTS: Mapping[tuple[SearchKind, str], Callable[[str], Callable[[Any], bool]]] = {
    (SearchKind.STRING, ""): _begins,
    (SearchKind.STRING, "contains"): _contains,
    (SearchKind.STRING, "exact"): lambda wanted: lambda said: bool(said == wanted),
    (SearchKind.TOKEN, ""): _is_token,
    (SearchKind.REFERENCE, ""): _refers,
    (SearchKind.DATE, ""): date_test,
}
