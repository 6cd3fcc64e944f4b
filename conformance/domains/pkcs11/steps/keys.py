"""PKCS#11: keys at work, digests and random bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import Field

from bifente.conformance.domains.pkcs11.steps.session import (
    RV,
    MechanismName,
    Pkcs11Step,
    Token,
    mechanism_number,
    seen,
)
from bifente.conformance.expectations import BytesMatcher, Matcher, Signature, SignatureMatcher
from bifente.conformance.scenario.step import Hex, Message, Observation, Observes
from bifente.conformance.targets import cryptoki
from bifente.conformance.targets.pkcs11 import NoSuchObjectError
from bifente.ground.text import Text
from bifente.simulator.cards.padding import digest_info, enciphered

Digest = Literal["sha1", "sha256"]
Key = Literal["signature", "authentication"]
Given = Literal["message", "digest", "digest-info"]

_PRIVATE: Mapping[str, str] = {"signature": "CPS_PRIV_SIG", "authentication": "CPS_PRIV_AUT"}
"""Labels of the private keys, on every card."""
_CERTIFICATES: Mapping[str, str] = {"signature": "Signature", "authentication": "Authentification"}
"""What the label of a certificate says of it; its public key bears the same CKA_ID, whatever the module calls it."""
_HASHES = {"sha1": (0x220, 1), "sha256": (0x250, 2)}
"""CKM_ and CKG_MGF1_ numbers of a digest."""
_SIGNED: Mapping[str, Matcher] = {
    **RV,
    "data": BytesMatcher(),
    "valid-under": SignatureMatcher(valid=True),
    "not-valid-under": SignatureMatcher(valid=False),
}
_DATA: Mapping[str, Matcher] = {**RV, "data": BytesMatcher()}


def _private(token: Token, key: str) -> int:
    return token.find(CKA_CLASS=cryptoki.CLASSES["private-key"], CKA_LABEL=_PRIVATE[key].encode())


def _public(token: Token, key: str) -> int:
    module, session = token.module, token.session
    for certificate in module.find(session, CKA_CLASS=cryptoki.CLASSES["certificate"]):
        if _CERTIFICATES[key] in module.attribute(session, certificate, "CKA_LABEL").decode(errors="replace"):
            identifier = module.attribute(session, certificate, "CKA_ID")
            return token.find(CKA_CLASS=cryptoki.CLASSES["public-key"], CKA_ID=identifier)
    raise NoSuchObjectError


class _Signing(Pkcs11Step):
    """What signing and verifying share: a key, a mechanism, and what the host does to the message beforehand."""

    key: Key = Field(default="authentication", description="which key")
    mechanism: MechanismName = Field(default="CKM_RSA_PKCS", description="name of the mechanism")
    message: Message = Field(description="what it works on: text, or 0x and hexadecimal")
    given: Given = Field(
        default="message", description="what the module gets: the message, its digest, or the digest as DigestInfo"
    )
    digest: Digest = Field(default="sha256", description="hash function")
    salt: int | None = Field(default=None, ge=0, le=512, description="PSS: by default as long as the digest")
    mask: Digest | None = Field(default=None, description="PSS: digest of the mask (MGF1), by default the same")
    parameter: bool = Field(default=True, description="PSS: whether its parameter is given at all")

    def _mechanism(self) -> dict[str, Any]:
        kind = mechanism_number(self.mechanism)
        if not self._is_pss or not self.parameter:
            return {"type": kind}
        digest = self._digest
        salt = self.salt if self.salt is not None else hashlib.new(digest).digest_size
        return {"type": kind, "pss": [_HASHES[digest][0], _HASHES[self.mask or digest][1], salt]}

    @property
    def _is_pss(self) -> bool:
        return self.mechanism.endswith("_PSS")

    @property
    def _digest(self) -> str:
        """A mechanism that hashes says how."""
        return "sha1" if "_SHA1_" in self.mechanism else "sha256" if "_SHA256_" in self.mechanism else self.digest

    def _data(self) -> bytes:
        if self.given == "message":
            return self.message
        if self.given == "digest":
            return hashlib.new(self.digest, self.message).digest()
        return digest_info(self.digest, self.message)

    def _signature(self, value: bytes) -> Signature:
        hashes = self._is_pss or self.given != "message" or "_SHA" in self.mechanism
        return Signature(value, self.message, self._digest if hashes else None, "pss" if self._is_pss else "pkcs1")


def _pieces(data: bytes, size: int) -> Iterator[str]:
    for start in range(0, len(data), size):
        yield data[start : start + size].hex()


class SignThrough(_Signing):
    """C_Sign with a private key, at once or in ``pieces`` of so many bytes.

    ``handle`` (captured from p11-objects) stands for a key that the step then does not look for.
    """

    name: ClassVar[str] = "p11-sign"
    title: ClassVar[Text] = Text("Signer par le module", "Sign through the module")
    observes: ClassVar[Observes] = _SIGNED

    pieces: int | None = Field(default=None, ge=1, description="bytes handed over in one call; all at once by default")
    handle: int | None = Field(default=None, description="handle of the key, in place of its name")

    def use(self, token: Token) -> Observation:
        """Sign."""
        key = self.handle if self.handle is not None else _private(token, self.key)
        token.call("C_SignInit", mechanism=self._mechanism(), key=key)
        data = self._data()
        if self.pieces is None:
            found = token.call("C_Sign", data=data.hex())
        else:
            for piece in _pieces(data, self.pieces):
                token.call("C_SignUpdate", data=piece)
            found = token.call("C_SignFinal")
        value = bytes.fromhex(found["data"])
        signature = self._signature(value)
        return seen(data=value, valid_under=signature, not_valid_under=signature)


class VerifyThrough(_Signing):
    """C_Verify of a signature with the public key of a certificate."""

    name: ClassVar[str] = "p11-verify"
    title: ClassVar[Text] = Text("Vérifier une signature par le module", "Verify a signature through the module")

    signature: Hex = Field(description="signature to verify, in hexadecimal")

    def use(self, token: Token) -> Observation:
        """Verify it."""
        token.call("C_VerifyInit", mechanism=self._mechanism(), key=_public(token, self.key))
        token.call("C_Verify", data=self._data().hex(), signature=self.signature.hex())
        return seen()


class EncryptThrough(Pkcs11Step):
    """C_Encrypt with the public key of a certificate."""

    name: ClassVar[str] = "p11-encrypt"
    title: ClassVar[Text] = Text("Chiffrer par le module", "Encrypt through the module")
    shorthand: ClassVar[str] = "message"
    observes: ClassVar[Observes] = _DATA

    message: Message = Field(description="what it works on: text, or 0x and hexadecimal")
    key: Key = Field(default="authentication", description="which key")
    mechanism: MechanismName = Field(default="CKM_RSA_PKCS", description="name of the mechanism")

    def use(self, token: Token) -> Observation:
        """Encrypt it."""
        token.call("C_EncryptInit", mechanism={"type": mechanism_number(self.mechanism)}, key=_public(token, self.key))
        return seen(data=bytes.fromhex(token.call("C_Encrypt", data=self.message.hex())["data"]))


class DecryptThrough(Pkcs11Step):
    """C_Decrypt: the bench enciphers ``message`` for the key's certificate; or ``cryptogram`` is given."""

    name: ClassVar[str] = "p11-decrypt"
    title: ClassVar[Text] = Text("Déchiffrer par le module", "Decrypt through the module")
    shorthand: ClassVar[str] = "message"
    observes: ClassVar[Observes] = _DATA

    message: Message | None = Field(default=None, description="what it works on: text, or 0x and hexadecimal")
    cryptogram: Hex | None = Field(default=None, description="used instead of enciphering a message")
    key: Key = Field(default="authentication", description="which key")
    mechanism: MechanismName = Field(default="CKM_RSA_PKCS", description="name of the mechanism")

    def use(self, token: Token) -> Observation:
        """Decrypt it."""
        cryptogram = self.cryptogram
        if cryptogram is None:
            public = token.act.card.facts["certificates"][self.key].public_key()
            assert isinstance(public, rsa.RSAPublicKey)  # noqa: S101 - the laboratory IGC issues RSA only
            cryptogram = enciphered(public, self.message or b"", token.act.scene.random)
        kind = mechanism_number(self.mechanism)
        token.call("C_DecryptInit", mechanism={"type": kind}, key=_private(token, self.key))
        return seen(data=bytes.fromhex(token.call("C_Decrypt", data=cryptogram.hex())["data"]))


