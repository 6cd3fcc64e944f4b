"""Callers of the provider in process, with the certificate they show."""

from __future__ import annotations

import httpx

from bifente.simulator.pki.judging import Chain
from bifente.simulator.serving.calling import AsgiTransport
from bifente.simulator.serving.client_certificates import TlsPeer, seen_by
from bifente.simulator.serving.service import Asgi


def caller(application: Asgi, chain: Chain = ()) -> httpx.Client:
    """Return a caller that shows a certificate; which is believed is for the provider to say."""
    return httpx.Client(transport=transport_of(application, chain))


def transport_of(application: Asgi, chain: Chain = ()) -> AsgiTransport:
    """Return what carries the requests of a caller that shows a certificate."""
    return AsgiTransport(seen_by(application, lambda: TlsPeer(tuple(chain))))
