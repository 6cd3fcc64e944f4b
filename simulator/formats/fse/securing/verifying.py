"""Checking a secured sheet: what each signature is worth, who made it, and whether the mode has what it wants.

Reasons are those of ``reasons.yaml``. A certificate is judged at the moment of its signature, which the workstation
tells and nobody signs: it may not be to come, nor before the day of the sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from types import MappingProxyType

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CardSignature, Invoice, Rejection, SecuredInvoice, Signer
from bifente.simulator.formats.fse.securing.modes import MODES, wants
from bifente.simulator.formats.fse.securing.rsa import SignatureFinding, certificate_of, judged
from bifente.simulator.pki.certificate_profiles import CARD_ID, CARD_TYPE, card_type
from bifente.simulator.pki.vitale_authority import CARD_NAME

_SIGNING_TYPES = frozenset({card_type(0).value})
"""Cards of professionals alone: CPS. A student, an employee or an authorised person signs no sheet."""
_NATIONAL = "8"
"""What an RPPS number begins with in a name."""
_MOMENT = "%Y%m%d%H%M%S"
_DAY_BEFORE = timedelta(days=1)
"""The day of a sheet is that of its place, a moment is in UTC: they may be a day apart."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The authorities that are recognised, of professionals' cards and of Vitale cards: one is not the other."""

    professionals: tuple[x509.Certificate, ...]
    insured: tuple[x509.Certificate, ...]

    def of(self, signer: Signer) -> tuple[x509.Certificate, ...]:
        """Those whose cards sign as ``signer``."""
        return self.insured if signer is Signer.INSURED else self.professionals


@cache
def reasons() -> Mapping[str, Text]:
    """Every code of a rejection, in words."""
    data = shipped(__package__, "reasons.yaml")
    return MappingProxyType({code: Text(words["fr"], words["en"]) for code, words in data.items()})


class Verifier:
    """Checks sheets against one set of authorities and lists.

    ``revocations`` are complete lists of those authorities; of an authority without a list nothing is known to be
    revoked. Raises ValueError for a list that none of them signed. ``at_reception``: revocation is judged by the moment
    at which a sheet or a lot is looked at, since nothing trustworthy says when it was signed.
    """

    def __init__(
        self,
        anchors: Anchors,
        revocations: Iterable[x509.CertificateRevocationList] = (),
        *,
        at_reception: bool = False,
    ) -> None:
        self._anchors = anchors
        self._at_reception = at_reception
        self._revoked: dict[bytes, dict[int, datetime]] = {}
        known = (*anchors.professionals, *anchors.insured)
        for crl in revocations:
            issuer, lines = _lines(crl.public_bytes(Encoding.DER), known)
            self._revoked.setdefault(issuer, {}).update(lines)

    def verify(self, secured: SecuredInvoice, at: datetime) -> tuple[Rejection, ...]:
        """Every reason to refuse a sheet that is looked at ``at`` (aware time); none if it is good."""
        try:
            sheet = parse(secured.content)
        except FseError as error:
            return (_rejection("content-unreadable", None, error.place),)
        return self.verify_sheet(secured, sheet, at)

    def verify_sheet(self, secured: SecuredInvoice, sheet: Invoice, at: datetime) -> tuple[Rejection, ...]:
        """As ``verify``, for who has read the content already: ``sheet`` must be what it says."""
        return tuple(self._reasons(secured, sheet, at))

    def signature_reasons(
        self, content: bytes, signature: CardSignature, at: datetime, invoice: int | None = None
    ) -> Iterator[Rejection]:
        """What is wrong with a signature of any content, a lot for one: its value, its certificate, its moment.

        Nothing is said of whose it is.
        """
        place = str(signature.signer)
        found = certificate_of(signature.certificate)
        if found is None:
            yield _rejection("certificate-unreadable", invoice, place)
            return
        certificate, key = found
        worth = judged(key, content, signature.value)
        if worth is not SignatureFinding.GOOD:
            code = "content-altered" if worth is SignatureFinding.OTHER_CONTENT else "signature-altered"
            yield _rejection(code, invoice, place)
        if not self._is_recognised(signature.signer, signature.certificate):
            yield _rejection("certificate-unknown-issuer", invoice, place)
        if not _for_signatures(certificate):
            yield _rejection("certificate-wrong-use", invoice, place)
        moment = _moment(signature.moment)
        if moment is None or moment > at:
            yield _rejection("moment-impossible", invoice, place)
        else:
            yield from self._at_moment(certificate, moment, at, invoice, place)

    def _is_recognised(self, signer: Signer, raw: bytes) -> bool:
        found = certificate_of(raw)
        return found is not None and any(_issued(found[0], anchor) for anchor in self._anchors.of(signer))

    def _at_moment(
        self, certificate: x509.Certificate, moment: datetime, at: datetime, invoice: int | None, place: str
    ) -> Iterator[Rejection]:
        if moment < certificate.not_valid_before_utc:
            yield _rejection("certificate-not-yet-valid", invoice, place)
        if moment > certificate.not_valid_after_utc:
            yield _rejection("certificate-expired", invoice, place)
        since = self._revoked.get(_issuer(certificate), {}).get(certificate.serial_number)
        if since is not None and since <= (at if self._at_reception else moment):
            yield _rejection("certificate-revoked", invoice, place)

    def _reasons(self, secured: SecuredInvoice, sheet: Invoice, at: datetime) -> Iterator[Rejection]:
        number, wanted = sheet.number, wants(sheet.mode)
        if not MODES[sheet.mode].takes_paper(secured.paper):
            yield _rejection("paper-unexpected" if secured.paper else "paper-missing", number, "paper")
        for signer, signature in ((Signer.INSURED, secured.insured), (Signer.PROFESSIONAL, secured.professional)):
            if signature is None:
                if signer in wanted:
                    yield _rejection("signature-missing", number, str(signer))
                continue
            if signer not in wanted or signature.signer is not signer:
                yield _rejection("signature-unexpected", number, str(signer))
                continue
            yield from self.signature_reasons(secured.content, signature, at, number)
            moment = _moment(signature.moment)
            if moment is not None and sheet.on - moment.date() > _DAY_BEFORE:
                yield _rejection("moment-impossible", number, str(signer))
            found = certificate_of(signature.certificate)
            if found is not None:
                whose = _insured_reasons if signer is Signer.INSURED else _professional_reasons
                yield from (_rejection(code, number, str(signer)) for code in whose(found[0], sheet))


