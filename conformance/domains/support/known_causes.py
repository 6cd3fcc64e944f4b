"""All that a customer's words may lead to: faults, everyday causes, and what is wrong with a workstation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from bifente.simulator.faults import EverydayCause, Known, WordSearch, catalogue, everyday_causes
from bifente.simulator.workstation import PosteRule, poste_rules
from bifente.simulator.workstation.broken_files import breakage_rows

_CORRECTION = "cryptolib-"
"""Before the bare number of a correction: 1102 says nothing to a reader."""


@cache
def known_causes() -> WordSearch:
    """Return the search among all of them."""
    return WordSearch(searched())


def searched() -> list[Known]:
    """Return every entry that a search looks at: what the bench can make strike comes first."""
    return [*catalogue().values(), *everyday_causes().values(), *rule_causes().values()]


@cache
def rule_causes() -> dict[str, EverydayCause]:
    """Return what is wrong with a workstation, rule by rule, as causes by their id.

    The faults of galss.ini are in the catalogue already; of the corrections that show alike, the first stands for all.
    """
    found: dict[str, EverydayCause] = {}
    for rule in _rules():
        cause = _cause(rule)
        if cause.id not in catalogue() and cause.symptoms[0] not in {one.symptoms[0] for one in found.values()}:
            found[cause.id] = cause
    return found


def rule_of(cause: str) -> PosteRule | None:
    """Return the rule that a cause came from, None for another."""
    if cause not in rule_causes():
        return None
    return poste_rules().get(cause) or poste_rules()[cause.removeprefix(_CORRECTION)]


def _rules() -> Iterator[PosteRule]:
    files = {row["id"] for row in breakage_rows()}
    return (rule for rule in poste_rules().values() if rule.id not in files)


def _cause(rule: PosteRule) -> EverydayCause:
    number = rule.id[0].isdecimal()
    return EverydayCause(
        id=f"{_CORRECTION}{rule.id}" if number else rule.id,
        place="teleservice" if rule.server else "workstation",
        symptoms=(rule.title, *rule.said),
        said_codes=(rule.finding,) if rule.finding else (),
        cause=rule.cause,
        remedy=rule.cure,
        see="bifente diagnose poste.yaml",
        source=rule.source,
        fidelity=str(rule.confidence.fidelity),
    )
