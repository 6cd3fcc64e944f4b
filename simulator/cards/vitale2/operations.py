"""The security operation of a Vitale 2 that is its own: the signature of a sheet. Modelled."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.simulator.iso7816 import hashing
from bifente.simulator.iso7816.access import KeyOperation
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.channel import Channel
from bifente.simulator.iso7816.commands.security import digest_of
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.status import StatusError, StatusWord


@dataclass(frozen=True, slots=True)
class ComputeSignature:
    """PSO COMPUTE DIGITAL SIGNATURE of a card with one key for it, which nothing has to choose before.

    ``key`` and ``algorithm`` are references of the image. It is another key than that of INTERNAL AUTHENTICATE: whoever
    may have a challenge signed would otherwise choose one that is the sheet they want signed.
    """

    key: int
    algorithm: int

    def __call__(self, card: SmartCard, channel: Channel, command: Command) -> Response:
        """Sign the hash given, padded by the card: 6A88 without such a key, 6982 unless its rule is fulfilled, 6700
        for what is no hash.
        """
        key, algorithm = card.key_by_mse(self.key), card.algorithm(self.algorithm)
        if key is None or algorithm is None:
            raise StatusError(StatusWord.REFERENCE_NOT_FOUND)
        card.require_key(KeyOperation.SIGN, key)
        digest = digest_of(algorithm)
        if len(command.data) != hashing.state_size(digest):
            raise StatusError(StatusWord.WRONG_LENGTH)
        return Response(card.rsa(key).sign_hash(digest, command.data, algorithm.scheme, card.random))
