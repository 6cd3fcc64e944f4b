"""VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (ISO/IEC 7816-4, 11.6.6 to 11.6.10).

P1 says what the body holds: a family lists the forms it serves with ``ByParameter``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bifente.simulator.iso7816.access import SecretOperation
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.channel import Channel
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.family import Handler
from bifente.simulator.iso7816.status import StatusError, StatusWord

_GLOBAL_OR_LOCAL = 0x80


@dataclass(frozen=True, slots=True)
class ByParameter:
    """One instruction whose P1 tells several commands apart; any other P1 is refused (6A86)."""

    forms: Mapping[int, Handler]

    def __call__(self, card: SmartCard, channel: Channel, command: Command) -> Response:
        """Serve the command."""
        form = self.forms.get(command.p1)
        if form is None:
            raise StatusError(StatusWord.WRONG_PARAMETERS)
        return form(card, channel, command)


def present(card: SmartCard, channel: Channel, command: Command) -> Response:
    """VERIFY: present a code; with no body, ask how it stands without spending a try (CARD-CPS3-19, -20)."""
    secret = card.secrets.find(command.p2)
    card.require_secret(SecretOperation.VERIFY, secret)
    if not command.data:
        return Response(sw=card.secrets.status(secret))
    card.secrets.verify(secret, command.data)
    return Response()


def exchange(card: SmartCard, channel: Channel, command: Command) -> Response:
    """CHANGE REFERENCE DATA of old and new code joined (CARD-CPS3-21)."""
    secret = card.secrets.find(command.p2)
    card.require_secret(SecretOperation.CHANGE, secret)
    card.secrets.change(secret, command.data)
    return Response()


def assign(card: SmartCard, channel: Channel, command: Command) -> Response:
    """CHANGE REFERENCE DATA of the new code alone: the right to give it comes from a code verified before
    (CARD-CPS4-13, -14).
    """
    secret = card.secrets.find(command.p2)
    card.require_secret(SecretOperation.CHANGE, secret)
    card.secrets.assign(secret, command.data)
    return Response()


def unblock_anew(card: SmartCard, channel: Channel, command: Command) -> Response:
    """RESET RETRY COUNTER with the new code, the right to give it coming from another secret (CARD-CPS3-22)."""
    secret = card.secrets.find(command.p2)
    card.require_secret(SecretOperation.RESET, secret)
    card.secrets.reset(secret, command.data)
    return Response()


def unblock(card: SmartCard, channel: Channel, command: Command) -> Response:
    """RESET RETRY COUNTER alone, the former code staying; P2 is the reference with b8 set whatever it is elsewhere
    (CARD-CPS4-13).
    """
    if command.data:
        raise StatusError(StatusWord.WRONG_LENGTH)
    secret = card.secrets.find_but(_GLOBAL_OR_LOCAL, command.p2)
    card.require_secret(SecretOperation.RESET, secret)
    card.secrets.reset(secret, None)
    return Response()
