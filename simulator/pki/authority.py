"""The laboratory IGC-Santé: three levels, each a root and two intermediate authorities, with the TEST names (PKI-07).

Keys come from a ``KeySource``; everything else is computed from them and from the arguments, so the same keys and
dates give the same certificates and revocation lists, byte for byte (RSA PKCS#1 v1.5, serial numbers derived from
the content). Production names are never issued (PKI-09).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import cached_property
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID as AccessOID

from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects
from bifente.simulator.pki.certificate_profiles import Profile, Validity
from bifente.simulator.pki.keystore import KeySource

_DER = serialization.Encoding.DER
#: Lifetime of every authority: wide, so that a bench set to another year still verifies. UTCTime ends in 2049.
AUTHORITY_VALIDITY = Validity(date(2013, 1, 1), date(2049, 12, 31))
_REMEMBERED = 256
"""How many of its certificates an authority remembers."""


class CertificateLevel(Enum):
    """The three levels; the value is how file names abbreviate them."""

    ELEMENTAIRE = "EL"
    STANDARD = "ST"
    FORT = "FO"


class Branch(Enum):
    """Whom an intermediate authority certifies; the value is how file names abbreviate it."""

    PERSONNES = "PP"
    ORGANISATIONS = "ORG"


@dataclass(frozen=True, slots=True)
class Publication:
    """Where certificates say that lists, issuers and answers are found.

    The defaults are what official test certificates say; a bench that serves them itself passes its own. Names of
    delta lists and of the LDAP attributes are modelled.
    """

    web: str = "http://igc-sante.esante.gouv.fr"
    ocsp: str = "http://ocsp.esante.gouv.fr"
    ldap: str = "ldap://annuaire-igc.esante.gouv.fr"

    def crl(self, stem: str) -> str:
        """Address of a complete list."""
        return f"{self.web}/CRL/{stem}.crl"

    def delta_crl(self, stem: str) -> str:
        """Address of a delta list."""
        return f"{self.web}/CRL/{stem}-delta.crl"

    def issuer(self, stem: str) -> str:
        """Address of an authority's certificate."""
        return f"{self.web}/AC%20TEST/{stem}.cer"

    def ldap_crl(self, name: x509.Name, attribute: str) -> str:
        """Directory address of a list."""
        return f"{self.ldap}/{quote(name.rfc4514_string(), safe='=,')}?{attribute};binary?base?objectClass=pkiCA"

    @property
    def practice_statement(self) -> str:
        """Address of the certificate policies."""
        return f"{self.web}/PC"


@dataclass(frozen=True, slots=True)
class Revocation:
    """One line of a revocation list. ``on`` is the day from which the certificate counts as revoked, ``at`` the moment
    where that is known better.
    """

    serial_number: int
    on: date
    reason: x509.ReasonFlags = x509.ReasonFlags.unspecified
    at: datetime | None = None

    @property
    def start(self) -> datetime:
        """The second from which it counts."""
        return self.at or Validity(self.on, self.on).not_before


