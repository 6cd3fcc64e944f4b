"""A care sheet from what the SSV read: the zones of LireCartePS and LireDroitsVitale (or of an apCV), and the acts.

Nothing is made up: what neither the zones nor the user give is an FseError that names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import (
    Insurance,
    Invoice,
    Payment,
    Person,
    Proof,
    SecuringMode,
    WorkAccident,
)
from bifente.simulator.software.billing.beneficiary import beneficiary_of
from bifente.simulator.software.billing.card_zones import groups_of
from bifente.simulator.software.billing.pretence import Pretence
from bifente.simulator.software.billing.professional import Settings, is_substitute, professional_from
from bifente.simulator.tarification.bodies import body_of
from bifente.simulator.tarification.pricing import price
from bifente.simulator.tarification.requests import ActRequest
from bifente.simulator.zones import Group, named


@dataclass(frozen=True, slots=True)
class Care:
    """What the professional tells of the care given, beside the acts. ``accident_number`` may come from the Vitale."""

    insurance: Insurance = Insurance.MALADIE
    payment: Payment = Payment.DIRECT
    care_path: str = ""
    prescriber: Person | None = None
    prescribed_on: date | None = None
    substitute: Person | None = None
    accident_on: date | None = None
    accident_number: str = ""
    pregnancy_on: date | None = None
    rectifies: int | None = None
    exoneration: str | None = None
    """An exoneration code that the card does not tell (3, 5, 7; 0 for none); None: the one of the card."""


def invoice_from(
    ps_zone: bytes,
    vitale_zone: bytes,
    acts: Iterable[ActRequest],
    *,
    number: int,
    on: date,
    situation: int,
    who: int = 1,
    care: Care | None = None,
    settings: Settings | None = None,
    mode: SecuringMode = SecuringMode.SECURED,
    proof: Proof | None = None,
    card_number: str = "",
    test: bool | None = None,
    apcv: bool = False,
    pretence: Pretence | None = None,
) -> Invoice:
    """A sheet for the beneficiary of rank ``who`` on the card (from 1), under the situation of that number.

    ``settings`` fill what the card leaves empty: see ``laboratory_settings``. ``card_number`` and ``test`` describe the
    professional's card, of which the zones say nothing; without ``test`` an RPPS of the laboratory makes a test card.
    ``pretence`` is what a dishonest software writes instead. ``proof``: without it the card, or a document in degraded
    mode and without Vitale.
    The sheet is priced but not judged (``rules.examine``). Raises FseError for what is missing or malformed.
    """
    told = care or Care()
    professional = professional_from(ps_zone, situation, settings=settings, card_number=card_number, test=test)
    groups = groups_of(vitale_zone, "vitale", "the zone of the Vitale")
    beneficiary = beneficiary_of(groups, who, on, exoneration=told.exoneration, apcv=apcv)
    if pretence is not None:
        beneficiary = pretence.of_beneficiary(beneficiary)
        professional = pretence.of_professional(professional)
    if is_substitute(ps_zone, situation) and told.substitute is None:
        raise FseError("substitute", "the situation is that of a substitute", "give the substitute")
    priced = price(
        acts,
        beneficiary,
        insurance=told.insurance,
        payment=told.payment,
        care_path=told.care_path,
        specialty=professional.specialty,
    )
    invoice = Invoice(
        number=number,
        on=on,
        mode=mode,
        professional=professional,
        beneficiary=beneficiary,
        insurance=told.insurance,
        payment=told.payment,
        proof=proof or _proof(mode),
        care_path=told.care_path,
        acts=priced.acts,
        amo=priced.amo,
        amc=priced.amc,
        body=body_of(beneficiary.regime, beneficiary.caisse, beneficiary.centre),
        prescriber=told.prescriber,
        prescribed_on=told.prescribed_on,
        substitute=told.substitute,
        accident=_accident(groups, told),
        pregnancy_on=told.pregnancy_on,
        rectifies=told.rectifies,
    )
    return pretence.of_sheet(invoice) if pretence is not None else invoice


def _accident(groups: Sequence[Group], care: Care) -> WorkAccident | None:
    """The accident told; its number, if it is not told, is the one of the card."""
    if care.accident_on is None:
        return None
    on_card = next((named(group)["at-id"] for group in groups if group.id == 103), "")
    return WorkAccident(care.accident_on, care.accident_number or on_card)


def _proof(mode: SecuringMode) -> Proof:
    without = (SecuringMode.WITHOUT_VITALE, SecuringMode.DEGRADED)
    return Proof.DOCUMENT if mode in without else Proof.VITALE
