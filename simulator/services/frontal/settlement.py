"""What a body pays of a sheet or of a claim that it accepted, and why not the rest. Whole cents; modelled throughout.

That no more is asked than is due was checked on receipt. With third-party payment the AMO answers for its part, and for
that of a mutuelle to which it passes the sheet on; the complementary insurer answers a claim (DRE). A sheet paid at the
desk gets an answer only if it is rejected: what is paid goes to the insured.
"""

from __future__ import annotations

from random import Random

from bifente.simulator.formats.fse.dre import indicators
from bifente.simulator.formats.fse.model import Dre, Invoice, Payment, PaymentOutcome, RspLine
from bifente.simulator.formats.fse.securing.modes import MODES, PaidOn
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.services.frontal.reasons import rejection

AMO, AMC = "amo", "amc"
"""The payers that a line names."""


def sheet_lines(
    invoice: Invoice, parameters: FrontalParameters, chance: Random, *, paid_before: bool = False, paper: bool = True
) -> tuple[RspLine, ...]:
    """What will be said of a sheet: a line for each payer that was asked, none if nobody owes the professional.

    ``paid_before``: another sheet bills one of its acts for the same person and day. ``paper``: it goes along with a
    form signed on paper, where its mode takes one.
    """
    why = "act-paid-before" if paid_before else _refused(invoice, parameters, chance, paper=paper)
    if invoice.payment is Payment.DIRECT:
        return () if why is None else (_line(invoice.number, AMO, invoice.amo.asked, 0, why),)
    lines = []
    if invoice.amo.asked:
        due = 0 if why else _reduced(invoice.amo.asked, parameters, chance)
        lines.append(_line(invoice.number, AMO, invoice.amo.asked, due, why or "above-due"))
    if invoice.amc.asked and not claims_beside(invoice):
        # No claim can go beside this sheet: its complementary part comes through the AMO or from nobody.
        closed = why or _contract(_member(invoice), parameters)
        due = 0 if closed else _reduced(invoice.amc.asked, parameters, chance)
        lines.append(_line(invoice.number, AMC, invoice.amc.asked, due, closed or "above-due"))
    return tuple(lines)


def claim_line(claim: Dre, parameters: FrontalParameters, chance: Random) -> RspLine:
    """What will be said of a claim."""
    why = _contract(claim.amc.member, parameters) or _control(parameters, chance)
    due = 0 if why else _reduced(claim.asked, parameters, chance)
    return _line(claim.invoice, AMC, claim.asked, due, why or "above-due")


def claim_without_sheet(claim: Dre) -> RspLine:
    """What will be said of a claim whose sheet nobody ever sent."""
    return _line(claim.invoice, AMC, claim.asked, 0, "claim-sheet-unknown")


def claim_unlike_sheet(claim: Dre) -> RspLine:
    """What will be said of a claim that came before its sheet and is not as the sheet has it."""
    return _line(claim.invoice, AMC, claim.asked, 0, "claim-not-of-sheet")


def pays_the_professional(claim: Dre) -> bool:
    """Whether a claim is paid to the professional: not if the indicator allows claims beside direct payment alone."""
    known = indicators().get(claim.amc.indicator)
    return known is None or Payment.TIERS_PAYANT in known.payments


def claims_beside(invoice: Invoice) -> bool:
    """Whether the complementary part of a sheet is asked by a claim rather than by the sheet."""
    amc = invoice.beneficiary.complementary
    if amc is None or amc.mutuelle:
        return False
    known = indicators().get(amc.indicator)
    return known is not None and invoice.payment in known.payments


def unproven(invoice: Invoice) -> RspLine:
    """What will be said of a sheet whose paper never comes, to whoever would be paid."""
    return _line(invoice.number, AMO, invoice.amo.asked, 0, "proof-missing")


def waits_for_paper(invoice: Invoice, *, paper: bool) -> bool:
    """Whether a sheet is paid once its paper has arrived: one that says that a paper goes along."""
    return paper and MODES[invoice.mode].paid is PaidOn.PAPER


def _refused(invoice: Invoice, parameters: FrontalParameters, chance: Random, *, paper: bool) -> str | None:
    paid = MODES[invoice.mode].paid
    if paid is PaidOn.NEVER or (paid is PaidOn.PAPER and not paper):
        return "nothing-proves-it"
    if _rights_closed(invoice, parameters):
        return "rights-closed"
    if paid is PaidOn.PAPER and invoice.number in parameters.papers_missing:
        return "proof-missing"
    return _control(parameters, chance)


def _rights_closed(invoice: Invoice, parameters: FrontalParameters) -> bool:
    """On the day of any act: for what the card said, if it said anything, or for what the body knows."""
    who = invoice.beneficiary
    closed = parameters.closed_rights.get(who.nir)
    return any(
        (closed is not None and act.on >= closed)
        or (bool(who.rights) and not any(start <= act.on <= (end or act.on) for start, end in who.rights))
        for act in invoice.acts
    )


def _control(parameters: FrontalParameters, chance: Random) -> str | None:
    return "under-control" if chance.random() < parameters.rejected else None


def _contract(member: str, parameters: FrontalParameters) -> str | None:
    return "contract-closed" if member in parameters.closed_contracts else None


def _member(invoice: Invoice) -> str:
    amc = invoice.beneficiary.complementary
    return "" if amc is None else amc.member


def _reduced(due: int, parameters: FrontalParameters, chance: Random) -> int:
    return due * (100 - parameters.reduction) // 100 if chance.random() < parameters.partly_paid else due


def _line(invoice: int, payer: str, asked: int, paid: int, why: str) -> RspLine:
    if paid == asked:
        if paid or why == "above-due":
            return RspLine(invoice, payer, PaymentOutcome.PAID, asked, paid)
        return RspLine(invoice, payer, PaymentOutcome.REJECTED, asked, 0, rejection(why, invoice))
    outcome = PaymentOutcome.PARTLY_PAID if paid else PaymentOutcome.REJECTED
    return RspLine(invoice, payer, outcome, asked, paid, rejection(why, invoice))
