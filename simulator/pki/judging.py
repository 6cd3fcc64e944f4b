"""Whether a certificate is accepted: chain, marks, purpose, validity at a clock, revocation. One judge for every use.

A service that asks for client certificates is given a judge::

    judge = CertificateJudge(authorities_of(pki), clock, Purpose.CLIENT, revocation=OcspSource(fetch))
    clients = ClientCertificates(judge, required=True)          # bifente.simulator.serving.client_certificates
    with LoopbackServer(application, Terms(identity, clients), port=0) as server: ...
    in_process(application, clients=clients, presented=chain)   # the same judgement without a socket

``judge.judge(chain)`` returns the chain up to its root, or raises CertificateRefusedError, whose ``refusal`` is typed
(``CertificateRefusal``) and carries the sentence and the TLS alert. What is checked, in this order: it can be read;
an accepted authority signed it, up to a root; no mark of a real product; keyUsage and extendedKeyUsage allow the
purpose; validity at the clock, of the whole chain; revocation of the end certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Protocol, TypeVar

from asn1crypto import core
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.refusals import CertificateRefusal, CertificateRefusedError

_LONGEST_CHAIN = 6
_REAL_PRODUCTS = frozenset({b"\x00", b"\x03"})

Chain = tuple[x509.Certificate, ...]
ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class _Use:
    key_usages: tuple[str, ...]
    """Any of these bits of keyUsage allows it."""
    extended: x509.ObjectIdentifier
    stated: bool = False
    """Whether keyUsage must be there."""
    cure: str | Text = "keyUsage"
    """What is said where keyUsage does not allow it."""


class Purpose(Enum):
    """What a certificate is presented for, and what it must say for it."""

    CLIENT = _Use(("digital_signature",), ExtendedKeyUsageOID.CLIENT_AUTH)
    SERVER = _Use(("digital_signature", "key_encipherment"), ExtendedKeyUsageOID.SERVER_AUTH)
    SIGNATURE = _Use(("content_commitment", "digital_signature"), ExtendedKeyUsageOID.EMAIL_PROTECTION)
    NON_REPUDIATION = _Use(
        ("content_commitment",),
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        stated=True,
        cure=Text(
            "nonRepudiation : signer avec la clé de signature, pas celle d'authentification",
            "nonRepudiation: sign with the signature key, not the authentication key",
        ),
    )


class StatusSource(Protocol):
    """Where the status of a certificate is had (``bifente.simulator.pki.revocation``)."""

    def check(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> None:
        """Return if it is not revoked. Raise CertificateRefusedError."""
        ...


@dataclass(frozen=True, slots=True)
class TrustedAuthorities:
    """``roots`` end every chain; ``authorities`` are the ones that may issue what is presented, and are known."""

    roots: Chain
    authorities: Chain


def authorities_of(
    pki: Pki,
    levels: Iterable[CertificateLevel] = CertificateLevel,
    branches: Iterable[Branch] = Branch,
) -> TrustedAuthorities:
    """Return the laboratory IGC-Santé, whole or in part: for persons alone, ``branches=[Branch.PERSONNES]``."""
    chosen = tuple(levels)
    made = [pki.authority(level, branch).certificate for level in chosen for branch in tuple(branches)]
    return TrustedAuthorities(tuple(pki.root(level).certificate for level in chosen), tuple(made))


@dataclass(frozen=True, slots=True)
class CertificateJudge:
    """Judges certificates for one purpose. Without ``revocation`` a revoked certificate is accepted, and that is said
    by whoever leaves it out.
    """

    trusted: TrustedAuthorities
    clock: Clock
    purpose: Purpose = Purpose.CLIENT
    revocation: StatusSource | None = None
    name: str = ""
    """The machine that was called, of a server."""

    def complaint(self, presented: Sequence[x509.Certificate]) -> str | None:
        """Return in one French sentence why what is presented is refused; None if it is not."""
        try:
            self.judge(presented)
        except CertificateRefusedError as refused:
            return refused.text.fr
        return None

    def judge(self, presented: Sequence[x509.Certificate]) -> Chain:
        """Return the chain from the end certificate to its root. Raise CertificateRefusedError."""
        if not presented:
            raise CertificateRefusedError(CertificateRefusal.MISSING)
        at = self.clock.now()
        chain = self._chain(presented)
        end = chain[0]
        try:
            self._check_marks(end)
            self._check_purpose(end)
            self._check_name(end)
        except ValueError as error:
            # An extension that cannot be parsed.
            raise CertificateRefusedError(CertificateRefusal.UNREADABLE, str(error)) from None
        self._check_validity(chain, at)
        if self.revocation is not None:
            self.revocation.check(end, chain[1], at)
        return chain

    def judge_der(self, presented: Sequence[bytes]) -> Chain:
        """Return the chain of certificates given as DER. Raise CertificateRefusedError."""
        try:
            certificates = [x509.load_der_x509_certificate(one) for one in presented[:_LONGEST_CHAIN]]
        except ValueError as error:
            raise CertificateRefusedError(CertificateRefusal.UNREADABLE, str(error)) from None
        return self.judge(certificates)

    def _chain(self, presented: Sequence[x509.Certificate]) -> Chain:
        end = presented[0]
        accepted = next((one for one in self.trusted.authorities if _issued(end, one)), None)
        if accepted is None:
            known = next((one for one in presented[1:] if _issued(end, one)), None)
            ours = known is not None and any(_issued(known, one) for one in self.trusted.roots)
            refusal = CertificateRefusal.OTHER_BRANCH if ours else CertificateRefusal.UNKNOWN_AUTHORITY
            raise CertificateRefusedError(refusal, subjects.told(end.issuer))
        root = next((one for one in self.trusted.roots if _issued(accepted, one)), None)
        if root is None:
            raise CertificateRefusedError(CertificateRefusal.UNKNOWN_AUTHORITY, subjects.told(accepted.issuer))
        return (end, accepted, root)

    @staticmethod
    def _check_marks(end: x509.Certificate) -> None:
        try:
            mark = end.extensions.get_extension_for_oid(profiles.PRODUCT_CATEGORY).value
        except x509.ExtensionNotFound:
            return
        value = core.load(mark.value).native if isinstance(mark, x509.UnrecognizedExtension) else None
        if value in _REAL_PRODUCTS:
            raise CertificateRefusedError(CertificateRefusal.REAL_PRODUCT)

    def _check_purpose(self, end: x509.Certificate) -> None:
        use: _Use = self.purpose.value
        usage = _extension(end, x509.KeyUsage)
        allowed = not use.stated if usage is None else any(getattr(usage, bit) for bit in use.key_usages)
        if not allowed:
            raise CertificateRefusedError(CertificateRefusal.WRONG_PURPOSE, use.cure)
        extended = _extension(end, x509.ExtendedKeyUsage)
        if extended is not None and use.extended not in extended:
            raise CertificateRefusedError(CertificateRefusal.WRONG_PURPOSE, "extendedKeyUsage")

    def _check_name(self, end: x509.Certificate) -> None:
        if not self.name:
            return
        names = _extension(end, x509.SubjectAlternativeName)
        given = [str(one.value).lower() for one in names] if names is not None else []
        if self.name.lower() not in given:
            raise CertificateRefusedError(CertificateRefusal.WRONG_NAME, ", ".join(given))

    @staticmethod
    def _check_validity(chain: Chain, at: datetime) -> None:
        for one in chain:
            if at < one.not_valid_before_utc:
                since = one.not_valid_before_utc.date().isoformat()
                raise CertificateRefusedError(CertificateRefusal.NOT_YET_VALID, since)
            if at > one.not_valid_after_utc:
                raise CertificateRefusedError(CertificateRefusal.EXPIRED, one.not_valid_after_utc.date().isoformat())


@lru_cache(maxsize=256)
def _issued(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    """Tell whether one certificate signed another: a matter of the two alone, whenever it is asked."""
    try:
        lower.verify_directly_issued_by(upper)
        basic = _extension(upper, x509.BasicConstraints)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return basic is not None and basic.ca


def _extension(certificate: x509.Certificate, kind: type[ExtensionT]) -> ExtensionT | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
