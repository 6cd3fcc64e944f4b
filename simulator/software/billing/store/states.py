"""The life of a sheet (or of a claim) as a table: what may happen in each state, and what comes of it (SV-FSE-22)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import SheetState


class Move(StrEnum):
    """What happens to a sheet."""

    SECURE = "secure"
    SEND = "send"
    ACCEPT = "accept"
    """A positive ARL."""
    REJECT = "reject"
    """A negative ARL."""
    PAY = "pay"
    REFUSE_PAYMENT = "refuse-payment"
    REVERSE = "reverse"
    """What was paid is taken back."""
    RETRY = "retry"
    """Recycled as it is: it was good, its lot was not."""
    RECTIFY = "rectify"
    """Recycled with another content under the same number."""
    PAPER = "paper"
    """Given up electronically."""


TRANSITIONS: Mapping[tuple[SheetState, Move], SheetState] = {
    (SheetState.PENDING, Move.SECURE): SheetState.VALIDATED,
    (SheetState.PENDING, Move.PAPER): SheetState.PAPER,
    (SheetState.VALIDATED, Move.SEND): SheetState.SENT,
    (SheetState.VALIDATED, Move.PAPER): SheetState.PAPER,
    (SheetState.SENT, Move.ACCEPT): SheetState.ACCEPTED,
    (SheetState.SENT, Move.REJECT): SheetState.REJECTED,
    (SheetState.SENT, Move.PAPER): SheetState.PAPER,
    (SheetState.ACCEPTED, Move.PAY): SheetState.PAID,
    (SheetState.ACCEPTED, Move.REFUSE_PAYMENT): SheetState.PAYMENT_REJECTED,
    (SheetState.PAID, Move.REVERSE): SheetState.PAYMENT_REJECTED,
    # "Recycled": the same number again, after a rejection and never before one.
    (SheetState.REJECTED, Move.RETRY): SheetState.VALIDATED,
    (SheetState.REJECTED, Move.RECTIFY): SheetState.PENDING,
    (SheetState.REJECTED, Move.PAPER): SheetState.PAPER,
    (SheetState.PAYMENT_REJECTED, Move.RECTIFY): SheetState.PENDING,
    (SheetState.PAYMENT_REJECTED, Move.PAPER): SheetState.PAPER,
    # One payer had refused, then paid after all.
    (SheetState.PAYMENT_REJECTED, Move.PAY): SheetState.PAID,
    # The acknowledgement was only late, and nothing is printed yet.
    (SheetState.PAPER, Move.ACCEPT): SheetState.ACCEPTED,
    # What came on paper is paid too.
    (SheetState.PAPER, Move.PAY): SheetState.PAID,
    (SheetState.PAPER, Move.REFUSE_PAYMENT): SheetState.PAYMENT_REJECTED,
}
"""Everything that may happen; ``Store`` lets nothing else happen. PAID is the end, unless it is taken back."""


def after(state: SheetState, move: Move, place: str) -> SheetState:
    """The state that ``move`` leads to. Raises FseError if it may not happen in ``state``."""
    try:
        return TRANSITIONS[state, move]
    except KeyError:
        possible = [one.value for (origin, one) in TRANSITIONS if origin is state]
        cure = f"only {', '.join(possible)} may happen now" if possible else "nothing more may happen to it"
        raise FseError(place, f"it is {state.value}: it cannot {move.value}", cure) from None
