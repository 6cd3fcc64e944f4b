"""Which signatures each securing mode wants (SV-FSE-21). What modes 1 and 2 are beyond their names is modelled."""

from __future__ import annotations

from collections.abc import Mapping

from bifente.simulator.formats.fse.model import SecuringMode, Signer

_BOTH = frozenset(Signer)
_PROFESSIONAL = frozenset({Signer.PROFESSIONAL})

WANTED: Mapping[SecuringMode, frozenset[Signer]] = {
    SecuringMode.NOT_SECURED: frozenset(),
    SecuringMode.WITHOUT_VITALE: _PROFESSIONAL,
    SecuringMode.VISIT: _BOTH,
    SecuringMode.SECURED: _BOTH,
    SecuringMode.DESYNCHRONISED: _BOTH,
    SecuringMode.DEGRADED: _PROFESSIONAL,
}
"""Both in the same call on a visit and secured, one after the other desynchronised, the professional's alone without a
Vitale or degraded."""

WITH_PAPER = frozenset({SecuringMode.DEGRADED})
"""Modes whose sheet goes along with a form signed on paper (SV-FSE-03)."""


def wants(mode: SecuringMode) -> frozenset[Signer]:
    """Whose signatures a sheet of a mode has when it is complete, and has no other."""
    return WANTED[mode]
