"""Callers: one contract, whether a service runs in this process or answers over TLS."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx

from bifente.ground.text import Text
from bifente.simulator.pki.judging import Chain
from bifente.simulator.pki.refusals import CertificateRefusedError
from bifente.simulator.serving.asgi import answered
from bifente.simulator.serving.client_certificates import ClientCertificates, TlsPeer, seen_by
from bifente.simulator.serving.loops import run
from bifente.simulator.serving.service import Asgi

IN_PROCESS = "https://localhost"


class Caller(Protocol):
    """Sends one request and waits for its answer. An ``httpx.Client`` is one."""

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Any = None,
        headers: Any = None,
        content: Any = None,
    ) -> httpx.Response:
        """Send it. Raise httpx.HTTPError if there is no answer."""
        ...


class AsgiTransport(httpx.BaseTransport):
    """Carries requests to an ASGI application of this process: same application, same bytes, no port.

    An application that calls another one so, while it answers, waits for it.
    """

    def __init__(self, application: Asgi) -> None:
        self._application = application

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, its whole answer read."""
        return run(answered(self._application, request))


class RefusedConnectionError(httpx.ConnectError):
    """TLS came to nothing: ``text`` says why as the client knows it, ``alert`` how TLS says it, None without one.

    ``refused`` is the judgement of a service of this process on the client's certificate.
    """

    def __init__(self, text: Text, alert: int | None, refused: CertificateRefusedError | None = None) -> None:
        self.text = text
        self.alert = alert
        self.refused = refused
        super().__init__(text.en)


class _Judged(AsgiTransport):
    """Carries requests to an application that asks for client certificates, each judged as a connection is."""

    def __init__(self, application: Asgi, clients: ClientCertificates | None, presented: Chain) -> None:
        super().__init__(seen_by(application, lambda: TlsPeer(presented)))
        self._clients = clients
        self._presented = presented

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request. Raise RefusedConnectionError."""
        if self._clients is not None:
            try:
                self._clients.admit(self._presented)
            except CertificateRefusedError as refused:
                raise RefusedConnectionError(refused.text, refused.refusal.alert, refused) from None
        return super().handle_request(request)


def in_process(
    application: Asgi,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    *,
    clients: ClientCertificates | None = None,
    presented: Chain = (),
) -> httpx.Client:
    """Return a caller of an application of this process, ``headers`` sent with every call.

    ``presented`` is the certificate it shows, its own first; ``clients`` judges it before each call.
    """
    transport = _Judged(application, clients, presented) if clients is not None or presented else None
    return httpx.Client(transport=transport or AsgiTransport(application), base_url=IN_PROCESS, headers=dict(headers))


def over_tls(url: str, trust: bytes, headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()) -> httpx.Client:
    """Return a caller over TLS that trusts the authority ``trust`` (PEM) alone, no proxy between."""
    context = ssl.create_default_context(cadata=trust.decode("ascii"))
    return httpx.Client(verify=context, base_url=url, headers=dict(headers), trust_env=False)
