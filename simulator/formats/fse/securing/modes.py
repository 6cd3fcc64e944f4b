"""What each securing mode takes: signatures, papers, proofs and payments, from ``modes.yaml``, one table for all."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from bifente.ground.shipped import shipped
from bifente.simulator.formats.fse.model import Payment, Proof, SecuringMode, Signer


class PaperForm(StrEnum):
    """Whether a form signed on paper goes along with a sheet (SV-FSE-03)."""

    MUST = "must"
    MAY = "may"
    NONE = "none"


class PaidOn(StrEnum):
    """What a sheet is paid on: its signatures, its paper once it has arrived, or nothing at all."""

    SIGNATURES = "signatures"
    PAPER = "paper"
    NEVER = "never"


class ModeRule(BaseModel):
    """What one mode takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    signatures: frozenset[Signer]
    paper: PaperForm
    proofs: frozenset[Proof]
    payments: frozenset[Payment]
    paid: PaidOn

    def takes_paper(self, there: bool) -> bool:
        """Return whether a sheet may go with its paper form, or without."""
        return self.paper is PaperForm.MAY or there is (self.paper is PaperForm.MUST)


MODES: Mapping[SecuringMode, ModeRule] = {
    SecuringMode(int(number)): ModeRule.model_validate(rule)
    for number, rule in shipped(__package__, "modes.yaml").items()
}

WITH_PAPER = frozenset(mode for mode, rule in MODES.items() if rule.paper is PaperForm.MUST)
"""Modes whose sheet goes along with a form signed on paper."""


def wants(mode: SecuringMode) -> frozenset[Signer]:
    """Whose signatures a sheet of a mode has when it is complete, and has no other."""
    return MODES[mode].signatures
