"""Why a certificate is refused: a closed set, each reason with a sentence and the TLS alert that belongs to it.

The alerts are those of RFC 8446, section 6.2, as OpenSSL sends them for the same reasons (sources#rfc8446).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from bifente.ground.text import Text


class TlsAlert(IntEnum):
    """The alerts by which a peer says that it refuses a certificate or a handshake."""

    CLOSE_NOTIFY = 0
    HANDSHAKE_FAILURE = 40
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    CERTIFICATE_REQUIRED = 116

    @property
    def word(self) -> str:
        """Its name as clients print it: ``certificate revoked``."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    alert: TlsAlert
    text: Text


class CertificateRefusal(Enum):
    """Why. ``key`` is the word of scenarios and records."""

    MISSING = _Row(
        "missing",
        TlsAlert.CERTIFICATE_REQUIRED,
        Text("aucun certificat n'a été présenté", "no certificate was presented"),
    )
    UNREADABLE = _Row(
        "unreadable",
        TlsAlert.BAD_CERTIFICATE,
        Text("le certificat présenté est illisible", "the certificate presented cannot be read"),
    )
    UNKNOWN_AUTHORITY = _Row(
        "unknown-authority",
        TlsAlert.UNKNOWN_CA,
        Text("le certificat n'est signé par aucune autorité acceptée", "no accepted authority signed the certificate"),
    )
    OTHER_BRANCH = _Row(
        "other-branch",
        TlsAlert.UNKNOWN_CA,
        Text(
            "le certificat vient d'une autorité de l'IGC-Santé qui n'est pas acceptée ici",
            "the certificate comes from an authority of the IGC-Santé that is not accepted here",
        ),
    )
    REAL_PRODUCT = _Row(
        "real-product",
        TlsAlert.BAD_CERTIFICATE,
        Text(
            "le certificat se dit d'une carte ou d'un logiciel réels : jamais accepté sous une autorité de test",
            "the certificate says it is of a real card or software: never accepted under a test authority",
        ),
    )
    WRONG_PURPOSE = _Row(
        "wrong-purpose",
        TlsAlert.UNSUPPORTED_CERTIFICATE,
        Text("le certificat n'est pas fait pour cet usage", "the certificate is not made for this use"),
    )
    WRONG_NAME = _Row(
        "wrong-name",
        TlsAlert.BAD_CERTIFICATE,
        Text("le certificat nomme une autre machine", "the certificate names another machine"),
    )
    NOT_YET_VALID = _Row(
        "not-yet-valid",
        TlsAlert.BAD_CERTIFICATE,
        Text("le certificat n'est pas encore valable", "the certificate is not yet valid"),
    )
    EXPIRED = _Row(
        "expired", TlsAlert.CERTIFICATE_EXPIRED, Text("le certificat est expiré", "the certificate has expired")
    )
    REVOKED = _Row(
        "revoked", TlsAlert.CERTIFICATE_REVOKED, Text("le certificat est révoqué", "the certificate is revoked")
    )
    STATUS_UNKNOWN = _Row(
        "status-unknown",
        TlsAlert.CERTIFICATE_UNKNOWN,
        Text("le répondeur OCSP ne connaît pas ce certificat", "the OCSP responder does not know this certificate"),
    )
    STATUS_UNAVAILABLE = _Row(
        "status-unavailable",
        TlsAlert.CERTIFICATE_UNKNOWN,
        Text(
            "l'état du certificat n'a pu être obtenu (liste ou répondeur injoignable)",
            "the status of the certificate could not be had (list or responder out of reach)",
        ),
    )
    STATUS_STALE = _Row(
        "status-stale",
        TlsAlert.CERTIFICATE_UNKNOWN,
        Text("la liste ou la réponse de révocation est périmée", "the revocation list or answer is out of date"),
    )
    STATUS_FORGED = _Row(
        "status-forged",
        TlsAlert.CERTIFICATE_UNKNOWN,
        Text(
            "la liste ou la réponse de révocation n'est pas signée par l'autorité du certificat",
            "the revocation list or answer is not signed by the certificate's authority",
        ),
    )

    @property
    def key(self) -> str:
        """The word for it in scenarios and records."""
        return self.value.key

    @property
    def alert(self) -> TlsAlert:
        """The TLS alert that says it."""
        return self.value.alert

    @property
    def text(self) -> Text:
        """The sentence, in French and English."""
        return self.value.text


class CertificateRefusedError(Exception):
    """A certificate is refused. ``refusal`` says why, ``detail`` more where there is more to say."""

    def __init__(self, refusal: CertificateRefusal, detail: str | Text = "") -> None:
        self.refusal = refusal
        self._more = Text.same(detail) if isinstance(detail, str) else detail
        super().__init__(f"{refusal.text.en}: {self.detail}" if self.detail else refusal.text.en)

    @property
    def detail(self) -> str:
        """What more there is to say; empty if nothing."""
        return self._more.en

    @property
    def text(self) -> Text:
        """The sentence with its detail, in French and English."""
        said = self.refusal.text
        return Text(f"{said.fr} ({self._more.fr})", f"{said.en} ({self._more.en})") if self.detail else said
