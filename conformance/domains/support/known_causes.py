"""All that a customer's words may lead to: faults, everyday causes, and what is wrong with a workstation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from bifente.ground.text import Text
from bifente.simulator.faults import EverydayCause, Known, WordSearch, catalogue, everyday_causes
from bifente.simulator.workstation import Confidence, PosteRule, poste_rules, told_rows


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
    for row in told_rows():
        cause = _cause(row)
        if cause.id not in catalogue() and cause.symptoms[0] not in {one.symptoms[0] for one in found.values()}:
            found[cause.id] = cause
    return found


def rule_of(cause: str) -> PosteRule | None:
    """Return the rule that a cause came from, None for another."""
    return poste_rules()[cause] if cause in rule_causes() else None


def _cause(row: Mapping[str, Any]) -> EverydayCause:
    return EverydayCause(
        id=row["id"],
        place="teleservice" if row.get("server", False) else "workstation",
        symptoms=(Text(**row["title"]), *(Text(**one) for one in row.get("said", ()))),
        said_codes=(row["finding"],) if row.get("finding") else (),
        cause=Text(**row["cause"]),
        remedy=Text(**row["cure"]),
        see="bifente diagnose poste.yaml",
        source=row["source"],
        fidelity=str(Confidence(row["confidence"]).fidelity),
    )
