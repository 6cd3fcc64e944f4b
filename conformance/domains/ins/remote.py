"""An INSi somewhere else: real TLS, what passes told as for our own service."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bifente.conformance.loading import InputError
from bifente.ground.clock import Clock
from bifente.simulator.serving.recording import Heading, Hear, Passed

_PATIENCE = 30.0


class _Told(httpx.BaseTransport):
    """Carries requests, and tells both ways."""

    def __init__(self, inner: httpx.BaseTransport, clock: Clock, hear: Hear) -> None:
        self._inner = inner
        self._clock = clock
        self._hear = hear

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        self._tell(Heading.RECEIVED, request, None, request.headers, body, 0.0)
        since = self._clock.monotonic()
        answer = self._inner.handle_request(request)
        content = answer.read()
        seconds = self._clock.monotonic() - since
        self._tell(Heading.SENT, request, answer.status_code, answer.headers, content, seconds)
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)

    def _tell(
        self,
        way: Heading,
        request: httpx.Request,
        status: int | None,
        headers: httpx.Headers,
        body: bytes,
        seconds: float,
    ) -> None:
        said = tuple(headers.items())
        url = str(request.url)
        self._hear(Passed("https", "insi", way, request.method, url, status, said, body, len(body), seconds))

    def close(self) -> None:
        self._inner.close()


def remote(url: str, ca: str | None, clock: Clock, hear: Hear) -> tuple[httpx.Client, str]:
    """Return a caller of an address and the path on it. Raise InputError for a CA file that cannot be read."""
    try:
        context = ssl.create_default_context(cafile=str(Path(ca)) if ca else None)
    except (OSError, ssl.SSLError) as error:
        raise InputError.at(ca or "", f"is no file of a CA: {error}", cure="give a PEM file") from None
    parts = urlsplit(url)
    inner = httpx.HTTPTransport(verify=context, trust_env=False)
    client = httpx.Client(
        transport=_Told(inner, clock, hear), base_url=f"{parts.scheme}://{parts.netloc}", timeout=_PATIENCE
    )
    return client, parts.path or "/"
