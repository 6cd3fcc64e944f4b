"""The client certificates that a service asks for: who judges them, who hears of it, and what an application sees.

To serve with client certificates::

    clients = ClientCertificates(judge, required=True, peer=service.name, hear=scene.hear)
    front = TlsFront(identity, clients, LPS)                       # or WEB: TLS 1.2 and 1.3
    with LoopbackServer(recorded(service, clock, hear), front) as server: ...

or without a socket, the same judgement and the same scope::

    caller = in_process(application, clients=clients, presented=chain)

The application finds who called in its scope, in the shape of the ASGI TLS extension (sources#asgi-tls)::

    scope["extensions"]["tls"] == {"client_cert_chain": [PEM, ...], "client_cert_name": "CN=...", "tls_version": 771,
                                   "cipher_suite": 52392, "server_cert": PEM, "client_cert_error": None}

``client_chain(scope)`` reads it as certificates. A certificate that is refused never reaches the application: the
client gets the alert, the record a line, in the way of every message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.simulator.pki import subjects
from bifente.simulator.pki.judging import CertificateJudge, Chain
from bifente.simulator.pki.refusals import CertificateRefusal, CertificateRefusedError, TlsAlert
from bifente.simulator.serving.recording import Heading, Hear, Passed
from bifente.simulator.serving.service import Asgi

PROTOCOL = "tls"
_EXTENSION = "tls"


def _nobody(passed: Passed) -> None:
    """Hear what passed, and tell nobody."""


@dataclass(frozen=True, slots=True)
class ClientCertificates:
    """What a service asks of its clients. Not ``required``, one without a certificate is let in, the others judged.

    ``peer`` is the service's name in the record, ``hear`` is told each handshake: who came, or why not.
    """

    judge: CertificateJudge
    required: bool = True
    peer: str = ""
    hear: Hear = _nobody

    @property
    def authorities(self) -> tuple[bytes, ...]:
        """The names (DER) of the authorities that a client may choose a certificate by."""
        return tuple(one.subject.public_bytes() for one in self.judge.trusted.authorities)

    def look(self, presented: Sequence[bytes]) -> Chain:
        """Judge certificates given as DER. Raise CertificateRefusedError."""
        return self.judge.judge_der(presented)

    def admit(self, presented: Sequence[x509.Certificate]) -> Chain:
        """Judge what a client of this process presents; nothing at all is right where nothing is required.

        Raise CertificateRefusedError. Both outcomes are told.
        """
        if not presented and not self.required:
            return ()
        try:
            if not presented:
                raise CertificateRefusedError(CertificateRefusal.MISSING)
            chain = self.judge.judge(presented)
        except CertificateRefusedError as refused:
            self.tell_refused(refused, refused.refusal.alert, presented[0] if presented else None)
            raise
        self.tell_admitted(presented[0], "in process")
        return chain

    def tell_admitted(self, certificate: x509.Certificate | None, how: str) -> None:
        """Tell that a client came in: ``how`` is the version and the suite."""
        self._tell(Heading.RECEIVED, "handshake", how, [("subject", _subject(certificate))])

    def tell_refused(self, refused: CertificateRefusedError, alert: int, certificate: x509.Certificate | None) -> None:
        """Tell that a client was refused, why, and by which alert."""
        said = [("reason", refused.refusal.key), ("detail", refused.detail), ("subject", _subject(certificate))]
        self._tell(Heading.SENT, "alert", f"{alert} {TlsAlert(alert).word}", said)

    def _tell(self, way: Heading, method: str, what: str, said: list[tuple[str, str]]) -> None:
        headers = tuple((name, value) for name, value in said if value)
        self.hear(Passed(PROTOCOL, self.peer, way, method, what, None, headers, b"", 0))


@dataclass(frozen=True, slots=True)
class TlsPeer:
    """The client of a connection as the application sees it. ``version`` and ``suite`` are numbers of the standard."""

    chain: Chain = ()
    server: x509.Certificate | None = None
    version: int = 0x0303
    suite: int = 0xC02F

    def extension(self) -> Mapping[str, Any]:
        """Return what stands in the scope."""
        return {
            "server_cert": _pem(self.server) if self.server is not None else None,
            "client_cert_chain": [_pem(one) for one in self.chain],
            "client_cert_name": subjects.told(self.chain[0].subject) if self.chain else None,
            "client_cert_error": None,
            "tls_version": self.version,
            "cipher_suite": self.suite,
        }


def seen_by(application: Asgi, peer: Callable[[], TlsPeer]) -> Asgi:
    """Return an application that finds its client in the scope, whoever that is when a request comes."""

    async def asked(scope: dict[str, Any], receive: Any, send: Any) -> None:
        extensions = {**scope.get("extensions", {}), _EXTENSION: peer().extension()}
        await application({**scope, "extensions": extensions}, receive, send)

    return asked


def client_chain(scope: Mapping[str, Any]) -> Chain:
    """Return the certificates of the client of a request, its own first; none if it showed none."""
    shown = scope.get("extensions", {}).get(_EXTENSION, {}).get("client_cert_chain", ())
    return tuple(_of_pem(one) for one in shown)


# A client shows one certificate in all its requests.


@lru_cache(maxsize=64)
def _of_pem(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode("ascii"))


@lru_cache(maxsize=64)
def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _subject(certificate: x509.Certificate | None) -> str:
    return subjects.told(certificate.subject) if certificate is not None else ""
