"""What a dishonest software writes into a sheet instead of what the cards and the professional told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from bifente.ground.identifiers import nir_key
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CareBeneficiary, Professional


@dataclass(frozen=True, slots=True)
class Pretence:
    """Fields of the beneficiary and of the professional, by name, that are written otherwise.

    The sheet is priced by them and signed by the cards that are there: only what a body knows can tell.
    """

    beneficiary: Mapping[str, Any] = field(default_factory=dict)
    professional: Mapping[str, Any] = field(default_factory=dict)

    def of_beneficiary(self, told: CareBeneficiary) -> CareBeneficiary:
        """Return the beneficiary as it is written. Raise FseError for a field that there is none of."""
        changes = dict(self.beneficiary)
        _check("beneficiary", changes, CareBeneficiary)
        if "nir" in changes and "nir_key" not in changes:
            changes["nir_key"] = nir_key(changes["nir"])
        return replace(told, **changes)

    def of_professional(self, told: Professional) -> Professional:
        """Return the professional as it is written. Raise FseError for a field that there is none of."""
        _check("professional", self.professional, Professional)
        return replace(told, **self.professional)


def _check(what: str, changes: Mapping[str, Any], kind: type[CareBeneficiary] | type[Professional]) -> None:
    known = {one.name for one in fields(kind)}
    for name in changes:
        if name not in known:
            raise FseError(f"pretend, {what}.{name}", "no such field", f"one of: {', '.join(sorted(known))}")
