"""Mail written and read with the card."""

from __future__ import annotations

import base64
from typing import Any, ClassVar, Literal

from asn1crypto import cms
from cryptography import x509
from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.mail.part import MailboxesOfScene
from bifente.conformance.domains.pki.certificates import CardRole, read_certificate
from bifente.conformance.domains.pki.part import By, PkiOfScene
from bifente.conformance.expectations import ChoiceMatcher, ValueMatcher
from bifente.conformance.scenario.step import CardStep, Observation, Observes, Step
from bifente.conformance.targets.base import ImpossibleStepError
from bifente.ground.text import Text
from bifente.simulator.cards.host import OK
from bifente.simulator.pki import subjects
from bifente.simulator.pki.judging import Purpose
from bifente.simulator.pki.refusals import CertificateRefusal, CertificateRefusedError
from bifente.simulator.software.secure_mail import (
    ContentCipher,
    MailRefusal,
    SecureMailError,
    decipher,
    encipher,
    sign,
    verify,
)
from bifente.simulator.software.secure_mail import parts as smime

SENT, GOOD = "sent", "good"
_REFUSALS = frozenset(refusal.key for refusal in MailRefusal)
_OUTCOMES = ChoiceMatcher(frozenset({SENT, GOOD, *_REFUSALS, *(refusal.key for refusal in CertificateRefusal)}))
_ADDRESS = Field(pattern=r"^[a-z0-9.-]{1,60}@[a-z0-9.-]{1,60}$", description="mailbox, e.g. dr.test@mssante.test")


class SendSignedMail(CardStep):
    """Write a mail that the card signs, and send it."""

    name: ClassVar[str] = "mail-send-signed"
    title: ClassVar[Text] = Text("Envoyer un courrier signé", "Send a signed mail")
    success: ClassVar[tuple[str, str]] = ("outcome", SENT)
    observes: ClassVar[Observes] = {"outcome": _OUTCOMES, "sw": ValueMatcher()}

    to: str = _ADDRESS
    text: str = Field(default="Compte rendu de test", max_length=20_000, description="what it says")
    certificate: CardRole = Field(default="signature", description="which certificate is enclosed")
    key: CardRole = Field(default="signature", description="which key of the card signs")

    def run(self, act: Act) -> Observation:
        """Sign and send it."""
        certificate = read_certificate(act, self.certificate)
        if certificate is None:
            return Observation({"outcome": MailRefusal.CARD.key})
        head = smime.heads("expediteur@mssante.test", self.to, "Courrier de test")
        boundary = f"bifente-{act.scene.random.getrandbits(64):016x}"
        try:
            mail = sign(head, smime.text_part(self.text), certificate, act.bench.now(), self._signer(act), boundary)
        except SecureMailError as error:
            return _failed(error)
        act.scene.part(MailboxesOfScene).put(self.to, mail)
        return Observation({"outcome": SENT})

    def _signer(self, act: Act) -> Any:
        def signed(data: bytes) -> bytes:
            answer = act.host.sign(self.key, "sha256", data)
            if answer.sw != OK:
                raise SecureMailError(MailRefusal.CARD, f"{answer.sw:04X}", answer.sw)
            return answer.data

        return signed


class SendEncipheredMail(CardStep):
    """Encipher a mail for the holder of the card in this slot, whose certificate the directory gives, and send it."""

    name: ClassVar[str] = "mail-send-enciphered"
    title: ClassVar[Text] = Text("Envoyer un courrier chiffré", "Send an enciphered mail")
    success: ClassVar[tuple[str, str]] = ("outcome", SENT)
    observes: ClassVar[Observes] = {"outcome": _OUTCOMES}

    to: str = _ADDRESS
    text: str = Field(default="Compte rendu confidentiel de test", max_length=20_000, description="what it says")
    check: By = Field(default="ocsp", description="how the status of the addressee's certificate is asked first")
    cipher: Literal["aes256", "triple-des", "des"] = Field(default="aes256", description="how the text is enciphered")

    def run(self, act: Act) -> Observation:
        """Encipher and send it."""
        addressee = read_certificate(act, "authentication")
        try:
            if addressee is None:
                raise CertificateRefusedError(CertificateRefusal.UNREADABLE)
            act.scene.part(PkiOfScene).judge(self.check).judge([addressee])
        except CertificateRefusedError as refused:
            return Observation({"outcome": refused.refusal.key}, (("certificat", refused.text),))
        head = smime.heads("expediteur@mssante.test", self.to, "Courrier de test")
        cipher = ContentCipher[self.cipher.upper().replace("-", "_")]
        mail = encipher(head, smime.text_part(self.text), addressee, act.scene.random, act.scene.declare, cipher)
        act.scene.part(MailboxesOfScene).put(self.to, mail)
        return Observation({"outcome": SENT})


