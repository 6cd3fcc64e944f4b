"""The rules that a sheet must meet before it is secured: each finding has its severity, code, sentence and source.

Severities, sentences and sources are data (``rules.yaml``); what breaks a rule is here. Nothing is read from a card:
what must be known of the cards in the reader comes as ``Facts``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from bifente.ground.identifiers import BILLING, NIR
from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.fse.amounts import reimbursable
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CareAct, Insurance, Invoice, Nomenclature, Payment
from bifente.simulator.formats.fse.securing.modes import MODES, PaperForm
from bifente.simulator.tarification.ages import age
from bifente.simulator.tarification.bodies import body_of
from bifente.simulator.tarification.ccam import unit_price
from bifente.simulator.tarification.deadlines import prescription
from bifente.simulator.tarification.participation import heavy_acts
from bifente.simulator.tarification.pricing import Circumstances
from bifente.simulator.tarification.tables import (
    ACTS,
    CARE_PATH,
    CCAM,
    EXONERATIONS,
    PROFESSIONS,
    RATES,
    REGIMES,
    profession_of,
    usual_specialty,
)
from bifente.simulator.tarification.together import Broken, conditions, together

_LONGEST_PRESCRIPTION = 366
"""Days for which a prescription holds: a year at most (that of medicines, CSP R5123-2)."""
_YOUNG, _DIRECT = "J", "D"
_LONGEST_MATERNITY = 400
"""Days from the date of pregnancy to the last care of a maternity, a bound of ours."""


class RuleSeverity(StrEnum):
    """What a finding does to a sheet."""

    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """A rule that a sheet breaks."""

    severity: RuleSeverity
    code: str
    sentence: Text
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the day, of the cards in the reader and of the desk, beside the sheet; None: not known.

    ``cps_rpps`` and ``vitale_serial`` are those of the cards in the reader; ``paper``: the signed form is at hand;
    ``unknown_codes``: what the Vitale tells by codes that no table has, field and code.
    """

    today: date
    code_presented: bool = True
    cps_rpps: str | None = None
    cps_ends: date | None = None
    vitale_serial: str | None = None
    vitale_ends: date | None = None
    vitale_opposed: bool = False
    paper: bool = False
    unknown_codes: tuple[tuple[str, str], ...] = ()


