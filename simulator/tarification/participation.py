"""The flat participation: from a threshold on, heavy acts are paid in full but for one amount, that of the insured.

The acts of one session that count together do so by their sum, the others each by itself (sources#flat-participation).
"""

from __future__ import annotations

from collections.abc import Sequence

from bifente.simulator.formats.fse.amounts import reimbursable
from bifente.simulator.formats.fse.model import CareAct
from bifente.simulator.tarification.tables import ACTS, RATES


def heavy_acts(acts: Sequence[CareAct], profession: str | None) -> frozenset[int]:
    """Return which acts, by their place in the sheet from 0, reach the threshold: alone, or with those of their day."""
    rule = RATES.participation
    if profession not in (None, *rule.professions):
        return frozenset()
    counted = {place: _counted(act) for place, act in enumerate(acts)}
    together = [place for place, how in counted.items() if how == "together"]
    reached = {place for place, how in counted.items() if how and reimbursable(acts[place]) >= rule.threshold}
    for day in {acts[place].on for place in together}:
        session = [place for place in together if acts[place].on == day]
        if sum(reimbursable(acts[place]) for place in session) >= rule.threshold:
            reached |= set(session)
    return frozenset(reached)


def participation_of(acts: Sequence[CareAct], heavy: frozenset[int]) -> int:
    """Return the flat amount in cents that the insured keeps: once a day on which an act is heavy, none without."""
    return sum(RATES.participation.on(day) for day in {acts[place].on for place in heavy})


def _counted(act: CareAct) -> str | None:
    kind = ACTS.get(act.code)
    return None if kind is None else kind.heavy