def verify(
    secured: SecuredInvoice,
    at: datetime,
    anchors: Anchors,
    revocations: Iterable[x509.CertificateRevocationList] = (),
) -> tuple[Rejection, ...]:
    """Every reason to refuse a sheet; none if it is good. See ``Verifier``, which is to be kept for many."""
    return Verifier(anchors, revocations).verify(secured, at)


def _rejection(code: str, invoice: int | None, place: str) -> Rejection:
    return Rejection(code, reasons()[code].fr, invoice, place)


@dataclass(frozen=True, slots=True)
class SigningProfessional:
    """Whom a certificate of a professional's card names. ``rpps`` is None for who has none, an employee for one."""

    rpps: str | None
    card_number: str
    card_signs: bool
    """Whether cards of this type sign sheets and lots."""


def signing_professional(raw: bytes) -> SigningProfessional | None:
    """Whom a certificate (DER) names; None for what is no certificate. Who issued it is another question."""
    found = certificate_of(raw)
    return None if found is None else _professional(found[0])


@lru_cache(maxsize=1024)
def _professional(certificate: x509.Certificate) -> SigningProfessional:
    marks = _private_extensions(certificate)
    names = _common_names(certificate)
    return SigningProfessional(
        rpps=names[0][1:] if len(names) == 1 and names[0].startswith(_NATIONAL) else None,
        card_number=marks.get(CARD_ID, b"")[2:].rpartition(b"/")[2].decode("ascii", "replace"),
        card_signs=marks.get(CARD_TYPE) in _SIGNING_TYPES,
    )


def _professional_reasons(certificate: x509.Certificate, sheet: Invoice) -> Iterator[str]:
    signer, who = _professional(certificate), sheet.professional
    if not signer.card_signs:
        yield "signer-wrong-card"
    if (signer.card_number, signer.rpps) != (who.card_number, who.rpps):
        yield "signer-other-professional"
    if not who.may_sign_invoice:
        yield "signer-no-right"


def _insured_reasons(certificate: x509.Certificate, sheet: Invoice) -> Iterator[str]:
    if sheet.beneficiary.apcv or _common_names(certificate) != (f"{CARD_NAME}{sheet.beneficiary.card_serial}",):
        yield "signer-other-vitale"


@lru_cache(maxsize=1024)
def _common_names(certificate: x509.Certificate) -> tuple[str, ...]:
    return tuple(str(item.value) for item in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME))


def _private_extensions(certificate: x509.Certificate) -> dict[x509.ObjectIdentifier, bytes]:
    return {
        item.oid: item.value.value
        for item in certificate.extensions
        if isinstance(item.value, x509.UnrecognizedExtension)
    }


@lru_cache(maxsize=1024)
def _for_signatures(certificate: x509.Certificate) -> bool:
    """nonRepudiation, and not digitalSignature: a key that also signs challenges signs no sheet."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.content_commitment and not usage.digital_signature


@lru_cache(maxsize=1024)
def _issuer(certificate: x509.Certificate) -> bytes:
    return certificate.issuer.public_bytes()


@lru_cache(maxsize=1024)
def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _listed_by(crl: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    key = authority.public_key()
    return crl.issuer == authority.subject and isinstance(key, RSAPublicKey) and crl.is_signature_valid(key)


@lru_cache(maxsize=256)
def _lines(raw: bytes, known: tuple[x509.Certificate, ...]) -> tuple[bytes, Mapping[int, datetime]]:
    """The name of whose list this is, and since when each serial number is revoked.

    Raise ValueError for a list that none of the authorities signed.
    """
    crl = x509.load_der_x509_crl(raw)
    if not any(_listed_by(crl, anchor) for anchor in known):
        raise ValueError(f"the list of {crl.issuer.rfc4514_string()} is signed by no authority that is known")
    lines = {line.serial_number: line.revocation_date_utc for line in crl}
    return crl.issuer.public_bytes(), MappingProxyType(lines)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None
