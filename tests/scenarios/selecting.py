"""A part of a plan that was read once."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from bifente.conformance.run.plan import RunPlan


def only(plan: RunPlan, *patterns: str) -> RunPlan:
    """The scenarios that ``--select`` would choose; each pattern chooses some."""
    # Square brackets belong to matrix ids, not to the pattern language.
    plain = [pattern.replace("[", "[[]") for pattern in patterns]
    for pattern in plain:
        assert any(fnmatchcase(scenario.id, pattern) for scenario in plan.scenarios), pattern
    chosen = (one for one in plan.scenarios if any(fnmatchcase(one.id, pattern) for pattern in plain))
    return replace(plan, scenarios=tuple(chosen))
