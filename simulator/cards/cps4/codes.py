"""How a CPS4 refuses a code: by the tries left or as blocked, and by nothing else (CL-SRC-06).

The driver of the real Cryptolib takes every other status word to VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER
for a success (sources#cryptolib-source). What a real card answers is not known: modelled. Wrong parameters stay 6A86,
after which the driver selects the application and asks once more.
"""

from __future__ import annotations

from collections.abc import Callable

from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.channel import Channel
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.family import Handler
from bifente.simulator.iso7816.image import CardSecret
from bifente.simulator.iso7816.status import StatusError, StatusWord, tries_left

Find = Callable[[SmartCard, int], CardSecret]


def by_reference(card: SmartCard, reference: int) -> CardSecret:
    """Return the code that P2 names. Raise StatusError."""
    return card.secrets.find(reference)


def by_local_reference(card: SmartCard, reference: int) -> CardSecret:
    """Return the code that P2 names with b8 set. Raise StatusError."""
    return card.secrets.find_but(0x80, reference)


def counted(handler: Handler, find: Find = by_reference, *, presents: bool = False) -> Handler:
    """Return the handler, whose refusals tell how the code stands; 6983 for a code that the card does not have.

    ``presents``: a body of a length that the code cannot have is a wrong code, and spends a try.
    """

    def serve(card: SmartCard, channel: Channel, command: Command) -> Response:
        try:
            return handler(card, channel, command)
        except StatusError as refusal:
            if _counts(refusal.sw):
                raise
            try:
                secret = find(card, command.p2)
            except StatusError:
                raise StatusError(StatusWord.BLOCKED) from None
            if presents and refusal.sw == StatusWord.WRONG_LENGTH:
                card.secrets.spend(secret)
            left = card.secrets.state(secret).tries_left
            raise StatusError(tries_left(left) if left else StatusWord.BLOCKED) from None

    return serve


def _counts(sw: int) -> bool:
    return sw >> 4 == 0x63C or sw in (StatusWord.BLOCKED, StatusWord.WRONG_PARAMETERS, StatusWord.MEMORY_FAILURE)