class ReadSignedMail(Step):
    """Look at the newest mail of a mailbox: its signature, then its signer's certificate, checked or not."""

    name: ClassVar[str] = "mail-verify"
    title: ClassVar[Text] = Text("Vérifier un courrier signé", "Verify a signed mail")
    success: ClassVar[tuple[str, str]] = ("outcome", GOOD)
    observes: ClassVar[Observes] = {"outcome": _OUTCOMES, "signer": ValueMatcher(), "text": ValueMatcher()}

    of: str = _ADDRESS
    certificate: By | Literal["not"] = Field(
        default="ocsp",
        description="how its status is asked; not: the certificate is not checked at all",
    )

    def run(self, act: Act) -> Observation:
        """Look at it."""
        try:
            signed = verify(_newest(act, self.of))
        except SecureMailError as error:
            return _failed(error)
        told = {"signer": subjects.told(signed.certificate.subject), "text": signed.text}
        if self.certificate != "not":
            try:
                judge = act.scene.part(PkiOfScene).judge(self.certificate, Purpose.SIGNATURE)
                judge.judge([signed.certificate])
            except CertificateRefusedError as refused:
                return Observation({"outcome": refused.refusal.key, **told}, (("certificat", refused.text),))
        return Observation({"outcome": GOOD, **told})


class OpenMail(CardStep):
    """Open the newest mail of a mailbox with the card of this slot."""

    name: ClassVar[str] = "mail-open"
    title: ClassVar[Text] = Text("Déchiffrer un courrier", "Open an enciphered mail")
    success: ClassVar[tuple[str, str]] = ("outcome", GOOD)
    observes: ClassVar[Observes] = {"outcome": _OUTCOMES, "text": ValueMatcher(), "sw": ValueMatcher()}

    of: str = _ADDRESS

    def run(self, act: Act) -> Observation:
        """Open it."""
        own: x509.Certificate | None = read_certificate(act, "authentication")
        if own is None:
            return Observation({"outcome": MailRefusal.CARD.key})

        def key(cryptogram: bytes) -> bytes:
            answer = act.host.decipher("authentication", cryptogram)
            if answer.sw != OK:
                raise SecureMailError(MailRefusal.CARD, f"{answer.sw:04X}", answer.sw)
            return answer.data

        try:
            return Observation({"outcome": GOOD, "text": decipher(_newest(act, self.of), own, key)})
        except SecureMailError as error:
            return _failed(error)


class AlterMail(Step):
    """Change the newest mail of a mailbox, as somebody on its way would."""

    name: ClassVar[str] = "mail-alter"
    title: ClassVar[Text] = Text("Modifier un courrier en chemin", "Alter a mail on its way")
    observes: ClassVar[Observes] = {"altered": ValueMatcher()}

    of: str = _ADDRESS
    what: Literal["text", "digest", "signature", "hash"] = Field(
        default="text", description="what is changed; hash: the signature says that it was made with MD5"
    )
    text: str = Field(default="Texte falsifié", max_length=1_000, description="what it says from now on")

    def run(self, act: Act) -> Observation:
        """Change it."""
        boxes = act.scene.part(MailboxesOfScene)
        mail = _newest(act, self.of)
        content, signature = smime.split_signed(mail)
        if self.what == "text":
            done = boxes.alter(self.of, content, smime.text_part(self.text).rstrip(b"\r\n"))
        elif self.what == "hash":
            wrapped = cms.ContentInfo.load(signature)
            wrapped["content"]["signer_infos"][0]["digest_algorithm"] = {"algorithm": "md5"}
            done = boxes.alter(self.of, _encoded(signature), _encoded(wrapped.dump(force=True)))
        else:
            # The signature is at the end of the structure; the hash of the content in the middle of it.
            place = len(signature) - 10 if self.what == "signature" else signature.rindex(_DIGEST) + len(_DIGEST) + 8
            broken = signature[:place] + bytes((signature[place] ^ 1,)) + signature[place + 1 :]
            done = boxes.alter(self.of, _encoded(signature), _encoded(broken))
        return Observation({"altered": done})


_DIGEST = bytes.fromhex("06092A864886F70D010904")


def _encoded(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _newest(act: Act, address: str) -> bytes:
    found = act.scene.part(MailboxesOfScene).newest(address)
    if found is None:
        raise ImpossibleStepError(Text(f"aucun courrier dans {address}", f"no mail in {address}"))
    return found


def _failed(error: SecureMailError) -> Observation:
    said: Text = error.refusal.value
    values: dict[str, Any] = {"outcome": error.refusal.key}
    if error.sw is not None:
        values["sw"] = f"{error.sw:04X}"
    return Observation(values, (("courrier", said),))
