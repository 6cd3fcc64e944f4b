"""What tlslite-ng computes and draws by itself: X25519 by cryptography, random bytes from where the bench draws.

tlslite-ng takes both from functions of its modules and lets nobody give others. They are replaced here, once. Random
bytes come from the system unless ``drawing`` says otherwise for the thread at hand, as it does for a scenario, whose
record must be the same under the same seed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import tlslite.keyexchange
import tlslite.recordlayer
import tlslite.tlsconnection
import tlslite.utils.cryptomath
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

Draw = Callable[[int], bytes]
"""Gives so many random bytes."""

_drawn: ContextVar[Draw] = ContextVar("bifente-tls-random", default=os.urandom)


@contextmanager
def drawing(draw: Draw | None) -> Iterator[None]:
    """Let what is drawn inside come from ``draw``; None leaves it as it is."""
    if draw is None:
        yield
        return
    token = _drawn.set(draw)
    try:
        yield
    finally:
        _drawn.reset(token)


def draw(size: int) -> bytearray:
    """Return random bytes from where they are drawn now."""
    return bytearray(_drawn.get()(size))


def _x25519(scalar: bytearray, point: bytearray) -> bytearray:
    try:
        key = X25519PrivateKey.from_private_bytes(bytes(scalar))
        return bytearray(key.exchange(X25519PublicKey.from_public_bytes(bytes(point))))
    except ValueError:
        # A point of small order, or of another length: tlslite-ng refuses what comes of it.
        return bytearray(32)


for _module in (tlslite.keyexchange, tlslite.recordlayer, tlslite.tlsconnection, tlslite.utils.cryptomath):
    if hasattr(_module, "getRandomBytes"):
        _module.getRandomBytes = draw
tlslite.keyexchange.x25519 = _x25519
