"""Whether a claim (DRE) may stand: as its sheet has it, one for a sheet at a time; a cancellation repeats its claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bifente.simulator.formats.fse.model import Dre, LotKind, Rejection
from bifente.simulator.services.frontal.ledger import ComplementaryShare, ItemState, Ledger
from bifente.simulator.services.frontal.reasons import rejection

_STANDS = {ItemState.ACCEPTED, ItemState.SETTLED}


def claim_reasons(claim: Dre, before: Sequence[Dre], sender: str, ledger: Ledger) -> Iterator[Rejection]:
    """Why a claim of ``sender`` may not be taken. ``before``: those that come before it in its lot."""
    check = _claiming if claim.cancels is None else _cancelling
    return check(claim, before, sender, ledger)


def _claiming(claim: Dre, before: Sequence[Dre], sender: str, ledger: Ledger) -> Iterator[Rejection]:
    cancelled = {one.cancels for one in before}
    standing = {one.number for one in before if one.cancels is None and one.invoice == claim.invoice}
    standing |= {one.number for one in ledger.claims(sender, claim.invoice) if _stands(one, sender, ledger)}
    if (share := ledger.share(sender, claim.invoice)) is not None and (unlike := unlike_sheet(claim, share)):
        yield rejection("claim-not-of-sheet", claim.number, f"sheet {claim.invoice}: {unlike}")
    # Its own number twice is another reason.
    for number in sorted(standing - cancelled - {claim.number}):
        yield rejection("claim-standing", claim.number, f"claim {number} for sheet {claim.invoice}")


def unlike_sheet(claim: Dre, share: ComplementaryShare) -> str:
    """Return in what a claim differs from the complementary part of its sheet, nothing where it does not."""
    told = {
        "amount": (claim.asked, share.asked),
        "insurer": (claim.amc.id, share.insurer),
        "member": (claim.amc.member, share.member),
        "indicator": (claim.amc.indicator, share.indicator),
    }
    return ", ".join(name for name, (said, due) in told.items() if said != due)


def _cancelling(claim: Dre, before: Sequence[Dre], sender: str, ledger: Ledger) -> Iterator[Rejection]:
    assert claim.cancels is not None  # noqa: S101 - it is a cancellation
    place = f"claim {claim.cancels}"
    earlier = {one.number: one for one in before if one.cancels is None}
    known = earlier.get(claim.cancels) or ledger.claim(sender, claim.cancels)
    if known is None:
        yield rejection("claim-unknown", claim.number, place)
        return
    open = known.number in earlier or ledger.item(sender, LotKind.DRE, known.number) is ItemState.ACCEPTED
    if not open or any(one.cancels == known.number for one in before):
        yield rejection("claim-settled", claim.number, place)
    if (known.invoice, known.amc, known.asked) != (claim.invoice, claim.amc, claim.asked):
        yield rejection("claim-otherwise", claim.number, place)


def _stands(claim: Dre, sender: str, ledger: Ledger) -> bool:
    return ledger.item(sender, LotKind.DRE, claim.number) in _STANDS
