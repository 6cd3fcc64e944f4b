"""How the results of a search are given: what comes with them, what of them, how many (sources#annuaire-sante)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bifente.simulator.services.directory.resources import Resource
from bifente.simulator.services.directory.search import PARAMETERS, Everything, SearchError, SearchKind

_REFERENCES: Mapping[str, tuple[str, str, str]] = {
    f"{kind}:{name}": (kind, name, parameter.target)
    for kind, parameters in PARAMETERS.items()
    for name, parameter in parameters.items()
    if parameter.kind is SearchKind.REFERENCE
}
"""By the word of ``_include``: the kind that refers, by what, to which kind."""
_TOTALS, _SUMMARIES = ("none", "estimate", "accurate"), ("false", "count")
_KEPT = ("resourceType", "id", "meta", "identifier", "active")
"""What a resource keeps whatever ``_elements`` says: the documentation shows its identifiers and its state."""
_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "Resource encoded in summary mode",
}


def valid_includes(kind: str) -> tuple[list[str], list[str]]:
    """Return what ``_include`` and ``_revinclude`` may say in a search for a kind."""
    forward = [word for word, (source, _name, _target) in _REFERENCES.items() if source == kind]
    return forward, [word for word, (_source, _name, target) in _REFERENCES.items() if target == kind]


@dataclass(frozen=True, slots=True)
class ResultForm:
    """What a search says of its results."""

    includes: tuple[str, ...] = ()
    iterated: tuple[str, ...] = ()
    reversed: tuple[str, ...] = ()
    elements: frozenset[str] = field(default_factory=frozenset)
    total: bool = True
    count_only: bool = False

    @classmethod
    def asked(cls, kind: str, asked: Sequence[tuple[str, str]]) -> ResultForm:
        """Return what is asked in a search for a kind. Raise SearchError."""

        def said(name: str) -> tuple[str, ...]:
            return tuple(value for one, value in asked if one == name)

        forward, backward = valid_includes(kind)
        summary = _one_of("_summary", said("_summary"), _SUMMARIES)
        return cls(
            _valid("_include", said("_include"), forward),
            _valid("_include:iterate", said("_include:iterate"), list(_REFERENCES)),
            _valid("_revinclude", said("_revinclude"), backward),
            frozenset(name.strip() for value in said("_elements") for name in value.split(",") if name.strip()),
            _one_of("_total", said("_total"), _TOTALS) != "none",
            summary == "count" or said("_count")[:1] == ("0",),
        )

    def entries(self, base: str, page: Sequence[Resource], everything: Everything) -> list[dict[str, Any]]:
        """Return the entries of a page: its matches, then what they bring along, each once."""
        brought = self._brought(page, everything)
        return [self._entry(base, one, "match") for one in page] + [
            self._entry(base, one, "include") for one in brought
        ]

    def _entry(self, base: str, one: Resource, mode: str) -> dict[str, Any]:
        return {"fullUrl": f"{base}/{_name(one)}", "resource": self._shown(one), "search": {"mode": mode}}

    def _brought(self, page: Sequence[Resource], everything: Everything) -> list[Resource]:
        known = {_name(one) for one in page}
        brought: list[Resource] = []

        def take(found: Iterable[Resource]) -> list[Resource]:
            new = [one for one in found if _name(one) not in known]
            known.update(map(_name, new))
            brought.extend(new)
            return new

        fresh = take([*_referred(page, self.includes, everything), *_referring(page, self.reversed, everything)])
        fresh = [*page, *fresh]
        while fresh and self.iterated:
            fresh = take(_referred(fresh, self.iterated, everything))
        return brought

    def _shown(self, one: Resource) -> Resource:
        if not self.elements:
            return shown(one)
        kept = {name: value for name, value in shown(one).items() if name in _KEPT or name in self.elements}
        return kept | {"meta": {**kept.get("meta", {}), "tag": [_SUBSETTED]}}


def shown(one: Resource) -> Resource:
    """Return a resource as it is given: an inactive one has no ``meta`` either (ANNUAIRE-05)."""
    return one if one["active"] else {name: value for name, value in one.items() if name != "meta"}


def _name(one: Resource) -> str:
    return f"{one['resourceType']}/{one['id']}"


def _values(one: Resource, word: str) -> Iterable[str]:
    kind, name, _target = _REFERENCES[word]
    return PARAMETERS[kind][name].values(one) if one["resourceType"] == kind else ()


def _referred(page: Iterable[Resource], words: Sequence[str], everything: Everything) -> list[Resource]:
    wanted = {value for one in page for word in words for value in _values(one, word)}
    kinds = dict.fromkeys(value.partition("/")[0] for value in sorted(wanted))
    return [one for kind in kinds for one in everything(kind) if _name(one) in wanted]


def _referring(page: Iterable[Resource], words: Sequence[str], everything: Everything) -> list[Resource]:
    names = {_name(one) for one in page}
    return [one for word in words for one in everything(_REFERENCES[word][0]) if names.intersection(_values(one, word))]


def _valid(parameter: str, words: Sequence[str], valid: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for word in words:
        if word == "*":
            found.extend(valid)
        elif (short := ":".join(word.split(":")[:2])) in valid:
            found.append(short)
        else:
            said = f'HAPI-2015: Invalid {parameter} parameter value: "{word[:80]}". Valid values are: {sorted(valid)}'
            raise SearchError(said)
    return tuple(found)


def _one_of(parameter: str, values: Sequence[str], valid: Sequence[str]) -> str:
    value = values[-1] if values else ""
    if value and value not in valid:
        raise SearchError(f"{parameter} is one of {', '.join(valid)}, not {value[:40]!r}")
    return value