class Authority:
    """One authority: it issues certificates and revocation lists. A root has no ``issuer``."""

    def __init__(self, common_name: str, stem: str, key: RSAPrivateKey, issuer: Authority | None, at: Publication):
        self.name = subjects.authority(common_name)
        self.stem = stem
        self.issuer = issuer
        self.publication = at
        self._key = key
        self._issued: dict[tuple[int, Profile], x509.Certificate] = {}

    @cached_property
    def certificate(self) -> x509.Certificate:
        """Its own certificate: self-signed for a root."""
        signer = self.issuer or self
        public_key = self._key.public_key()
        serial = _serial_number(signer.name, self.name, public_key, AUTHORITY_VALIDITY)
        builder = self._builder(self.name, public_key, AUTHORITY_VALIDITY, signer, serial)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=0 if self.issuer else 1), critical=True
        )
        builder = builder.add_extension(_AUTHORITY_KEY_USAGE, critical=True)
        if self.issuer is not None:
            builder = builder.add_extension(signer.authority_key_id, critical=False)
            builder = _add_pointers(builder, signer)
        return builder.sign(signer._key, hashes.SHA256())

    @cached_property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """Its certificate, then its issuer's, up to the root."""
        return (self.certificate, *(self.issuer.chain if self.issuer else ()))

    @cached_property
    def authority_key_id(self) -> x509.AuthorityKeyIdentifier:
        """How what it signs names its key."""
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())

    def issue(
        self,
        *,
        subject: x509.Name,
        public_key: RSAPublicKey,
        validity: Validity,
        profile: Profile,
        private_extensions: Iterable[x509.UnrecognizedExtension] = (),
    ) -> x509.Certificate:
        """An end certificate, signed once: the same arguments give the same one.

        Its serial number is derived from all of them but what ``profile`` says beyond the uses of the key.
        """
        extensions = tuple(private_extensions)
        told = [f"{item.oid.dotted_string}={item.value.hex()}" for item in extensions]
        serial = _serial_number(self.name, subject, public_key, validity, *sorted(profile.key_uses), *told)
        found = self._issued.get((serial, profile))
        if found is None:
            if len(self._issued) >= _REMEMBERED:
                self._issued.clear()
            found = self._signed(serial, subject, public_key, validity, profile, extensions)
            self._issued[serial, profile] = found
        return found

    def _signed(
        self,
        serial: int,
        subject: x509.Name,
        public_key: RSAPublicKey,
        validity: Validity,
        profile: Profile,
        extensions: tuple[x509.UnrecognizedExtension, ...],
    ) -> x509.Certificate:
        builder = self._builder(subject, public_key, validity, self, serial)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        builder = builder.add_extension(self.authority_key_id, critical=False)
        builder = builder.add_extension(profiles.key_usage(profile.key_uses), critical=True)
        if profile.extended:
            builder = builder.add_extension(x509.ExtendedKeyUsage(profile.extended), critical=False)
        if profile.key_usage_period:
            builder = builder.add_extension(profiles.key_usage_period(validity), critical=False)
        policy = x509.PolicyInformation(profiles.TEST_POLICY, [self.publication.practice_statement])
        builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=False)
        builder = _add_pointers(builder, self)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def crl(
        self,
        revocations: Iterable[Revocation],
        *,
        at: datetime,
        lifetime: timedelta = timedelta(days=7),
        base: int | None = None,
    ) -> x509.CertificateRevocationList:
        """The list published at ``at`` (aware time): revocations to come are left out.

        With ``base`` (the number of a complete list) it is a delta list. Numbers grow with the time: seconds.
        """
        now = at.astimezone(UTC).replace(microsecond=0)
        builder = x509.CertificateRevocationListBuilder(self.name, now, now + lifetime)
        builder = builder.add_extension(self.authority_key_id, critical=False)
        builder = builder.add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        if base is not None:
            builder = builder.add_extension(x509.DeltaCRLIndicator(base), critical=True)
        for revocation in sorted(revocations, key=lambda line: line.serial_number):
            if revocation.start <= now:
                builder = builder.add_revoked_certificate(_crl_entry(revocation, revocation.start))
        return builder.sign(self._key, hashes.SHA256())

    def answer(self, builder: ocsp.OCSPResponseBuilder, at: datetime) -> ocsp.OCSPResponse:
        """An OCSP answer made at ``at``, signed by the authority itself."""
        named = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate)
        made = named.sign(self._key, hashes.SHA256())
        # The builder knows one clock, the machine's: the first time that is said, of a fixed length, is another one.
        said = made.tbs_response_bytes
        signed = said.replace(_generalized(made.produced_at_utc), _generalized(at.astimezone(UTC)), 1)
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        whole = made.public_bytes(_DER).replace(said, signed, 1).replace(made.signature, signature, 1)
        return ocsp.load_der_ocsp_response(whole)

    def _builder(
        self, subject: x509.Name, key: RSAPublicKey, validity: Validity, signer: Authority, serial: int
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signer.name)
            .public_key(key)
            .not_valid_before(validity.not_before)
            .not_valid_after(validity.not_after)
            .serial_number(serial)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


