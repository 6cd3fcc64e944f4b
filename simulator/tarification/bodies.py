"""Who receives a sheet: the destination body, from the scheme, fund and centre of the insured."""

from __future__ import annotations

import re

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.tarification.tables import BODIES, REGIMES


def body_of(regime: str, caisse: str, centre: str) -> str:
    """The destination body: scheme 2, body 3, centre 4 digits. SNCF goes to 110, CCIP to 001, others to their fund.

    Raises FseError for a scheme that is unknown, or a fund or centre that is malformed.
    """
    if regime not in REGIMES.codes:
        raise FseError("regime", f"{regime!r} is unknown", f"one of: {', '.join(REGIMES.codes)}")
    if not re.fullmatch(r"[0-9]{3}", caisse):
        raise FseError("caisse", f"{caisse!r} must have 3 digits", "read the card again")
    if not re.fullmatch(r"[0-9]{4}", centre):
        raise FseError("centre", f"{centre!r} must have 4 digits", "read the card again")
    return regime + BODIES.destination.get(regime, caisse) + centre
