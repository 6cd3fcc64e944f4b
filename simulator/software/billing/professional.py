"""The professional of a sheet, from the zone of LireCartePS and what the software was set to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bifente.ground.identifiers import RPPS
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import BillingStructure, Professional
from bifente.simulator.software.billing.card_zones import Fields, groups_of, needed
from bifente.simulator.tarification.tables import usual_specialty
from bifente.simulator.zones import Group, named

_RPPS = "8"
_SALARIED, _SUBSTITUTE = "1", "4"
_ORDER, _WHAT = "carte-ps", "the zone of the professional's card"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the software knows of its professional where the card says nothing (group 2, fields left empty)."""

    specialty: str = ""
    convention: str = ""
    tariff_zone: str = ""
    ik_zone: str = ""


def laboratory_settings(billing_id: str) -> Settings:
    """Settings for a card of this bench, whose group 2 is silent: the usual specialty of its profession, an agreed
    professional, zones as seen on test cards (sources#professional-codes). Raises FseError for an unknown profession.
    """
    specialty = usual_specialty(billing_id)
    if specialty is None:
        raise FseError("billing number", f"{billing_id!r} tells no profession that is known", "give the settings")
    return Settings(specialty, convention="1", tariff_zone="30", ik_zone="01")


def professional_from(
    ps_zone: bytes,
    situation: int,
    *,
    settings: Settings | None = None,
    card_number: str = "",
    test: bool | None = None,
) -> Professional:
    """Return the professional of a zone of LireCartePS, in the situation of that number. Raises FseError."""
    groups = groups_of(ps_zone, _ORDER, _WHAT)
    holder = named(groups[0])
    place = _situation(groups, situation)
    where = f"situation {situation}"
    own = settings or Settings()
    rpps = needed(holder, "national-id", "group 1") + needed(holder, "national-id-key", "group 1")
    if holder["national-id-type"] != _RPPS:
        raise FseError("group 1, national-id-type", f"{holder['national-id-type']!r} is no RPPS", "use an RPPS card")
    return Professional(
        billing_id=needed(place, "billing-id", where) + needed(place, "billing-id-key", where),
        name=needed(holder, "surname", "group 1"),
        first_name=holder["first-name"],
        rpps=rpps,
        situation=situation,
        specialty=place["specialty"] or _set(own.specialty, "specialty", where),
        convention=place["convention-code"] or _set(own.convention, "convention", where),
        tariff_zone=place["tariff-zone"] or own.tariff_zone,
        ik_zone=place["ik-zone"] or own.ik_zone,
        agreements=(place["agreement-1"], place["agreement-2"], place["agreement-3"]),
        card_number=card_number,
        may_sign_invoice=place["may-sign-invoice"] == "1",
        may_sign_lot=place["may-sign-lot"] == "1",
        test=re.match(RPPS.test_range, rpps) is not None if test is None else test,
        salaried=place["practice-mode"] == _SALARIED,
        structure=_structure(place),
    )


def is_substitute(ps_zone: bytes, situation: int) -> bool:
    """Return whether the situation of that number is a substitute's. Raise FseError."""
    return _situation(groups_of(ps_zone, _ORDER, _WHAT), situation)["practice-mode"] == _SUBSTITUTE


def _situation(groups: Sequence[Group], number: int) -> Fields:
    known = {fields["logical-number"]: fields for fields in map(named, groups[1:])}
    if str(number) not in known:
        raise FseError(f"situation {number}", "the card has no such situation", f"one of: {', '.join(known)}")
    return known[str(number)]


def _structure(place: Fields) -> BillingStructure | None:
    if not place["structure-id-type"]:
        return None
    return BillingStructure(
        place["structure-id-type"], place["structure-id"], place["structure-id-key"], place["structure-name"]
    )


def _set(value: str, name: str, where: str) -> str:
    if not value:
        raise FseError(f"{where}, {name}", "the card does not tell it", "set it in the software (Settings)")
    return value
