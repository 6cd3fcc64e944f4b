"""The security operations: choose key and algorithm, hash, sign, authenticate, decipher (CARD-CPS3-24 to 29).

The order of refusals is always: nothing chosen (6985), not allowed (6982), data wrong. A refused operation leaves the
hash and the environments as they were, because a real client then verifies the code and repeats only the last
command (CARD-CPS3-26).
"""

from __future__ import annotations

from simulator.iso7816 import hashing, tlv
from simulator.iso7816.access import KeyOperation
from simulator.iso7816.apdu import Command, Response
from simulator.iso7816.channel import Channel, Environment, HashValue
from simulator.iso7816.engine import SmartCard
from simulator.iso7816.image import Algorithm, Digest, Key, KeyUse
from simulator.iso7816.rsa import RsaError
from simulator.iso7816.status import StatusError, StatusWord

# Control reference templates of MSE SET and what each prepares.
_TEMPLATES = {0xAA: KeyUse.HASH, 0xB6: KeyUse.SIGN, 0xA4: KeyUse.AUTHENTICATE, 0xB8: KeyUse.DECIPHER}
_TEMPLATE_OF = {use: tag for tag, use in _TEMPLATES.items()}
_SET_FOR_COMPUTATION = 0x41
_ALGORITHM, _KEY = 0x80, 0x84
_NO_FURTHER_INDICATION = 0x81
_COUNT_SIZE = 8
_AUTHENTICATE_PERCENT = 40


def manage_security_environment(card: SmartCard, channel: Channel, command: Command) -> Response:
    """MSE SET: tag 80 the algorithm, tag 84 the key, in any order; an empty body forgets the choice."""
    use = _TEMPLATES.get(command.p2)
    if command.p1 != _SET_FOR_COMPUTATION or use is None:
        raise StatusError(StatusWord.WRONG_PARAMETERS)
    if not command.data:
        channel.environments.pop(command.p2, None)
        return Response()
    try:
        objects = tlv.parse_flat(command.data)
    except tlv.TlvError:
        raise StatusError(StatusWord.WRONG_DATA) from None
    values = {item.tag: item.value for item in objects}
    known = {_ALGORITHM} if use is KeyUse.HASH else {_ALGORITHM, _KEY}
    if len(values) != len(objects) or not set(values) <= known or any(len(value) != 1 for value in values.values()):
        raise StatusError(StatusWord.WRONG_DATA)
    algorithm = card.algorithm(values[_ALGORITHM][0]) if _ALGORITHM in values else None
    key = card.key_by_mse(values[_KEY][0]) if _KEY in values else None
    if (_KEY in values and key is None) or (
        _ALGORITHM in values and (algorithm is None or algorithm.operation is not use)
    ):
        raise StatusError(StatusWord.REFERENCE_NOT_FOUND)
    channel.environments[command.p2] = Environment(key, algorithm)
    return Response()


def perform_security_operation(card: SmartCard, channel: Channel, command: Command) -> Response:
    """PSO: what it does is in P1 (tag of the result) and P2 (tag of the data)."""
    operation = _OPERATIONS.get(command.p1 << 8 | command.p2)
    if operation is None:
        raise StatusError(StatusWord.WRONG_PARAMETERS)
    return operation(card, channel, command)


def _algorithm(channel: Channel, use: KeyUse) -> Algorithm:
    environment = channel.environments.get(_TEMPLATE_OF[use])
    if environment is None or environment.algorithm is None:
        raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED)
    return environment.algorithm


def _key(card: SmartCard, channel: Channel, use: KeyUse, operation: KeyOperation) -> Key:
    environment = channel.environments.get(_TEMPLATE_OF[use])
    if environment is None or environment.key is None:
        raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED)
    card.require_key(operation, environment.key)
    return environment.key


def _digest(algorithm: Algorithm) -> Digest:
    if algorithm.digest is None:
        raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED)
    return algorithm.digest


def _hash(card: SmartCard, channel: Channel, command: Command) -> Response:
    """Finish a hash: ``90 <state and bit count, or nothing> 80 <last 1 to 64 bytes>`` (CARD-CPS3-25)."""
    digest = _digest(_algorithm(channel, KeyUse.HASH))
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


def _sign(card: SmartCard, channel: Channel, command: Command) -> Response:
    """Sign the hash just finished, or the one given. A signature made uses the hash up."""
    digest = _digest(_algorithm(channel, KeyUse.SIGN))
    key = _key(card, channel, KeyUse.SIGN, KeyOperation.SIGN)
    if command.data:
        if len(command.data) != hashing.state_size(digest):
            raise StatusError(StatusWord.WRONG_LENGTH)
        value = command.data
    elif channel.hash is not None and channel.hash.digest is digest:
        value = channel.hash.value
    else:
        raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED)
    signature = card.rsa(key).sign_hash(digest, value)
    channel.hash = None
    card.spend_consent(KeyOperation.SIGN, key)
    return Response(signature)


def _decipher(card: SmartCard, channel: Channel, command: Command) -> Response:
    """Decrypt ``81 <cryptogram>``; the plain text comes without its padding (CARD-CPS3-28)."""
    _algorithm(channel, KeyUse.DECIPHER)
    key = card.rsa(_key(card, channel, KeyUse.DECIPHER, KeyOperation.DECIPHER))
    if len(command.data) != 1 + key.size:
        raise StatusError(StatusWord.WRONG_LENGTH)
    if command.data[0] != _NO_FURTHER_INDICATION:
        raise StatusError(StatusWord.WRONG_DATA)
    try:
        return Response(key.decipher(command.data[1:]))
    except RsaError:
        raise StatusError(StatusWord.WRONG_DATA) from None


_OPERATIONS = {0x90A0: _hash, 0x9E9A: _sign, 0x8086: _decipher}


def internal_authenticate(card: SmartCard, channel: Channel, command: Command) -> Response:
    """Sign data as given, at most 40 % of the modulus (102 bytes for 2048 bits), else 6700 (CARD-CPS3-27)."""
    if command.p1 or command.p2:
        raise StatusError(StatusWord.WRONG_PARAMETERS)
    _algorithm(channel, KeyUse.AUTHENTICATE)
    key = card.rsa(_key(card, channel, KeyUse.AUTHENTICATE, KeyOperation.AUTHENTICATE))
    if not 1 <= len(command.data) <= key.size * _AUTHENTICATE_PERCENT // 100:
        raise StatusError(StatusWord.WRONG_LENGTH)
    return Response(key.sign_data(command.data))
