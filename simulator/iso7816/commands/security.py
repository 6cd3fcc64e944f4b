"""MANAGE SECURITY ENVIRONMENT and PERFORM SECURITY OPERATION (ISO/IEC 7816-4, 11.6.11; 7816-8): what families share.

A family says how its MSE names a key and an algorithm, and lists its operations. The order of refusals is always:
nothing chosen (6985), not allowed (6982), data wrong. A refused operation leaves the environments as they were, because
a real client then verifies the code and repeats (CARD-CPS3-26, CARD-CPS4-20, -21).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bifente.simulator.iso7816 import hashing, tlv
from bifente.simulator.iso7816.access import KeyOperation
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.channel import Channel, Environment
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.family import Handler
from bifente.simulator.iso7816.image import Algorithm, CardKey, Digest, KeyUse
from bifente.simulator.iso7816.status import StatusError, StatusWord

# Control reference templates of MSE SET and what each prepares.
_USES = {0xAA: KeyUse.HASH, 0xB6: KeyUse.SIGN, 0xA4: KeyUse.AUTHENTICATE, 0xB8: KeyUse.DECIPHER}
_TEMPLATES = {use: tag for tag, use in _USES.items()}
SET_FOR_COMPUTATION, SET_FOR_VERIFICATION = 0x41, 0x81

COMPUTE_SIGNATURE, DECIPHER, PARTIAL_HASH = 0x9E9A, 0x8086, 0x90A0
"""P1 and P2 of PSO: the tag of the result, the tag of the data."""

Chooser = Callable[[SmartCard, KeyUse, Mapping[int, bytes]], Environment]
"""(the card, what is prepared, values by tag) -> key and algorithm meant. Raises StatusError."""


@dataclass(frozen=True, slots=True)
class Form:
    """How MSE SET prepares one use: the length in bytes of each tag it may have, and its P1."""

    lengths: Mapping[int, int]
    p1: int = SET_FOR_COMPUTATION


@dataclass(frozen=True, slots=True)
class ManageSecurityEnvironment:
    """MSE SET: each tag once, in any order; an empty body forgets the choice.

    ``forms`` are by use served; ``choose`` makes sense of the values.
    """

    forms: Mapping[KeyUse, Form]
    choose: Chooser

    def __call__(self, card: SmartCard, channel: Channel, command: Command) -> Response:
        """Serve the command; a refused one keeps the former choice."""
        use = _USES.get(command.p2)
        form = self.forms.get(use) if use else None
        if use is None or form is None or command.p1 != form.p1:
            raise StatusError(StatusWord.WRONG_PARAMETERS)
        if not command.data:
            channel.environments.pop(command.p2, None)
            return Response()
        try:
            objects = tlv.parse_flat(command.data)
        except tlv.TlvError:
            raise StatusError(StatusWord.WRONG_DATA) from None
        values = {item.tag: item.value for item in objects}
        if len(values) != len(objects) or any(form.lengths.get(tag) != len(value) for tag, value in values.items()):
            raise StatusError(StatusWord.WRONG_DATA)
        chosen = self.choose(card, use, values)
        if chosen.key is not None:
            card.require_here(channel, chosen.key)
        channel.environments[command.p2] = chosen
        return Response()


@dataclass(frozen=True, slots=True)
class PerformSecurityOperation:
    """PSO: what it does is in P1 (tag of the result) and P2 (tag of the data)."""

    operations: Mapping[int, Handler]

    def __call__(self, card: SmartCard, channel: Channel, command: Command) -> Response:
        """Serve the command."""
        operation = self.operations.get(command.p1 << 8 | command.p2)
        if operation is None:
            raise StatusError(StatusWord.WRONG_PARAMETERS)
        return operation(card, channel, command)


def key_named(card: SmartCard, reference: int) -> CardKey:
    """The key MSE means. Raises StatusError 6A88 if there is none."""
    key = card.key_by_mse(reference)
    if key is None:
        raise StatusError(StatusWord.REFERENCE_NOT_FOUND)
    return key


def algorithm_named(card: SmartCard, reference: int, use: KeyUse) -> Algorithm:
    """The algorithm MSE means. Raises StatusError 6A88 if there is none, or if it is for another use."""
    algorithm = card.algorithm(reference)
    if algorithm is None or algorithm.operation is not use:
        raise StatusError(StatusWord.REFERENCE_NOT_FOUND)
    return algorithm


def chosen_algorithm(channel: Channel, use: KeyUse) -> Algorithm:
    """The algorithm chosen before. Raises StatusError 6985 if none was."""
    environment = channel.environments.get(_TEMPLATES[use])
    if environment is None or environment.algorithm is None:
        raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED)
    return environment.algorithm


def chosen_key(card: SmartCard, channel: Channel, use: KeyUse, operation: KeyOperation) -> CardKey:
    """The key chosen before. Raises StatusError 6985 if none was, 6A88 if it lies elsewhere than where the card is now,
    6982 if it may not do this now.
    """
    environment = channel.environments.get(_TEMPLATES[use])
    if environment is None or environment.key is None:
        raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED)
    card.require_here(channel, environment.key)
    card.require_key(operation, environment.key)
    return environment.key


def digest_of(algorithm: Algorithm) -> Digest:
    """The hash function of an algorithm. Raises StatusError 6985 if it has none."""
    if algorithm.digest is None:
        raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED)
    return algorithm.digest


def compute_signature(card: SmartCard, channel: Channel, command: Command) -> Response:
    """PSO COMPUTE DIGITAL SIGNATURE of the hash given, or of the one just finished, which a signature uses up."""
    algorithm = chosen_algorithm(channel, KeyUse.SIGN)
    digest = digest_of(algorithm)
    key = chosen_key(card, channel, KeyUse.SIGN, KeyOperation.SIGN)
    if command.data:
        if len(command.data) != hashing.state_size(digest):
            raise StatusError(StatusWord.WRONG_LENGTH)
        value = command.data
    elif channel.hash is not None and channel.hash.digest is digest:
        value = channel.hash.value
    else:
        raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED)
    signature = card.rsa(key).sign_hash(digest, value, algorithm.scheme, card.random)
    channel.hash = None
    card.spend_consent(KeyOperation.SIGN, key)
    return Response(signature)
