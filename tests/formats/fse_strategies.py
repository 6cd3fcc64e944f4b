"""Any care sheet that its form can hold, sensible or not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

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
    WorkAccident,
)


def digits(low: int, high: int | None = None) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=low, max_size=low if high is None else high)


def codes(low: int, high: int) -> st.SearchStrategy[str]:
    return st.text("0123456789ABCXYZ ", min_size=low, max_size=high)


names = st.text("ABCXYZ -'.{~", max_size=12)
days = st.dates(date(1, 1, 1), date(9999, 12, 31))
cents = st.integers(0, 999_999_999)
coefficients = st.decimals(0, 99_999, places=4).map(lambda value: abs(value)) | st.sampled_from(
    [Decimal("1"), Decimal("1.0"), Decimal("1.50"), Decimal("1E+2"), Decimal("0.0001"), Decimal("0")]
)
persons = st.builds(Person, digits(9), names, names, codes(0, 2))
structures = st.builds(BillingStructure, codes(1, 2), codes(0, 14), digits(0, 1), names)
professionals = st.builds(
    Professional,
    billing_id=digits(9),
    name=names,
    first_name=names,
    rpps=digits(0, 11),
    situation=st.integers(0, 99),
    specialty=codes(0, 2),
    convention=codes(0, 2),
    tariff_zone=codes(0, 2),
    ik_zone=codes(0, 2),
    agreements=st.tuples(codes(0, 1), codes(0, 1), codes(0, 1)),
    card_number=codes(0, 20),
    may_sign_invoice=st.booleans(),
    may_sign_lot=st.booleans(),
    test=st.booleans(),
    salaried=st.booleans(),
    structure=st.none() | structures,
)
complementaries = st.builds(Complementary, codes(1, 10), codes(0, 8), codes(0, 2), st.booleans())
beneficiaries = st.builds(
    CareBeneficiary,
    nir=codes(13, 13),
    nir_key=digits(2),
    name=names,
    first_name=names,
    birth=digits(8),
    rank=st.integers(0, 99),
    quality=st.integers(0, 9),
    regime=codes(2, 2),
    caisse=codes(3, 3),
    centre=codes(4, 4),
    card_serial=codes(0, 20),
    certified_nir=st.just("") | st.builds(str.__add__, codes(13, 13), digits(2)),
    exoneration=codes(0, 1),
    alsace_moselle=st.booleans(),
    c2s=st.booleans(),
    ald=st.booleans(),
    rights=st.lists(st.tuples(days, st.none() | days), max_size=3).map(tuple),
    complementary=st.none() | complementaries,
    apcv=st.booleans(),
    test=st.booleans(),
    coverage=codes(0, 6),
)
acts = st.builds(
    CareAct,
    st.sampled_from(Nomenclature),
    codes(0, 7),
    days,
    st.integers(0, 99),
    coefficients,
    cents,
    cents,
    st.integers(0, 100),
)
shares = st.builds(PayerShare, cents)
invoices = st.builds(
    Invoice,
    number=st.integers(1, 999_999_999),
    on=days,
    mode=st.sampled_from(SecuringMode),
    professional=professionals,
    beneficiary=beneficiaries,
    insurance=st.sampled_from(Insurance),
    payment=st.sampled_from(Payment),
    proof=st.sampled_from(Proof),
    care_path=codes(0, 2),
    acts=st.lists(acts, max_size=4).map(tuple),
    amo=shares,
    amc=shares,
    body=digits(9),
    prescriber=st.none() | persons,
    prescribed_on=st.none() | days,
    substitute=st.none() | persons,
    accident=st.none() | st.builds(WorkAccident, days, codes(0, 9)),
    pregnancy_on=st.none() | days,
    rectifies=st.none() | st.integers(1, 999_999_999),
)
