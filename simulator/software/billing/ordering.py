"""A sheet made of what was read and of what the professional asks for, and what the rules say of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from bifente.simulator.formats.fse.model import Invoice, SecuringMode
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.ssv import Answer
from bifente.simulator.software.billing.beneficiary import unknown_codes
from bifente.simulator.software.billing.making import Care, invoice_from
from bifente.simulator.software.billing.pretence import Pretence
from bifente.simulator.software.billing.professional import laboratory_settings
from bifente.simulator.software.billing.reading import CardsReading
from bifente.simulator.tarification.requests import ActRequest
from bifente.simulator.tarification.rules import Facts, RuleFinding, blocks, examine
from bifente.simulator.zones import named

_SITUATION = 2


@dataclass(frozen=True, slots=True)
class Order:
    """What the professional asks for: acts and circumstances. ``on`` is the day of the sheet."""

    acts: tuple[ActRequest, ...]
    care: Care
    on: date
    situation: int
    beneficiary: int
    mode: int
    paper: bool
    number: int | None = None
    """The number of a rejected sheet to use again."""
    pretence: Pretence | None = None
    """What a dishonest software writes instead of what it was told; it looks at no rule then, unless it says so."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of making a sheet: the sheet and what the rules say of it. A blocked one was given no number."""

    invoice: Invoice
    findings: tuple[RuleFinding, ...]

    @property
    def blocked(self) -> bool:
        """Whether it may not be secured."""
        return blocks(self.findings)


def made_of(
    reading: CardsReading, order: Order, today: date, opposed: Collection[str], specialty: str | None = None
) -> Made:
    """Make the sheet under the number it has or a first one; ``opposed``: serial numbers of the list of opposition.

    ``specialty``: that of the professional, instead of the usual one of his billing number.

    Raises FseError for what makes no sheet.
    """
    billing = _billing(reading.ps, order.situation)
    holder = reading.holder
    settings = laboratory_settings(billing) if billing else None
    if settings is not None and specialty is not None:
        settings = replace(settings, specialty=specialty)
    invoice = invoice_from(
        reading.ps.zone,
        reading.vitale.zone,
        order.acts,
        # The number that it will take is not known yet: it is not that of the sheet it corrects.
        number=order.number or (order.care.rectifies or 0) + 1,
        on=order.on,
        situation=order.situation,
        who=order.beneficiary,
        care=order.care,
        settings=settings,
        mode=SecuringMode(order.mode),
        card_number=holder.card if holder else "",
        test=holder.test if holder else None,
        apcv=reading.phone,
        pretence=order.pretence,
    )
    if order.pretence is not None and not order.pretence.judged:
        return Made(invoice, ())
    return Made(invoice, examine(invoice, _facts(reading, order, today, opposed)))


def _billing(ps: Answer, situation: int) -> str:
    found = [named(group) for group in ps.groups if group.id == _SITUATION]
    own = [fields for fields in found if fields["logical-number"] == str(situation)]
    return own[0]["billing-id"] + own[0]["billing-id-key"] if own else ""


def _facts(reading: CardsReading, order: Order, today: date, opposed: Collection[str]) -> Facts:
    card = named(reading.vitale.groups[0])
    end = card["validity-end"]
    holder = reading.holder
    return Facts(
        today=today,
        # SSV_LireCartePS presents the code before it gives a zone: without it there is no reading to make a sheet of.
        code_presented=reading.ps.code == SsvCode.OK,
        cps_rpps=holder.rpps if holder else None,
        cps_ends=holder.ends if holder else None,
        vitale_serial=card["serial-number"],
        vitale_ends=date(int(end[:4]), int(end[4:6]), int(end[6:8])) if end.strip("0") else None,
        vitale_opposed=card["serial-number"] in opposed,
        paper=order.paper,
        unknown_codes=unknown_codes(reading.vitale.groups, order.beneficiary, order.on),
    )
