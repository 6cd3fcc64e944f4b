"""The conduct of a client, judged from what the service received alone: any program's, ours or an editor's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.insi import InsiCode, VitaleSearch
from bifente.simulator.services.insi.service import InsiEvent

_PATIENCE, _RETRIES = timedelta(minutes=1), 3
_FINAL = frozenset({"no-right", "unknown-software", "two-credentials"})


@dataclass(frozen=True, slots=True)
class InsiRule:
    """A rule with its words."""

    id: str
    requirements: tuple[str, ...]
    says: Text
    cure: Text


@dataclass(frozen=True, slots=True)
class InsiFinding:
    """A rule that a client broke; ``request`` counts from 1 which one showed it."""

    rule: InsiRule
    request: int


@cache
def conduct_rules() -> Mapping[str, InsiRule]:
    """Return every rule by its id."""
    rows = shipped("bifente.simulator.services.insi", "conduct.yaml")["rules"]
    return {
        row["id"]: InsiRule(row["id"], tuple(row["requirements"]), Text(**row["says"]), Text(**row["cure"]))
        for row in rows
    }


def judged(events: Sequence[InsiEvent]) -> tuple[InsiFinding, ...]:
    """Return what a client did wrong, in the order of the requests, each rule at each request once."""
    rules = conduct_rules()
    found = [InsiFinding(rules[name], at + 1) for name, look in _LOOKS.items() for at in look(events)]
    return tuple(sorted(found, key=lambda one: (one.request, one.rule.id)))


def _repeated(events: Sequence[InsiEvent]) -> Iterator[int]:
    answered = set()
    for at, event in enumerate(events):
        if event.search is None or event.outcome not in {*InsiCode}:
            continue
        if event.search in answered:
            yield at
        answered.add(event.search)


def _same_id(events: Sequence[InsiEvent]) -> Iterator[int]:
    seen = set()
    for at, event in enumerate(events):
        if event.message_id and event.message_id in seen:
            yield at
        seen.add(event.message_id)


def _storm(events: Sequence[InsiEvent]) -> Iterator[int]:
    failed: defaultdict[object, list[InsiEvent]] = defaultdict(list)
    for at, event in enumerate(events):
        if event.outcome != "technical" or event.search is None:
            continue
        before = [one for one in failed[event.search] if event.at - one.at < _PATIENCE]
        if len(before) > _RETRIES:
            yield at
        failed[event.search].append(event)


def _refused_for(*outcomes: str) -> Callable[[Sequence[InsiEvent]], Iterator[int]]:
    return lambda events: (at for at, event in enumerate(events) if event.outcome in outcomes)


def _shared_assertion(events: Sequence[InsiEvent]) -> Iterator[int]:
    whose: dict[str, VitaleSearch] = {}
    for at, event in enumerate(events):
        if event.assertion and isinstance(event.search, VitaleSearch):
            first = whose.setdefault(event.assertion, event.search)
            if _card(first) != _card(event.search):
                yield at


def _card(search: VitaleSearch) -> str:
    """Whose card a search is from: the insured's number, else the person's own."""
    held = search.insured or search.individual
    return held.number if held is not None else ""


def _insists(events: Sequence[InsiEvent]) -> Iterator[int]:
    refused = set()
    for at, event in enumerate(events):
        if event.outcome not in _FINAL:
            continue
        if (event.outcome, event.search) in refused:
            yield at
        refused.add((event.outcome, event.search))


_LOOKS: Mapping[str, Callable[[Sequence[InsiEvent]], Iterator[int]]] = {
    "repeated-search": _repeated,
    "message-id-twice": _same_id,
    "storm": _storm,
    "raw-characters": _refused_for("characters"),
    "incomplete": _refused_for("missing-trait", "bad-value"),
    "stale-vitale": _refused_for("stale-vitale"),
    "assertion-of-another-reading": _shared_assertion,
    "insists-on-rights": _insists,
}
