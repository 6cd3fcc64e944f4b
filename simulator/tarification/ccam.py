"""CCAM acts of one session: which association code each has, and what codes and modifiers make of a price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from bifente.simulator.formats.fse.amounts import cents
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Nomenclature
from bifente.simulator.tarification.requests import ActRequest
from bifente.simulator.tarification.tables import ACTS, CCAM
from bifente.simulator.tarification.tables.acts import ActType

_ASSOCIATES = "medecin"
"""Acts of the others are each paid in full: dental acts have an exception of their own."""


def unit_price(tariff: int, association: int = 0, modifiers: str = "") -> int:
    """Return the unit price in cents: the share of the tariff that an association code leaves, plus the modifiers."""
    share = CCAM.associations.get(str(association), 100)
    return cents(Decimal(tariff * share) / 100) + sum(
        CCAM.modifiers[letter].cents for letter in modifiers if letter in CCAM.modifiers
    )


def associated(requests: Sequence[ActRequest], profession: str | None) -> tuple[ActRequest, ...]:
    """Return the acts with their association codes: of two CCAM acts of a day the dearer is first, the other second.

    A code that is told stays. Raise FseError for a third act of a day without one.
    """
    if profession not in (None, _ASSOCIATES):
        return tuple(requests)
    codes: dict[int, int] = {}
    for day in {request.on for request in requests}:
        session = [
            rank
            for rank, one in enumerate(requests)
            if one.on == day and one.association is None and _is_ccam(one.code)
        ]
        told = any(one.on == day and one.association for one in requests)
        if len(session) < 2 or told:
            continue
        if len(session) > 2:
            raise FseError(
                f"act {session[2] + 1}",
                "a session takes two CCAM acts",
                f"give each its association code: one of {', '.join(CCAM.associations)}",
            )
        dearest = max(session, key=lambda rank: ACTS[requests[rank].code].price_on(day) or 0)
        codes |= {rank: CCAM.first if rank == dearest else CCAM.second for rank in session}
    return tuple(
        replace(request, association=codes[rank]) if rank in codes else request for rank, request in enumerate(requests)
    )


def check_ccam(place: str, request: ActRequest, kind: ActType) -> None:
    """Raise FseError for an association code or modifiers that such an act cannot have."""
    if kind.nomenclature is not Nomenclature.CCAM:
        if request.association or request.modifiers:
            raise FseError(place, f"{kind.code} is no CCAM act", "leave out association and modifiers")
        return
    if request.association and str(request.association) not in CCAM.associations:
        raise FseError(place, f"association code {request.association}", f"one of {', '.join(CCAM.associations)}")
    for letter in request.modifiers:
        if letter not in CCAM.modifiers:
            raise FseError(place, f"modifier {letter!r}", f"one of {', '.join(CCAM.modifiers)}")
    if len(request.modifiers) > CCAM.most_modifiers or len(set(request.modifiers)) != len(request.modifiers):
        raise FseError(place, f"modifiers {request.modifiers}", f"at most {CCAM.most_modifiers}, each once")
    if len(set(request.modifiers) & set(CCAM.exclusive)) > 1:
        raise FseError(place, f"modifiers {request.modifiers}", f"one of {', '.join(CCAM.exclusive)} at most")


def _is_ccam(code: str) -> bool:
    kind = ACTS.get(code)
    return kind is not None and kind.nomenclature is Nomenclature.CCAM
