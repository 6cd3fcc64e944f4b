"""Private keys at work: hash, sign, authenticate, decipher; and random bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.card.steps.names import KeyName
from bifente.conformance.expectations import BytesMatcher, Matcher, Signature, SignatureMatcher
from bifente.conformance.scenario.step import ANSWER, SW, Byte, CardStep, Hex, Message, Observation, Observes
from bifente.ground.text import Text
from bifente.simulator.cards.padding import digest_info, enciphered
from bifente.simulator.iso7816.apdu import Response

Digest = Literal["sha1", "sha256"]
Scheme = Literal["pkcs1", "pss"]

_SIGNED: Mapping[str, Matcher] = {
    **ANSWER,
    "valid-under": SignatureMatcher(valid=True),
    "not-valid-under": SignatureMatcher(valid=False),
}


def _signed(response: Response, message: bytes, digest: str | None, scheme: Scheme = "pkcs1") -> Observation:
    signature = Signature(response.data, message, digest, scheme) if response.sw == 0x9000 else None
    values: dict[str, Any] = {"valid-under": signature, "not-valid-under": signature}
    return Observation.of(response, **values)


class ManageSecurityEnvironmentStep(CardStep):
    """MSE SET: choose an algorithm and a key for an operation, by the bytes that go to the card."""

    name: ClassVar[str] = "manage-security-environment"
    title: ClassVar[Text] = Text("Préparer l'environnement de sécurité", "Set the security environment")
    observes: ClassVar[Observes] = SW

    template: Byte = Field(description="A4, AA, B6 or B8")
    algorithm: Byte | None = Field(default=None, description="reference of the algorithm, one byte")
    key: Byte | None = Field(default=None, description="which key")

    def run(self, act: Act) -> Observation:
        """Set it."""
        algorithm, key = (value[0] if value is not None else None for value in (self.algorithm, self.key))
        return Observation.of(act.host.environment(self.template[0], algorithm, key))


class Hash(CardStep):
    """MSE AA and PSO HASH: the host hashes all but the last block, the card the rest (CARD-CPS3-25)."""

    name: ClassVar[str] = "hash"
    title: ClassVar[Text] = Text("Condenser (fin de calcul par la carte)", "Hash (the card ends the computation)")
    shorthand: ClassVar[str] = "message"
    observes: ClassVar[Observes] = SW

    message: Message = Field(description="what it works on: text, or 0x and hexadecimal")
    digest: Digest = Field(default="sha256", description="hash function")

    def run(self, act: Act) -> Observation:
        """Hash it."""
        return Observation.of(act.host.hash_last_block(self.digest, self.message))


class ComputeSignatureStep(CardStep):
    """MSE B6 and PSO COMPUTE DIGITAL SIGNATURE of the hash the card holds; ``message`` is what it should be of."""

    name: ClassVar[str] = "compute-signature"
    title: ClassVar[Text] = Text("Signer le condensat de la carte", "Sign the hash held by the card")
    shorthand: ClassVar[str] = "message"
    observes: ClassVar[Observes] = _SIGNED

    message: Message = Field(description="what it works on: text, or 0x and hexadecimal")
    digest: Digest = Field(default="sha256", description="hash function")
    key: KeyName = Field(default="signature", description="which key")

    def run(self, act: Act) -> Observation:
        """Sign."""
        return _signed(act.host.compute_signature(self.key, self.digest), self.message, self.digest)


class Sign(CardStep):
    """The whole signature of a message: hash, on the card or on the host, then PSO COMPUTE DIGITAL SIGNATURE."""

    name: ClassVar[str] = "sign"
    title: ClassVar[Text] = Text("Signer un message", "Sign a message")
    shorthand: ClassVar[str] = "message"
    observes: ClassVar[Observes] = _SIGNED

    message: Message = Field(description="what it works on: text, or 0x and hexadecimal")
    digest: Digest = Field(default="sha256", description="hash function")
    key: KeyName = Field(default="signature", description="which key")
    scheme: Scheme = Field(default="pkcs1", description="PKCS#1 v1.5, or PSS with a salt as long as the hash")

    def run(self, act: Act) -> Observation:
        """Sign."""
        response = act.host.sign(self.key, self.digest, self.message, self.scheme)
        return _signed(response, self.message, self.digest, self.scheme)


class Authenticate(CardStep):
    """The card signs the DigestInfo of a message, or ``data`` as it is: by INTERNAL AUTHENTICATE (CARD-CPS3-27), or by
    the raw operation on a block that the host pads (CARD-CPS4-18).
    """

    name: ClassVar[str] = "authenticate"
    title: ClassVar[Text] = Text("Authentifier", "Authenticate")
    shorthand: ClassVar[str] = "message"
    observes: ClassVar[Observes] = _SIGNED

    message: Message | None = Field(default=None, description="what it works on: text, or 0x and hexadecimal")
    data: Hex | None = Field(default=None, description="signed as given; a CPS3 takes up to 40 % of the modulus")
    digest: Digest = Field(default="sha256", description="hash function")
    key: KeyName = Field(default="authentication", description="which key")

    def run(self, act: Act) -> Observation:
        """Sign."""
        if self.data is not None:
            return _signed(act.host.authenticate(self.key, self.data), self.data, None)
        message = self.message or b""
        return _signed(act.host.authenticate(self.key, digest_info(self.digest, message)), message, self.digest)


class Decipher(CardStep):
    """PSO DECIPHER: the bench enciphers ``message`` for a certificate, the card must give it back (CARD-CPS3-28,
    CARD-CPS4-19).
    """

    name: ClassVar[str] = "decipher"
    title: ClassVar[Text] = Text("Déchiffrer", "Decipher")
    shorthand: ClassVar[str] = "message"
    observes: ClassVar[Observes] = ANSWER

    message: Message | None = Field(default=None, description="what it works on: text, or 0x and hexadecimal")
    cryptogram: Hex | None = Field(default=None, description="used instead of enciphering a message")
    certificate: str = Field(default="authentication", description="whose public key enciphers")
    key: KeyName = Field(default="authentication", description="which key")

    def run(self, act: Act) -> Observation:
        """Decipher it."""
        cryptogram = self.cryptogram
        if cryptogram is None:
            public = act.card.facts["certificates"][self.certificate].public_key()
            assert isinstance(public, rsa.RSAPublicKey)  # noqa: S101 - the laboratory IGC issues RSA only
            cryptogram = enciphered(public, self.message or b"", act.scene.random)
        return Observation.of(act.host.decipher(self.key, cryptogram))


class GetChallengeStep(CardStep):
    """GET CHALLENGE: random bytes from the card."""

    name: ClassVar[str] = "get-challenge"
    title: ClassVar[Text] = Text("Demander un aléa", "Ask for random bytes")
    shorthand: ClassVar[str] = "length"
    observes: ClassVar[Observes] = {"sw": ANSWER["sw"], "data": BytesMatcher()}

    length: int = Field(default=8, ge=1, le=256, description="how many bytes")

    def run(self, act: Act) -> Observation:
        """Ask."""
        return Observation.of(act.host.challenge(self.length))