class SheetRule(BaseModel):
    """A rule as data: the words in braces of its sentences are filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: RuleSeverity
    source: str
    fr: str
    en: str


def _load() -> Mapping[str, SheetRule]:
    return {code: SheetRule.model_validate(rule) for code, rule in shipped(__package__, "rules.yaml")["rules"].items()}


#: Every rule by its code.
RULES: Mapping[str, SheetRule] = _load()


def examine(invoice: Invoice, facts: Facts) -> tuple[RuleFinding, ...]:
    """Every rule that a sheet breaks, in the order of the checks; none if it may be secured without a word."""
    return tuple(_finding(code, words) for check in _CHECKS for code, words in check(invoice, facts))


def blocks(findings: tuple[RuleFinding, ...]) -> bool:
    """Whether one of the findings forbids securing the sheet."""
    return any(finding.severity is RuleSeverity.BLOCK for finding in findings)


def _finding(code: str, words: Mapping[str, object]) -> RuleFinding:
    rule = RULES[code]
    return RuleFinding(rule.severity, code, Text(rule.fr.format(**words), rule.en.format(**words)), rule.source)


def _broken(code: str, /, **words: object) -> Broken:
    return code, words


# -- the acts and their prices ----------------------------------------------------------------------------------------


def _acts(invoice: Invoice, facts: Facts) -> Iterator[Broken]:
    if not invoice.acts:
        yield _broken("no-acts")
    for (code, on, _), count in Counter((act.code, act.on, act.coefficient) for act in invoice.acts).items():
        if count > 1 and not _once(code):
            yield _broken("act-repeated", code=code, on=on)
    told: Counter[tuple[str, date]] = Counter()
    for act in invoice.acts:
        told[act.code, act.on] += act.quantity
    for (code, on), count in told.items():
        if count > 1 and _once(code):
            yield _broken("act-twice", code=code, on=on)
    yield from together(invoice)
    heavy = heavy_acts(invoice.acts, profession_of(invoice.professional.specialty))
    for place, act in enumerate(invoice.acts):
        yield from _act(invoice, act, facts, heavy=place in heavy)


def _act(invoice: Invoice, act: CareAct, facts: Facts, *, heavy: bool) -> Iterator[Broken]:
    if act.on > facts.today:
        yield _broken("act-in-future", code=act.code, on=act.on)
    if act.on > invoice.on:
        yield _broken("act-after-sheet", code=act.code, on=act.on)
    if act.on < _birth(invoice):
        yield _broken("act-before-birth", code=act.code, on=act.on)
    if facts.today > (until := prescription(act.on)):
        yield _broken("prescribed", code=act.code, on=act.on, until=until)
    if not act.quantity or not act.coefficient:
        yield _broken("quantity-zero", code=act.code)
    kind = ACTS.get(act.code)
    if kind is None or kind.nomenclature is not act.nomenclature:
        yield _broken("act-unknown", code=act.code)
        return
    specialty = invoice.professional.specialty
    profession = profession_of(specialty)
    if not kind.is_for(profession, specialty):
        yield _broken("act-not-of-profession", code=act.code, specialty=specialty)
    if not kind.is_of(act.on, profession, specialty):
        yield _broken("act-not-of-day", code=act.code, on=act.on)
    tariff = kind.price_on(act.on, profession, specialty)
    if tariff is not None and act.base != (expected := unit_price(tariff, act.association, act.modifiers)):
        yield _broken("price-wrong", code=act.code, expected=expected, found=act.base)
    yield from conditions(invoice, act, kind)
    if act.coefficient != 1 and not kind.coefficient:
        yield _broken("coefficient-unwanted", code=act.code)
    rate = _circumstances_of(invoice).rate(kind, act.on, heavy=heavy)
    if act.rate != rate:
        yield _broken("rate-wrong", code=act.code, expected=rate, found=act.rate)
    if kind.prescribed and invoice.prescriber is None:
        yield _broken("prescriber-missing", code=act.code)
    if invoice.beneficiary.c2s and act.amount > reimbursable(act):
        yield _broken("c2s-overrun", code=act.code)


def _circumstances_of(invoice: Invoice) -> Circumstances:
    profession = profession_of(invoice.professional.specialty)
    return Circumstances(invoice.beneficiary, invoice.insurance, invoice.care_path, profession)


def _once(code: str) -> bool:
    kind = ACTS.get(code)
    return kind is not None and kind.once


def _birth(invoice: Invoice) -> date:
    """The earliest day that a birth can be: of one that is not known in full (lunar month), the first of its year."""
    birth = invoice.beneficiary.birth
    try:
        return date(int(birth[:4]), int(birth[4:6]), int(birth[6:8]))
    except ValueError:
        return date(max(1, int(birth[:4])), 1, 1)


def _session(invoice: Invoice, facts: Facts) -> Iterator[Broken]:
    """CCAM acts of one day by a physician: one alone is in full, any other has its association code."""
    if profession_of(invoice.professional.specialty) != "medecin":
        return
    for day in sorted({act.on for act in invoice.acts}):
        session = [act for act in invoice.acts if act.on == day and act.nomenclature is Nomenclature.CCAM]
        full = [act for act in session if act.association in (0, CCAM.first)]
        for act in full[1:]:
            yield _broken("association-missing", code=act.code)
        lessened = [act for act in session if act.association in CCAM.lessened]
        if len(full) + len(lessened) > CCAM.most_acts:
            yield _broken("association-too-many", on=day, most=CCAM.most_acts)
        if sum(len(set(act.modifiers) & set(CCAM.exclusive)) for act in session) > 1:
            yield _broken("modifier-twice", letters=", ".join(CCAM.exclusive), on=day)


def _amounts(invoice: Invoice, facts: Facts) -> Iterator[Broken]:
    amo, amc = _circumstances_of(invoice).shares(invoice.acts, invoice.payment)
    if invoice.amo != amo:
        yield _broken("amo-part-wrong", expected=amo.asked, found=invoice.amo.asked)
    if invoice.amc != amc:
        yield _broken("amc-part-wrong", expected=amc.asked, found=invoice.amc.asked)
    if invoice.amo.asked + invoice.amc.asked > invoice.total:
        yield _broken("parts-above-total", total=invoice.total)


# -- the professional and the cards -----------------------------------------------------------------------------------


def _professional(invoice: Invoice, facts: Facts) -> Iterator[Broken]:
    professional = invoice.professional
    if not professional.may_sign_invoice:
        yield _broken("ps-may-not-sign")
    if not professional.may_sign_lot:
        yield _broken("ps-may-not-sign-lot")
    if not facts.code_presented:
        yield _broken("holder-code-missing")
    if not professional.rpps or facts.cps_rpps not in (None, professional.rpps):
        yield _broken("holder-unknown")
    if profession_of(professional.specialty) is None:
        yield _broken("specialty-unknown", specialty=professional.specialty or "?")
    if not _verified(BILLING.verify, professional.billing_id):
        yield _broken("billing-number-wrong", number=professional.billing_id)
    if facts.cps_ends is not None and facts.cps_ends < facts.today:
        yield _broken("cps-expired", on=facts.cps_ends)


def _vitale(invoice: Invoice, facts: Facts) -> Iterator[Broken]:
    beneficiary = invoice.beneficiary
    if not _verified(NIR.verify, beneficiary.nir + beneficiary.nir_key):
        yield _broken("nir-wrong")
    if facts.vitale_ends is not None and facts.vitale_ends < facts.today:
        yield _broken("vitale-expired", on=facts.vitale_ends)
    if facts.vitale_opposed:
        yield _broken("vitale-opposed", serial=beneficiary.card_serial)
    if facts.vitale_serial not in (None, beneficiary.card_serial):
        yield _broken("vitale-of-another")
    if invoice.professional.test != beneficiary.test:
        yield _broken("test-with-real")
    for what, code in facts.unknown_codes:
        yield _broken("code-unknown", what=what, code=code)


# -- the rights and who pays ------------------------------------------------------------------------------------------


def _rights(invoice: Invoice, facts: Facts) -> Iterator[Broken]:
    beneficiary = invoice.beneficiary
    for on in sorted({act.on for act in invoice.acts} or {invoice.on}):
        if not any(start <= on and (end is None or on <= end) for start, end in beneficiary.rights):
            yield _broken("rights-closed", on=on)
    exoneration = EXONERATIONS.codes.get(beneficiary.exoneration)
    if exoneration is None:
        yield _broken("exoneration-unknown", code=beneficiary.exoneration or "?")
    elif exoneration.prevention:
        for code in dict.fromkeys(act.code for act in invoice.acts if act.code in ACTS):
            if not ACTS[code].prevention:
                yield _broken("exoneration-not-of-act", exoneration=beneficiary.exoneration, code=code)
    if beneficiary.c2s and invoice.payment is Payment.DIRECT:
        yield _broken("c2s-direct")


def _body(invoice: Invoice, facts: Facts) -> Iterator[Broken]:
    beneficiary = invoice.beneficiary
    regime = REGIMES.codes.get(beneficiary.regime)
    if regime is None:
        yield _broken("regime-unknown", regime=beneficiary.regime or "?")
        return
    if regime.ended:
        yield _broken("regime-ended", regime=beneficiary.regime)
    if beneficiary.regime in RATES.own_rates and not _rates_known(invoice):
        yield _broken("rates-of-scheme", regime=beneficiary.regime)
    try:
        expected = body_of(beneficiary.regime, beneficiary.caisse, beneficiary.centre)
    except FseError:
        expected = "?"
    if invoice.body != expected:
        yield _broken("wrong-body", expected=expected, found=invoice.body)


def _rates_known(invoice: Invoice) -> bool:
    """Whether the scheme has a rate of its own in the tables for every act."""
    scheme = RATES.schemes.get(invoice.beneficiary.regime)
    profession = profession_of(invoice.professional.specialty)
    kinds = [ACTS[act.code] for act in invoice.acts if act.code in ACTS]
    return scheme is not None and all(scheme.of(kind, kind.class_of(profession)) is not None for kind in kinds)


# -- the circumstances ------------------------------------------------------------------------------------------------


def _circumstances(invoice: Invoice, facts: Facts) -> Iterator[Broken]:
    first = min((act.on for act in invoice.acts), default=invoice.on)
    if invoice.on > facts.today:
        yield _broken("sheet-in-future", on=invoice.on)
    if invoice.rectifies == invoice.number:
        yield _broken("rectifies-itself")
    yield from _accident(invoice, first)
    if invoice.insurance is Insurance.MATERNITE:
        if invoice.pregnancy_on is None:
            yield _broken("maternity-date-missing")
        elif not 0 <= (first - invoice.pregnancy_on).days <= _LONGEST_MATERNITY:
            yield _broken("maternity-date-impossible", on=invoice.pregnancy_on)
    yield from _prescription(invoice, first)


def _accident(invoice: Invoice, first: date) -> Iterator[Broken]:
    accident = invoice.accident
    if invoice.insurance is not Insurance.AT_MP:
        if accident is not None:
            yield _broken("accident-not-wanted")
        return
    if accident is None or not accident.number:
        yield _broken("accident-missing")
    elif accident.on > first:
        yield _broken("accident-after-act", on=accident.on)


def _prescription(invoice: Invoice, first: date) -> Iterator[Broken]:
    if invoice.prescriber is None:
        return
    if not _verified(BILLING.verify, invoice.prescriber.billing_id):
        yield _broken("prescriber-number-wrong", number=invoice.prescriber.billing_id)
    prescribes = PROFESSIONS.codes.get(profession_of(usual_specialty(invoice.prescriber.billing_id) or "") or "")
    if prescribes is not None and not prescribes.prescribes:
        yield _broken("prescriber-not-entitled", number=invoice.prescriber.billing_id)
    if invoice.prescribed_on is None:
        yield _broken("prescription-date-missing")
    elif (first - invoice.prescribed_on).days > _LONGEST_PRESCRIPTION:
        yield _broken("prescription-too-old", on=invoice.prescribed_on)
    elif invoice.prescribed_on > first:
        yield _broken("prescription-after-act", on=invoice.prescribed_on)


def _care_path(invoice: Invoice, facts: Facts) -> Iterator[Broken]:
    letter = invoice.care_path
    if letter and letter not in CARE_PATH.codes:
        yield _broken("care-path-unknown", letter=letter)
    years = age(invoice.beneficiary.birth, invoice.on)
    young = years < CARE_PATH.young_until
    if letter == _YOUNG and not young:
        yield _broken("not-young", limit=CARE_PATH.young_until, age=years)
    if letter == _DIRECT and not CARE_PATH.direct_access.open_to(invoice.professional.specialty, years):
        yield _broken("direct-access", specialty=invoice.professional.specialty, age=years)
    profession = profession_of(invoice.professional.specialty)
    concerned = profession in (None, *RATES.outside_care_path.professions)
    if not letter and not young and concerned and invoice.insurance is Insurance.MALADIE:
        for code in dict.fromkeys(act.code for act in invoice.acts if act.code in ACTS and ACTS[act.code].care_path):
            yield _broken("care-path-missing", code=code)


def _mode(invoice: Invoice, facts: Facts) -> Iterator[Broken]:
    rule = MODES[invoice.mode]
    if rule.paper is PaperForm.MUST and not facts.paper:
        yield _broken("paper-missing")
    if invoice.proof not in rule.proofs:
        yield _broken("proof-of-mode", mode=int(invoice.mode))
    if invoice.payment not in rule.payments:
        yield _broken("payment-of-mode", mode=int(invoice.mode))


def _verified(check: Callable[[str], str], value: str) -> bool:
    try:
        check(value)
    except ValueError:
        return False
    return True


_CHECKS: tuple[Callable[[Invoice, Facts], Iterator[Broken]], ...] = (
    _acts,
    _session,
    _amounts,
    _professional,
    _vitale,
    _rights,
    _body,
    _circumstances,
    _care_path,
    _mode,
)
