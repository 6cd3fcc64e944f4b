"""What a dishonest software writes into a sheet instead of what the cards and the professional told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from bifente.ground.identifiers import nir_key
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CareAct, CareBeneficiary, Invoice, Professional


@dataclass(frozen=True, slots=True)
class Pretence:
    """Fields of the beneficiary, the professional, the first act and the sheet, by name, that are written otherwise.

    The sheet is priced by the first two and signed by the cards that are there. ``judged``: the practice's own rules
    look at it all the same.
    """

    beneficiary: Mapping[str, Any] = field(default_factory=dict)
    professional: Mapping[str, Any] = field(default_factory=dict)
    act: Mapping[str, Any] = field(default_factory=dict)
    sheet: Mapping[str, Any] = field(default_factory=dict)
    judged: bool = False

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

    def of_sheet(self, told: Invoice) -> Invoice:
        """Return the sheet as it is written, its first act included. Raise FseError for a field there is none of."""
        _check("act", self.act, CareAct)
        _check("sheet", self.sheet, Invoice)
        acts = (replace(told.acts[0], **self.act), *told.acts[1:]) if told.acts and self.act else told.acts
        return replace(told, **{"acts": acts, **self.sheet})


def _check(what: str, changes: Mapping[str, Any], kind: type[Any]) -> None:
    known = {one.name for one in fields(kind)}
    for name in changes:
        if name not in known:
            raise FseError(f"pretend, {what}.{name}", "no such field", f"one of: {', '.join(sorted(known))}")
