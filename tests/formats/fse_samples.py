"""Care sheets to test with: a laboratory doctor, a laboratory insured, one consultation; anything can be changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from bifente.simulator.formats.fse.model import (
    BillingStructure,
    CareAct,
    CareBeneficiary,
    Complementary,
    Insurance,
    Invoice,
    Nomenclature,
    PayerShare,
    Payment,
    Person,
    Professional,
    Proof,
    SecuringMode,
)
from bifente.simulator.tarification.pricing import Circumstances
from bifente.simulator.tarification.tables import profession_of

TODAY = date(2026, 3, 2)
PROFESSIONAL = Professional(
    billing_id="991000019",
    name="TESTMEDECIN",
    first_name="GENERALISTE",
    rpps="99900000011",
    situation=1,
    specialty="01",
    convention="1",
    tariff_zone="30",
    ik_zone="01",
    agreements=("0", "0", "0"),
    card_number="9900000001",
    may_sign_invoice=True,
    may_sign_lot=True,
    test=True,
    structure=BillingStructure("4", "99900000011008", "", "CABINET TEST MEDECIN"),
)
BENEFICIARY = CareBeneficiary(
    nir="1801913055001",
    nir_key="55",
    name="TESTASSURE",
    first_name="PAUL",
    birth="19800119",
    rank=1,
    quality=0,
    regime="01",
    caisse="349",
    centre="0349",
    card_serial="999000001",
    rights=((date(2020, 1, 1), None),),
    coverage="00100",
)
AMC = Complementary(id="99999349", member="99000001", indicator="22", mutuelle=False)
PRESCRIBER = Person("991000035", "TESTPRESCRIPTEUR", "JEAN", "01")
ACT = CareAct(Nomenclature.NGAP, "G", TODAY, 1, Decimal(1), 3000, 3000, 70)


def sample_invoice(**changes: Any) -> Invoice:
    """A consultation paid directly by the insured, AMO part 70 %; fields of ``Invoice`` as in ``changes``.

    Without ``amo`` and ``amc`` in the changes, both follow the acts, their rates and the complementary insurer.
    ``professional__x=...`` and ``beneficiary__x=...`` change one field of the professional or the beneficiary.
    """
    inside = {name: value for name, value in changes.items() if "__" in name}
    base = Invoice(
        number=1,
        on=TODAY,
        mode=SecuringMode.SECURED,
        professional=PROFESSIONAL,
        beneficiary=BENEFICIARY,
        insurance=Insurance.MALADIE,
        payment=Payment.DIRECT,
        proof=Proof.VITALE,
        care_path="T",
        acts=(ACT,),
        amo=PayerShare(0),
        amc=PayerShare(0),
        body="013490349",
    )
    invoice = replace(base, **{name: value for name, value in changes.items() if name not in inside})
    for name, value in inside.items():
        owner, field = name.split("__")
        invoice = replace(invoice, **{owner: replace(getattr(invoice, owner), **{field: value})})
    if not {"amo", "amc"} <= changes.keys():
        profession = profession_of(invoice.professional.specialty)
        due = Circumstances(invoice.beneficiary, invoice.insurance, invoice.care_path, profession)
        amo, amc = due.shares(invoice.acts, invoice.payment)
        invoice = replace(
            invoice,
            amo=invoice.amo if "amo" in changes else amo,
            amc=invoice.amc if "amc" in changes else amc,
        )
    return invoice