class Pki:
    """The nine laboratory authorities, made as they are asked for.

    ``keys`` keeps their private keys under ``authority/<file stem>``; ``key_size`` is in bits.
    """

    def __init__(self, keys: KeySource, publication: Publication | None = None, key_size: int = 2048) -> None:
        self._keys = keys
        self._publication = publication or Publication()
        self._key_size = key_size
        self._made: dict[tuple[CertificateLevel, Branch | None], Authority] = {}

    def root(self, level: CertificateLevel) -> Authority:
        """TEST AC RACINE IGC-SANTE <level>."""
        return self._made.get((level, None)) or self._make(level, None)

    def authority(self, level: CertificateLevel, branch: Branch) -> Authority:
        """TEST AC IGC-SANTE <level> <branch>."""
        return self._made.get((level, branch)) or self._make(level, branch)

    def _make(self, level: CertificateLevel, branch: Branch | None) -> Authority:
        if branch is None:
            issuer, name, stem = None, f"TEST AC RACINE IGC-SANTE {level.name}", f"ACR-{level.value}-TEST"
        else:
            issuer, name = self.root(level), f"TEST AC IGC-SANTE {level.name} {branch.name}"
            stem = f"ACI-{level.value}-{branch.value}-TEST"
        key = self._keys.key(f"authority/{stem}", self._key_size)
        return self._made.setdefault((level, branch), Authority(name, stem, key, issuer, self._publication))


_AUTHORITY_KEY_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _add_pointers(builder: x509.CertificateBuilder, signer: Authority) -> x509.CertificateBuilder:
    """Where the status of what ``signer`` signs is found (PKI-06): CRL, delta CRL, OCSP, issuer."""
    where, stem = signer.publication, signer.stem
    complete = [where.crl(stem), where.ldap_crl(signer.name, "certificateRevocationList")]
    delta = [where.delta_crl(stem), where.ldap_crl(signer.name, "deltaRevocationList")]
    access = [(AccessOID.OCSP, where.ocsp), (AccessOID.CA_ISSUERS, where.issuer(stem))]
    return (
        builder.add_extension(x509.CRLDistributionPoints(_points(complete)), critical=False)
        .add_extension(x509.FreshestCRL(_points(delta)), critical=False)
        .add_extension(
            x509.AuthorityInformationAccess(
                [x509.AccessDescription(method, x509.UniformResourceIdentifier(uri)) for method, uri in access]
            ),
            critical=False,
        )
    )


def _generalized(moment: datetime) -> bytes:
    """Return a moment as a GeneralizedTime of DER says it."""
    return f"{moment:%Y%m%d%H%M%SZ}".encode()


def _points(uris: Iterable[str]) -> list[x509.DistributionPoint]:
    return [x509.DistributionPoint([x509.UniformResourceIdentifier(uri)], None, None, None) for uri in uris]


def _crl_entry(revocation: Revocation, start: datetime) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder(revocation.serial_number, start)
    # RFC 5280, section 5.3.1: an unspecified reason is said by leaving the extension out.
    if revocation.reason is not x509.ReasonFlags.unspecified:
        builder = builder.add_extension(x509.CRLReason(revocation.reason), critical=False)
    return builder.build()


def _serial_number(issuer: x509.Name, subject: x509.Name, key: RSAPublicKey, validity: Validity, *more: str) -> int:
    """A positive number on 16 bytes: the same certificate always has the same one, another has another."""
    digest = hashlib.sha256()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    texts = (validity.start.isoformat(), validity.end.isoformat(), *more)
    for part in (issuer.public_bytes(), subject.public_bytes(), spki, *(text.encode() for text in texts)):
        digest.update(len(part).to_bytes(4, "big") + part)
    number = int.from_bytes(digest.digest()[:16], "big")
    return number >> 1 | 1 << 126
