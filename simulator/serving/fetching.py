"""How whoever checks a certificate gets lists and OCSP answers: over HTTP, or from a service of this process."""

from __future__ import annotations

import httpx

from bifente.ground.clock import Clock
from bifente.simulator.pki.revocation import Fetch, FetchError
from bifente.simulator.serving.calling import Caller

PATIENCE = 10.0
"""Seconds that a check waits for its answer."""
_OCSP = "application/ocsp-request"
_MOST = 10_000_000


def fetching(caller: Caller, clock: Clock, patience: float = PATIENCE) -> Fetch:
    """Return what fetches by a caller. An answer that took more than ``patience`` on the clock is none."""

    def fetch(url: str, body: bytes | None) -> bytes:
        since = clock.monotonic()
        try:
            answer = _asked(caller, url, body)
        except httpx.HTTPError as error:
            raise FetchError(f"{url}: {error or type(error).__name__}") from None
        if clock.monotonic() - since > patience:
            raise FetchError(f"{url}: no answer within {patience:.0f} s")
        if answer.status_code != httpx.codes.OK:
            raise FetchError(f"{url}: HTTP {answer.status_code}")
        if len(answer.content) > _MOST:
            raise FetchError(f"{url}: more than {_MOST} bytes")
        return answer.content

    return fetch


def _asked(caller: Caller, url: str, body: bytes | None) -> httpx.Response:
    if body is None:
        return caller.request("GET", url)
    return caller.request("POST", url, headers={"Content-Type": _OCSP}, content=body)
