"""Where the status of a certificate is had: revocation lists (complete and delta) and OCSP, as certificates say.

What fetches is given: over HTTP, in process, or from a file. RFC 5280 (sources#rfc5280), RFC 6960 (sources#rfc6960).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from bifente.simulator.pki.judging import StatusSource
from bifente.simulator.pki.refusals import CertificateRefusal, CertificateRefusedError

LEEWAY = timedelta(minutes=5)
"""How far the clocks of an authority and of who asks may be apart."""

Fetch = Callable[[str, bytes | None], bytes]
"""Gets what lies at an address, or the answer to a body posted there. Raises FetchError."""


_UNAVAILABLE = frozenset({CertificateRefusal.STATUS_UNAVAILABLE, CertificateRefusal.STATUS_STALE})


class FetchError(Exception):
    """Nothing usable came from an address. One sentence."""


@dataclass(frozen=True, slots=True)
class KnownStatus:
    """What a bench knows itself: ``revoked`` tells of a certificate at a moment, no list is asked for."""

    revoked: Callable[[x509.Certificate, datetime], bool]

    def check(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> None:
        """Return if it is not revoked. Raise CertificateRefusedError."""
        if self.revoked(certificate, at):
            raise CertificateRefusedError(CertificateRefusal.REVOKED)


@dataclass(frozen=True, slots=True)
class CrlSource:
    """The list that the certificate points to, with its delta list if there is one.

    ``soft`` accepts a certificate whose status cannot be had.
    """

    fetch: Fetch
    delta: bool = True
    soft: bool = False

    def check(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> None:
        """Return if it is on no list. Raise CertificateRefusedError."""
        try:
            complete = self._list(_first(certificate, x509.CRLDistributionPoints), issuer, at)
            entries = {line.serial_number: line for line in complete}
            freshest = _first(certificate, x509.FreshestCRL) if self.delta else None
            if freshest is not None:
                entries |= {line.serial_number: line for line in self._delta(freshest, complete, issuer, at)}
        except CertificateRefusedError as error:
            _unless_soft(error, self.soft)
            return
        found = entries.get(certificate.serial_number)
        if found is not None and _reason(found) is not x509.ReasonFlags.remove_from_crl:
            raise CertificateRefusedError(CertificateRefusal.REVOKED, _reason(found).value)

    def _list(self, url: str | None, issuer: x509.Certificate, at: datetime) -> x509.CertificateRevocationList:
        if url is None:
            raise CertificateRefusedError(CertificateRefusal.STATUS_UNAVAILABLE, "no address in the certificate")
        try:
            found = x509.load_der_x509_crl(self.fetch(url, None))
        except FetchError as error:
            raise CertificateRefusedError(CertificateRefusal.STATUS_UNAVAILABLE, str(error)) from None
        except ValueError:
            raise CertificateRefusedError(CertificateRefusal.STATUS_UNAVAILABLE, "what came is no list") from None
        if not listed_by(found, issuer):
            raise CertificateRefusedError(CertificateRefusal.STATUS_FORGED, found.issuer.rfc4514_string())
        if not current(found.last_update_utc, found.next_update_utc, at):
            raise CertificateRefusedError(CertificateRefusal.STATUS_STALE, found.last_update_utc.isoformat())
        return found

    def _delta(
        self, url: str, complete: x509.CertificateRevocationList, issuer: x509.Certificate, at: datetime
    ) -> Iterator[x509.RevokedCertificate]:
        found = self._list(url, issuer, at)
        base = _number(found, x509.DeltaCRLIndicator)
        number = _number(complete, x509.CRLNumber)
        if base is None or number is None or base > number:
            raise CertificateRefusedError(CertificateRefusal.STATUS_STALE, "the delta list is of another list")
        yield from found


@dataclass(frozen=True, slots=True)
class OcspSource:
    """The responder that the certificate points to. ``soft`` accepts a certificate whose status cannot be had."""

    fetch: Fetch
    soft: bool = False

    def check(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> None:
        """Return if the responder says good. Raise CertificateRefusedError."""
        try:
            answer = self._answer(certificate, issuer, at)
        except CertificateRefusedError as error:
            _unless_soft(error, self.soft)
            return
        if answer.certificate_status is ocsp.OCSPCertStatus.REVOKED:
            reason = answer.revocation_reason
            raise CertificateRefusedError(CertificateRefusal.REVOKED, reason.value if reason else "")
        if answer.certificate_status is not ocsp.OCSPCertStatus.GOOD:
            raise CertificateRefusedError(CertificateRefusal.STATUS_UNKNOWN)

    def _answer(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> ocsp.OCSPResponse:
        url = responder(certificate)
        if url is None:
            raise CertificateRefusedError(CertificateRefusal.STATUS_UNAVAILABLE, "no address in the certificate")
        request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1()).build()  # noqa: S303
        try:
            answer = ocsp.load_der_ocsp_response(self.fetch(url, request.public_bytes(Encoding.DER)))
        except FetchError as error:
            raise CertificateRefusedError(CertificateRefusal.STATUS_UNAVAILABLE, str(error)) from None
        except ValueError:
            raise CertificateRefusedError(CertificateRefusal.STATUS_UNAVAILABLE, "what came is no answer") from None
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            word = answer.response_status.name.lower()
            raise CertificateRefusedError(CertificateRefusal.STATUS_UNAVAILABLE, word)
        if not answered_by(answer, issuer, at):
            raise CertificateRefusedError(CertificateRefusal.STATUS_FORGED)
        if not about(answer, certificate, request):
            raise CertificateRefusedError(CertificateRefusal.STATUS_FORGED, "the answer is about another certificate")
        if not current(answer.this_update_utc, answer.next_update_utc, at):
            raise CertificateRefusedError(CertificateRefusal.STATUS_STALE, answer.this_update_utc.isoformat())
        return answer


@dataclass(frozen=True, slots=True)
class SourcesInTurn:
    """Sources asked one after the other: the next where the one before has no status to give, or an old one."""

    sources: tuple[StatusSource, ...]

    def check(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> None:
        """Return if the first that answers says that it is not revoked. Raise CertificateRefusedError."""
        *before, last = self.sources
        for source in before:
            try:
                source.check(certificate, issuer, at)
            except CertificateRefusedError as error:
                if error.refusal not in _UNAVAILABLE:
                    raise
            else:
                return
        last.check(certificate, issuer, at)


def current(since: datetime, until: datetime | None, at: datetime) -> bool:
    """Return whether a list or an answer holds at a moment; one that does not say until when never does for long."""
    return since <= at + LEEWAY and at <= (until or since + LEEWAY)


def about(answer: ocsp.OCSPResponse, certificate: x509.Certificate, asked: ocsp.OCSPRequest) -> bool:
    """Return whether an answer is about the certificate that was asked for."""
    return answer.serial_number == certificate.serial_number and answer.issuer_key_hash == asked.issuer_key_hash


def listed_by(found: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Return whether the issuer signed a list."""
    key = issuer.public_key()
    try:
        return found.issuer == issuer.subject and isinstance(key, RSAPublicKey) and found.is_signature_valid(key)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def answered_by(answer: ocsp.OCSPResponse, issuer: x509.Certificate, at: datetime) -> bool:
    """Return whether the issuer signed an answer, or a responder that it certified for this alone."""
    signers = [issuer]
    for one in answer.certificates:
        try:
            one.verify_directly_issued_by(issuer)
            allowed = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
            continue
        if ExtendedKeyUsageOID.OCSP_SIGNING in allowed and one.not_valid_before_utc <= at <= one.not_valid_after_utc:
            signers.append(one)
    return any(_signed_by(answer, one) for one in signers)


