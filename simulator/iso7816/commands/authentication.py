"""EXTERNAL and INTERNAL AUTHENTICATE, and PSO VERIFY CERTIFICATE (ISO/IEC 7816-4, 11.6.4 and 11.6.5; 7816-8, 11.8)."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.simulator.iso7816 import hashing
from bifente.simulator.iso7816.access import KeyOperation
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.channel import Channel
from bifente.simulator.iso7816.commands.security import digest_of
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.status import StatusError, StatusWord
from bifente.simulator.iso7816.trust import (
    ForgedCertificateError,
    MalformedCertificateError,
    UnfitCertificateError,
    UnknownIssuerError,
    party_of,
)

VERIFY_CERTIFICATE, VERIFY_CERTIFICATE_AS_GIVEN = 0x00BE, 0x00AE
"""P1 and P2 of PSO: the certificate as data objects, or as plain bytes. One in DER is both."""


def verify_certificate(card: SmartCard, channel: Channel, command: Command) -> Response:
    """PSO VERIFY CERTIFICATE: make the key of an X.509 certificate usable by EXTERNAL AUTHENTICATE until a reset.

    6A80: no certificate; 6A88: no such issuer is known; 6300: not signed by it; 6985: not a party the card opens
    itself to. A refused certificate leaves none behind; what was proved before stays until the next proof.
    """
    if not command.data:
        raise StatusError(StatusWord.WRONG_LENGTH)
    card.trust.party = None
    try:
        card.trust.party = party_of(command.data, card.image.anchors)
    except MalformedCertificateError:
        raise StatusError(StatusWord.WRONG_DATA) from None
    except UnknownIssuerError:
        raise StatusError(StatusWord.REFERENCE_NOT_FOUND) from None
    except ForgedCertificateError:
        raise StatusError(StatusWord.VERIFICATION_FAILED) from None
    except UnfitCertificateError:
        raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED) from None
    return Response()


def external_authenticate(card: SmartCard, channel: Channel, command: Command) -> Response:
    """EXTERNAL AUTHENTICATE: the body is the last challenge as signed by the party whose certificate was verified.

    6985 without certificate or challenge; 6300 if the signature is wrong. Either way the challenge is used up.
    """
    if command.p1 or command.p2:
        raise StatusError(StatusWord.WRONG_PARAMETERS)
    if not command.data:
        raise StatusError(StatusWord.WRONG_LENGTH)
    try:
        proved = card.trust.settle(command.data)
    except LookupError:
        raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED) from None
    if not proved:
        raise StatusError(StatusWord.VERIFICATION_FAILED)
    return Response()


@dataclass(frozen=True, slots=True)
class InternalAuthenticate:
    """The INTERNAL AUTHENTICATE of a card with one key for it: P1 and P2 name neither algorithm nor key.

    ``key`` and ``algorithm`` are references of the image; the challenge has ``shortest`` to ``longest`` bytes.
    """

    key: int
    algorithm: int
    shortest: int = 8
    longest: int = 64

    def __call__(self, card: SmartCard, channel: Channel, command: Command) -> Response:
        """Sign the challenge, hashed and padded by the card."""
        if command.p1 or command.p2:
            raise StatusError(StatusWord.WRONG_PARAMETERS)
        key, algorithm = card.key_by_mse(self.key), card.algorithm(self.algorithm)
        if key is None or algorithm is None:
            raise StatusError(StatusWord.REFERENCE_NOT_FOUND)
        card.require_key(KeyOperation.AUTHENTICATE, key)
        if not self.shortest <= len(command.data) <= self.longest:
            raise StatusError(StatusWord.WRONG_LENGTH)
        digest = digest_of(algorithm)
        value = hashing.finish(digest, b"", 0, command.data)
        return Response(card.rsa(key).sign_hash(digest, value, algorithm.scheme, card.random))
