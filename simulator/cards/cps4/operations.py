"""The security operations of a CPS4 that are its own: its MSE and the raw RSA operation (CARD-CPS4-16 to 19)."""

from __future__ import annotations

from collections.abc import Mapping

from bifente.simulator.iso7816.access import KeyOperation
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.channel import Channel, Environment
from bifente.simulator.iso7816.commands.security import (
    COMPUTE_SIGNATURE,
    DECIPHER,
    SET_FOR_VERIFICATION,
    Form,
    ManageSecurityEnvironment,
    PerformSecurityOperation,
    algorithm_named,
    chosen_key,
    compute_signature,
    key_named,
)
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.image import KeyUse
from bifente.simulator.iso7816.rsa import RsaError
from bifente.simulator.iso7816.status import StatusError, StatusWord

_ALGORITHM_AND_KEY, _KEY = 0x91, 0x83
_LOCAL = 0x80


def _choose(card: SmartCard, use: KeyUse, values: Mapping[int, bytes]) -> Environment:
    """To sign: tag 91, the algorithm and the key with b8 set. To decipher: tag 83, the key alone."""
    if use is KeyUse.DECIPHER:
        return Environment(key=key_named(card, values[_KEY][0]))
    algorithm, key = values[_ALGORITHM_AND_KEY]
    return Environment(key=key_named(card, key ^ _LOCAL), algorithm=algorithm_named(card, algorithm, use))


def _decipher(card: SmartCard, channel: Channel, command: Command) -> Response:
    """The private operation on one block as given; the result keeps whatever padding it has."""
    key = card.rsa(chosen_key(card, channel, KeyUse.DECIPHER, KeyOperation.DECIPHER))
    if len(command.data) != key.size:
        raise StatusError(StatusWord.WRONG_LENGTH)
    try:
        return Response(key.raw(command.data))
    except RsaError:
        raise StatusError(StatusWord.WRONG_DATA) from None


manage_security_environment = ManageSecurityEnvironment(
    forms={
        KeyUse.SIGN: Form({_ALGORITHM_AND_KEY: 2}, SET_FOR_VERIFICATION),
        KeyUse.DECIPHER: Form({_KEY: 1}),
    },
    choose=_choose,
)
perform_security_operation = PerformSecurityOperation({COMPUTE_SIGNATURE: compute_signature, DECIPHER: _decipher})