def _signed_by(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), answer.signature_hash_algorithm
    if not isinstance(key, RSAPublicKey) or not isinstance(algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512):
        return False
    try:
        key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True


def responder(certificate: x509.Certificate) -> str | None:
    """Return where the certificate says that its status is asked, None if it says nothing."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return None
    asked = (one.access_location.value for one in access if one.access_method == AuthorityInformationAccessOID.OCSP)
    return next((url for url in asked if url.startswith("http")), None)


def _first(certificate: x509.Certificate, kind: type[x509.CRLDistributionPoints | x509.FreshestCRL]) -> str | None:
    try:
        points = certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    names = (name.value for point in points for name in point.full_name or ())
    return next((url for url in names if isinstance(url, str) and url.startswith("http")), None)


def _number(found: x509.CertificateRevocationList, kind: type[x509.CRLNumber | x509.DeltaCRLIndicator]) -> int | None:
    try:
        return found.extensions.get_extension_for_class(kind).value.crl_number
    except x509.ExtensionNotFound:
        return None


def _reason(line: x509.RevokedCertificate) -> x509.ReasonFlags:
    try:
        return line.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return x509.ReasonFlags.unspecified


def _unless_soft(error: CertificateRefusedError, soft: bool) -> None:
    if not soft or error.refusal not in _UNAVAILABLE:
        raise error
