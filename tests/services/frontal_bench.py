"""What the tests of the front end share: sheets, claims, lots and files signed by the keys of the laboratory's cards.

The cards themselves are not asked: their keys are known here, which makes a thousand sheets affordable. That cards make
the same signatures is the business of tests/software.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from fse_samples import AMC
from securing_bench import anchors, cps_data, keys, sheet_of_cards, vitale_data

from bifente.ground.clock import VirtualClock
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.files import make_file
from bifente.simulator.formats.fse.lots import signed_content
from bifente.simulator.formats.fse.model import (
    CardSignature,
    Complementary,
    Dre,
    Invoice,
    Lot,
    LotKind,
    PayerShare,
    Payment,
    SecuredInvoice,
    SecuringMode,
    Signer,
)
from bifente.simulator.formats.fse.securing.modes import wants
from bifente.simulator.services.frontal.frontal import Frontal
from bifente.simulator.services.frontal.ledger import Ledger
from bifente.simulator.services.frontal.parameters import FrontalParameters

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
"""A Tuesday."""
TODAY = NOW.date()
BODY, AMC_BODY = "013490349", AMC.id
MUTUELLE = replace(AMC, indicator="01", mutuelle=True)


class Bench:
    """A front end with its clock, and the practice of one doctor."""

    def __init__(
        self,
        parameters: FrontalParameters | None = None,
        seed: int = 1,
        *,
        known: bool = True,
        ledger: Ledger | None = None,
        **options: Any,
    ) -> None:
        """``known``: sheets of this doctor were accepted before, so that claims may come first."""
        self.clock = VirtualClock(NOW)
        self.cps, self.vitale = cps_data(), vitale_data()
        ledger = ledger or Ledger()
        if known:
            ledger.add_signers(self.sender, [self.sheet().professional.rpps])
        self.frontal = Frontal(
            self.clock, anchors(), parameters=parameters, chance=Random(seed), ledger=ledger, **options
        )
        self._files = iter(range(1, 1000))

    def sheet(self, number: int = 1, **changes: Any) -> Invoice:
        """Of both cards; ``professional__x`` and ``beneficiary__x`` say something else than the cards do."""
        inside = {name: value for name, value in changes.items() if "__" in name}
        plain = {name: value for name, value in changes.items() if name not in inside}
        sheet = sheet_of_cards(self.cps, self.vitale, number=number, **{"on": TODAY, **plain})
        for name, value in inside.items():
            owner, field = name.split("__")
            sheet = replace(sheet, **{owner: replace(getattr(sheet, owner), **{field: value})})
        return sheet

    def secured(self, number: int = 1, **changes: Any) -> SecuredInvoice:
        return secured(self.sheet(number, **changes), self.cps, self.vitale)

    def lot(self, *sheets: SecuredInvoice, number: str = "000", **changes: Any) -> Lot:
        return signed(replace(lot_of(sheets, number), **changes), self.cps)

    def claims(self, *claims: Dre, number: str = "ZZZ", **changes: Any) -> Lot:
        lot = Lot(LotKind.DRE, number, self.sender, AMC_BODY, TODAY, dres=claims)
        return signed(replace(lot, **changes), self.cps)

    @property
    def sender(self) -> str:
        return self.sheet().professional.billing_id

    def file(self, *lots: Lot) -> tuple[bytes, str]:
        made = make_file(lots, number=next(self._files))
        return made.data, made.name

    def submit(self, *lots: Lot) -> list[Any]:
        return self.frontal.submit(*self.file(*lots))

    def pass_days(self, days: float) -> None:
        self.clock.advance(days * 86400)


def third_party(**changes: Any) -> dict[str, Any]:
    """A sheet of third-party payment: 21 euros to the AMO, 9 to the AMC."""
    amc = changes.pop("complementary", AMC)
    return {"payment": Payment.TIERS_PAYANT, "amc": PayerShare(900), "beneficiary__complementary": amc, **changes}


def claim(number: int = 1, invoice: int = 1, amc: Complementary = AMC, **changes: Any) -> Dre:
    return replace(Dre(number, invoice, TODAY, amc, 900), **changes)


def lot_of(sheets: tuple[SecuredInvoice, ...], number: str, sender: str = "991000019", body: str = BODY) -> Lot:
    return Lot(LotKind.FSE, number, sender, body, TODAY, invoices=sheets)


def secured(
    sheet: Invoice,
    cps: PersonalisedCard,
    vitale: PersonalisedVitale,
    at: datetime = NOW,
    content: bytes | None = None,
) -> SecuredInvoice:
    """A sheet with the signatures of its mode, at a moment."""
    content = canonical(sheet) if content is None else content
    wanted = wants(sheet.mode)
    return SecuredInvoice(
        content,
        insured=signature(Signer.INSURED, content, vitale, at) if Signer.INSURED in wanted else None,
        professional=signature(Signer.PROFESSIONAL, content, cps, at) if Signer.PROFESSIONAL in wanted else None,
        paper=sheet.mode is SecuringMode.DEGRADED,
    )


def signed(lot: Lot, cps: PersonalisedCard, at: datetime = NOW) -> Lot:
    """A lot with its signature."""
    return replace(lot, signature=signature(Signer.PROFESSIONAL, signed_content(lot), cps, at))


def signature(
    signer: Signer,
    content: bytes,
    card: PersonalisedCard | PersonalisedVitale,
    at: datetime = NOW,
    role: str = "signature",
) -> CardSignature:
    """What the card would give."""
    key = keys().key(f"card/any/{role}")
    value = key.sign(content, padding.PKCS1v15(), hashes.SHA256())
    return CardSignature(signer, card.certificates[role].public_bytes(Encoding.DER), value, f"{at:%Y%m%d%H%M%S}")


@cache
def bench() -> Bench:
    """One that is only used to make things."""
    return Bench()
