"""VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (ISO/IEC 7816-4, 11.6.6 to 11.6.10)."""

from __future__ import annotations

from simulator.iso7816.access import SecretOperation
from simulator.iso7816.apdu import Command, Response
from simulator.iso7816.channel import Channel
from simulator.iso7816.engine import SmartCard
from simulator.iso7816.status import StatusError, StatusWord


def _parameter(command: Command, expected: int) -> None:
    if command.p1 != expected:
        raise StatusError(StatusWord.WRONG_PARAMETERS)


def verify(card: SmartCard, channel: Channel, command: Command) -> Response:
    """Present a code; with no body, ask how it stands without spending a try (CARD-CPS3-19, -20)."""
    _parameter(command, 0x00)
    secret = card.secrets.find(command.p2)
    if not command.data:
        return Response(sw=card.secrets.status(secret))
    card.require_secret(SecretOperation.VERIFY, secret)
    card.secrets.verify(secret, command.data)
    return Response()


def change_reference_data(card: SmartCard, channel: Channel, command: Command) -> Response:
    """P1=00: old and new code joined (CARD-CPS3-21)."""
    _parameter(command, 0x00)
    secret = card.secrets.find(command.p2)
    card.require_secret(SecretOperation.CHANGE, secret)
    card.secrets.change(secret, command.data)
    return Response()


def reset_retry_counter(card: SmartCard, channel: Channel, command: Command) -> Response:
    """P1=02: the new code alone, the right to give it coming from another secret already verified (CARD-CPS3-22)."""
    _parameter(command, 0x02)
    secret = card.secrets.find(command.p2)
    card.require_secret(SecretOperation.RESET, secret)
    card.secrets.reset(secret, command.data)
    return Response()
