"""The life of a sheet (or of a claim) as a table: what may happen in each state, and what comes of it (SV-FSE-22)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import State


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
    RETRY = "retry"
    """Recycled as it is: it was good, its lot was not."""
    RECTIFY = "rectify"
    """Recycled with another content under the same number."""
    PAPER = "paper"
    """Given up electronically."""


TRANSITIONS: Mapping[tuple[State, Move], State] = {
    (State.PENDING, Move.SECURE): State.VALIDATED,
    (State.PENDING, Move.PAPER): State.PAPER,
    (State.VALIDATED, Move.SEND): State.SENT,
    (State.VALIDATED, Move.PAPER): State.PAPER,
    (State.SENT, Move.ACCEPT): State.ACCEPTED,
    (State.SENT, Move.REJECT): State.REJECTED,
    (State.SENT, Move.PAPER): State.PAPER,
    (State.ACCEPTED, Move.PAY): State.PAID,
    (State.ACCEPTED, Move.REFUSE_PAYMENT): State.PAYMENT_REJECTED,
    # "Recycled": the same number again, after a rejection and never before one.
    (State.REJECTED, Move.RETRY): State.VALIDATED,
    (State.REJECTED, Move.RECTIFY): State.PENDING,
    (State.REJECTED, Move.PAPER): State.PAPER,
    (State.PAYMENT_REJECTED, Move.RECTIFY): State.PENDING,
    (State.PAYMENT_REJECTED, Move.PAPER): State.PAPER,
    # One payer had refused, then paid after all.
    (State.PAYMENT_REJECTED, Move.PAY): State.PAID,
    # The acknowledgement was only late, and nothing is printed yet.
    (State.PAPER, Move.ACCEPT): State.ACCEPTED,
    # What came on paper is paid too.
    (State.PAPER, Move.PAY): State.PAID,
    (State.PAPER, Move.REFUSE_PAYMENT): State.PAYMENT_REJECTED,
}
"""Everything that may happen; ``Store`` lets nothing else happen. PAID is the end."""


def after(state: State, move: Move, place: str) -> State:
    """The state that ``move`` leads to. Raises FseError if it may not happen in ``state``."""
    try:
        return TRANSITIONS[state, move]
    except KeyError:
        possible = [one.value for (origin, one) in TRANSITIONS if origin is state]
        cure = f"only {', '.join(possible)} may happen now" if possible else "nothing more may happen to it"
        raise FseError(place, f"it is {state.value}: it cannot {move.value}", cure) from None
