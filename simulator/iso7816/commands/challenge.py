"""GET CHALLENGE (ISO/IEC 7816-4, 11.6.3)."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.channel import Channel
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.status import StatusError, StatusWord, wrong_expected


@dataclass(frozen=True, slots=True)
class GetChallenge:
    """The GET CHALLENGE of a card that gives ``size`` random bytes at a time (CARD-CPS3-40)."""

    size: int = 8

    def __call__(self, card: SmartCard, channel: Channel, command: Command) -> Response:
        """Serve the command; a shorter Le gets 6Cxx, a longer one too in T=0.

        The last one given is what EXTERNAL AUTHENTICATE must answer, on cards that have it.
        """
        if command.p1 or command.p2:
            raise StatusError(StatusWord.WRONG_PARAMETERS)
        if command.data or command.ne is None:
            raise StatusError(StatusWord.WRONG_LENGTH)
        if command.ne < self.size:
            raise StatusError(wrong_expected(self.size))
        card.trust.challenge = challenge = card.random(self.size)
        return Response(challenge)
