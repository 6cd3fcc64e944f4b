"""The rules: facts that do not go together, the effect that this has on a component, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.workstation.broken_files import breakage_rows
from bifente.simulator.workstation.confidence import Confidence
from bifente.simulator.workstation.corrections import correction_rows
from bifente.simulator.workstation.poste import Poste
from bifente.simulator.workstation.version import VersionSpan, version
from bifente.simulator.workstation.vocabulary import ABSENT, FactKind, fact_named


@dataclass(frozen=True, slots=True)
class PosteEffect:
    """What a rule does: a ``kind`` that the bench knows how to make, and what it takes, as texts."""

    kind: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FactCondition:
    """One fact that a rule looks at: words that fit, or a span of versions."""

    key: str
    words: frozenset[str]
    span: VersionSpan | None

    def meets(self, poste: Poste) -> bool:
        """Whether a workstation meets it."""
        value = poste.get(self.key)
        if self.span is None:
            return value in self.words
        return value != ABSENT and self.span.covers(version(value))

    def example(self) -> str:
        """Return a value that meets it."""
        return min(self.words) if self.span is None else str(self.span.example())


@dataclass(frozen=True, slots=True)
class PosteRule:
    """One rule. ``server``: it is a service that fails, and the workstation must be left alone.

    ``finding`` is the code that field tools print for it, if they have one; ``alternatives`` are other explanations of
    the same facts with what would tell them apart.
    """

    id: str
    conditions: tuple[FactCondition, ...]
    effects: tuple[PosteEffect, ...]
    title: Text
    cause: Text
    cure: Text
    confirm: Text
    source: str
    confidence: Confidence
    server: bool
    finding: str
    alternatives: tuple[Text, ...]
    cured_by: Mapping[str, str]
    """Facts that undo it, where facts alone do."""
    said: tuple[Text, ...] = ()
    """What customers say who have it, in other words than its title."""

    def meets(self, poste: Poste) -> bool:
        """Whether every condition is met."""
        return all(one.meets(poste) for one in self.conditions)

    def supposed(self, poste: Poste, *, firm: bool = True) -> Poste | None:
        """Return the workstation as it would be if the rule were met; None where what was looked at says otherwise.

        Not ``firm``: what was looked at may be otherwise too.
        """
        changes = {}
        for one in self.conditions:
            if one.meets(poste):
                continue
            if firm and poste.told(one.key):
                return None
            changes[one.key] = one.example()
        return poste.changed(changes)

    def evidence(self, poste: Poste) -> tuple[tuple[Text, str], ...]:
        """Return the facts it rests on, in words, with their values."""
        return tuple((fact_named(one.key).title, poste.get(one.key)) for one in self.conditions)

    def unseen(self, poste: Poste) -> tuple[str, ...]:
        """Return the facts it looks at that nobody looked at."""
        return tuple(one.key for one in self.conditions if one.key in poste.unseen)


@dataclass(frozen=True, slots=True)
class MetRule:
    """A rule that a workstation meets."""

    rule: PosteRule
    evidence: tuple[tuple[Text, str], ...]


@cache
def poste_rules() -> Mapping[str, PosteRule]:
    """Return every rule by its id, file by file."""
    found: dict[str, PosteRule] = {}
    for row in (*told_rows(), *breakage_rows()):
        rule = _rule(row)
        if rule.id in found:
            raise ValueError(f"two rules are named {rule.id}")
        found[rule.id] = rule
    return found


def told_rows() -> Iterator[Mapping[str, Any]]:
    """Yield the rows of the rules as they are written, but for the ways to break galss.ini: for who only reads them."""
    for file in shipped(__package__, "rules", "index.yaml")["files"]:
        yield from shipped(__package__, "rules", f"{file}.yaml")["rules"]
    yield from correction_rows()


@lru_cache(maxsize=16)
def met_rules(poste: Poste) -> tuple[MetRule, ...]:
    """Return the rules that a workstation meets. One that rests on what nobody looked at is not among them.

    Each journey of one workstation asks anew.
    """
    return tuple(
        MetRule(rule, rule.evidence(poste))
        for rule in poste_rules().values()
        if rule.meets(poste) and not rule.unseen(poste)
    )


def _rule(row: Mapping[str, Any]) -> PosteRule:
    try:
        return PosteRule(
            id=row["id"],
            conditions=tuple(condition(key, written) for key, written in row["when"].items()),
            effects=tuple(_effect(one) for one in row["effects"]),
            title=Text(**row["title"]),
            cause=Text(**row["cause"]),
            cure=Text(**row["cure"]),
            confirm=Text(**row["confirm"]),
            source=row["source"],
            confidence=Confidence(row["confidence"]),
            server=bool(row.get("server", False)),
            finding=row.get("finding", ""),
            alternatives=tuple(Text(**one) for one in row.get("alternatives", ())),
            cured_by={key: str(value) for key, value in row.get("cured-by", {}).items()},
            said=tuple(Text(**one) for one in row.get("said", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the rule {row.get('id', '?')}: {error}") from error


def condition(key: str, written: Any) -> FactCondition:
    """Return a condition as it is written. Raise KeyError for no fact, ValueError for what it cannot be."""
    fact = fact_named(key)
    words = [str(one) for one in written] if isinstance(written, list) else [str(written)]
    if fact.kind in (FactKind.VERSION, FactKind.COMPONENT) and words != [ABSENT]:
        return FactCondition(key, frozenset(), VersionSpan.parse(words[0]))
    for word in words:
        if (why := fact.complaint(word)) is not None:
            raise ValueError(f"{key}: {why}")
    return FactCondition(key, frozenset(words), None)


def _effect(row: Mapping[str, Any]) -> PosteEffect:
    return PosteEffect(row["kind"], {key: str(value) for key, value in row.items() if key != "kind"})