class DigestThrough(Pkcs11Step):
    """C_Digest of a message, at once or in ``pieces``."""

    name: ClassVar[str] = "p11-digest"
    title: ClassVar[Text] = Text("Condenser par le module", "Digest through the module")
    shorthand: ClassVar[str] = "message"
    observes: ClassVar[Observes] = _DATA

    message: Message = Field(description="what it works on: text, or 0x and hexadecimal")
    mechanism: MechanismName = Field(default="CKM_SHA256", description="name of the mechanism")
    pieces: int | None = Field(default=None, ge=1, description="bytes handed over in one call; all at once by default")

    def use(self, token: Token) -> Observation:
        """Digest it."""
        token.call("C_DigestInit", mechanism={"type": mechanism_number(self.mechanism)})
        if self.pieces is None:
            return seen(data=bytes.fromhex(token.call("C_Digest", data=self.message.hex())["data"]))
        for piece in _pieces(self.message, self.pieces):
            token.call("C_DigestUpdate", data=piece)
        return seen(data=bytes.fromhex(token.call("C_DigestFinal")["data"]))


class RandomThrough(Pkcs11Step):
    """C_GenerateRandom."""

    name: ClassVar[str] = "p11-random"
    title: ClassVar[Text] = Text("Demander un aléa par le module", "Ask the module for random bytes")
    shorthand: ClassVar[str] = "length"
    observes: ClassVar[Observes] = _DATA

    length: int = Field(default=8, ge=1, le=4096, description="how many bytes")

    def use(self, token: Token) -> Observation:
        """Ask."""
        return seen(data=bytes.fromhex(token.call("C_GenerateRandom", length=self.length)["data"]))
