"""The security operations of a CPS3 that are its own: finish a hash, authenticate, decipher (CARD-CPS3-24 to 29)."""

from __future__ import annotations

from collections.abc import Mapping

from bifente.simulator.iso7816 import hashing, tlv
from bifente.simulator.iso7816.access import KeyOperation
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.channel import Channel, Environment, HashValue
from bifente.simulator.iso7816.commands.security import (
    COMPUTE_SIGNATURE,
    DECIPHER,
    PARTIAL_HASH,
    Form,
    ManageSecurityEnvironment,
    PerformSecurityOperation,
    algorithm_named,
    chosen_algorithm,
    chosen_key,
    compute_signature,
    digest_of,
    key_named,
)
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.image import KeyUse
from bifente.simulator.iso7816.rsa import RsaError
from bifente.simulator.iso7816.status import StatusError, StatusWord

_ALGORITHM, _KEY = 0x80, 0x84
_BOTH = Form({_ALGORITHM: 1, _KEY: 1})
_NO_FURTHER_INDICATION = 0x81
_COUNT_SIZE = 8
_AUTHENTICATE_PERCENT = 40


def _choose(card: SmartCard, use: KeyUse, values: Mapping[int, bytes]) -> Environment:
    """Tag 80 is the algorithm, tag 84 the key."""
    return Environment(
        key=key_named(card, values[_KEY][0]) if _KEY in values else None,
        algorithm=algorithm_named(card, values[_ALGORITHM][0], use) if _ALGORITHM in values else None,
    )


def _hash(card: SmartCard, channel: Channel, command: Command) -> Response:
    """Finish a hash: ``90 <state and bit count, or nothing> 80 <last 1 to 64 bytes>`` (CARD-CPS3-25)."""
    digest = digest_of(chosen_algorithm(channel, KeyUse.HASH))
    try:
        objects = tlv.parse_flat(command.data)
    except tlv.TlvError:
        raise StatusError(StatusWord.WRONG_DATA) from None
    if [item.tag for item in objects] != [0x90, 0x80]:
        raise StatusError(StatusWord.WRONG_DATA)
    begun, rest = (item.value for item in objects)
    if not 1 <= len(rest) <= hashing.BLOCK or len(begun) not in (0, hashing.state_size(digest) + _COUNT_SIZE):
        raise StatusError(StatusWord.WRONG_DATA)
    try:
        value = hashing.finish(digest, begun[:-_COUNT_SIZE], int.from_bytes(begun[-_COUNT_SIZE:], "big"), rest)
    except hashing.HashingError:
        raise StatusError(StatusWord.WRONG_DATA) from None
    channel.hash = HashValue(digest, value)
    return Response()


def _decipher(card: SmartCard, channel: Channel, command: Command) -> Response:
    """Decrypt ``81 <cryptogram>``; the plain text comes without its padding (CARD-CPS3-28)."""
    chosen_algorithm(channel, KeyUse.DECIPHER)
    key = card.rsa(chosen_key(card, channel, KeyUse.DECIPHER, KeyOperation.DECIPHER))
    if len(command.data) != 1 + key.size:
        raise StatusError(StatusWord.WRONG_LENGTH)
    if command.data[0] != _NO_FURTHER_INDICATION:
        raise StatusError(StatusWord.WRONG_DATA)
    try:
        return Response(key.decipher(command.data[1:]))
    except RsaError:
        raise StatusError(StatusWord.WRONG_DATA) from None


manage_security_environment = ManageSecurityEnvironment(
    forms={
        KeyUse.HASH: Form({_ALGORITHM: 1}),
        KeyUse.SIGN: _BOTH,
        KeyUse.AUTHENTICATE: _BOTH,
        KeyUse.DECIPHER: _BOTH,
    },
    choose=_choose,
)
perform_security_operation = PerformSecurityOperation(
    {PARTIAL_HASH: _hash, COMPUTE_SIGNATURE: compute_signature, DECIPHER: _decipher}
)


def internal_authenticate(card: SmartCard, channel: Channel, command: Command) -> Response:
    """Sign data as given, at most 40 % of the modulus (102 bytes for 2048 bits), else 6700 (CARD-CPS3-27)."""
    if command.p1 or command.p2:
        raise StatusError(StatusWord.WRONG_PARAMETERS)
    chosen_algorithm(channel, KeyUse.AUTHENTICATE)
    key = card.rsa(chosen_key(card, channel, KeyUse.AUTHENTICATE, KeyOperation.AUTHENTICATE))
    if not 1 <= len(command.data) <= key.size * _AUTHENTICATE_PERCENT // 100:
        raise StatusError(StatusWord.WRONG_LENGTH)
    return Response(key.sign_data(command.data))
