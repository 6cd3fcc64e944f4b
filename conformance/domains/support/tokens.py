"""The card as programs reach it by the Cryptolib: found, given its code, its certificate read, its key proved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from bifente.conformance.domains.support.journeys import JourneyStep
from bifente.conformance.domains.support.running import RunningPoste
from bifente.conformance.domains.support.stopping import JourneyStoppedError
from bifente.simulator.middleware.cryptolib import CryptolibError, CryptolibToken

BROWSER_BITS = 64
_CHALLENGE = 32


@contextlib.contextmanager
def token_of(running: RunningPoste, bits: int | None = None) -> Iterator[CryptolibToken]:
    """The one card that the library finds, its code presented. Raise JourneyStoppedError."""
    with running.step(JourneyStep.LOAD_CRYPTOLIB):
        running.load("cryptolib", bits)
    library = running.cryptolib()
    with running.step(JourneyStep.FIND_CARD):
        # Whoever finds none looks once more, as a program does that polls.
        found = library.tokens() or library.tokens()
        if not found:
            raise CryptolibError("CKR_TOKEN_NOT_PRESENT", "no reader has a card that the library knows")
        if len(found) > 1:
            raise JourneyStoppedError("cps", "SEVERAL_CARDS", f"several cards of one kind: {', '.join(found)}")
        token = library.open(found[0])
    try:
        with running.step(JourneyStep.PRESENT_CODE):
            token.login(running.code)
        yield token
    finally:
        token.close()


def proved(running: RunningPoste, token: CryptolibToken, key: str = "authentication") -> x509.Certificate:
    """Return the certificate of a key, which signed a challenge. Raise JourneyStoppedError."""
    with running.step(JourneyStep.READ_CERTIFICATE):
        certificate = x509.load_der_x509_certificate(token.certificate(key))
    with running.step(JourneyStep.SIGN):
        challenge = running.scene.random.randbytes(_CHALLENGE)
        public = certificate.public_key()
        try:
            if not isinstance(public, RSAPublicKey):
                raise InvalidSignature
            public.verify(token.sign(key, challenge), challenge, PKCS1v15(), SHA256())
        except InvalidSignature:
            raise JourneyStoppedError(
                "cryptolib", "SIGNATURE", "the signature is not by the key of the certificate that was shown"
            ) from None
    return certificate


def associate(running: RunningPoste) -> None:
    """Associate the card with the user of the software: its certificate is read and proved, and kept."""
    with token_of(running) as token:
        certificate = proved(running, token)
    with running.step(JourneyStep.ASSOCIATE):
        end = certificate.not_valid_after_utc
        if end < running.scene.bench.now():
            raise JourneyStoppedError("cps", "EXPIRED", f"the certificate of the card ended on {end:%d/%m/%Y}")
