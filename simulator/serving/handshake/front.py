"""TLS in front of an ASGI server: each connection shaken here, its client judged, its requests handed on in clear."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bifente.simulator.serving.client_certificates import ClientCertificates, TlsPeer, seen_by
from bifente.simulator.serving.handshake.engine import TlsEngine, TlsError, TlsRefusedError
from bifente.simulator.serving.handshake.keys import SoftKey, TlsIdentity
from bifente.simulator.serving.handshake.terms import LPS, TlsTerms
from bifente.simulator.serving.tls import ServerIdentity


@dataclass(frozen=True, slots=True)
class TlsFront:
    """How a service is served: its own identity, the client certificates it asks for (None: it asks for none)."""

    identity: ServerIdentity
    clients: ClientCertificates | None = None
    terms: TlsTerms = LPS

    def engine(self) -> TlsEngine:
        """Return the server's side of one connection."""
        shown, clients = _shown(self.identity), self.clients
        if clients is None:
            return TlsEngine.server(shown, self.terms)
        return TlsEngine.server(
            shown, self.terms, clients.look, required=clients.required, authorities=clients.authorities
        )

    def peer(self, engine: TlsEngine) -> TlsPeer:
        """Return who is at the other end of a connection that was shaken, and tell it."""
        chain = tuple(x509.load_der_x509_certificate(one) for one in engine.presented)
        if self.clients is not None:
            how = f"{engine.version.word} {engine.suite_name}"
            self.clients.tell_admitted(chain[0] if chain else None, how)
        return TlsPeer(chain, self.identity.chain[0], engine.version, engine.suite)

    def refused(self, engine: TlsEngine, error: TlsError) -> None:
        """Tell who was refused, and why."""
        if isinstance(error, TlsRefusedError) and self.clients is not None:
            shown = None
            with contextlib.suppress(ValueError):
                shown = x509.load_der_x509_certificate(engine.presented[0]) if engine.presented else None
            self.clients.tell_refused(error.refused, error.alert or 0, shown)


@lru_cache(maxsize=16)
def _shown(identity: ServerIdentity) -> TlsIdentity:
    """Return an identity as the engine takes it: reading a key from PEM costs more than a handshake."""
    # The arithmetic of a key that this process wrote itself is not checked: it takes longer than all the rest.
    key = load_pem_private_key(identity.key, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)  # noqa: S101 - ServerIdentity has no other
    return TlsIdentity(identity.chain[:-1], SoftKey(key))


class _Inner(asyncio.Transport):
    """What the ASGI server writes to."""

    def __init__(self, outer: asyncio.Transport, engine: TlsEngine) -> None:
        super().__init__({"sslcontext": engine})
        self._outer = outer
        self._engine = engine
        self.protocol: asyncio.BaseProtocol | None = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        own = super().get_extra_info(name)
        return own if own is not None else self._outer.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._outer.is_closing() and not self._engine.ended:
            self._engine.write(bytes(data))
            self._outer.write(self._engine.take())

    def close(self) -> None:
        if not self._outer.is_closing():
            self._engine.close()
            self._outer.write(self._engine.take())
            self._outer.close()

    def abort(self) -> None:
        self._outer.abort()

    def is_closing(self) -> bool:
        return self._outer.is_closing()

    def can_write_eof(self) -> bool:
        return False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self.protocol is not None  # noqa: S101 - set as soon as the connection is shaken
        return self.protocol

    def pause_reading(self) -> None:
        self._outer.pause_reading()

    def resume_reading(self) -> None:
        self._outer.resume_reading()

    def is_reading(self) -> bool:
        return self._outer.is_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._outer.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._outer.get_write_buffer_size()


class Shaken(asyncio.Protocol):
    """One connection. ``inner`` makes the protocol that speaks HTTP, once it is known who calls."""

    def __init__(self, front: TlsFront, inner: Callable[[Callable[[Any], Any]], asyncio.Protocol]) -> None:
        self._front = front
        self._inner = inner
        self._engine = front.engine()
        self._outer: asyncio.Transport | None = None
        self._through: _Inner | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for what the client says."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream
        self._outer = transport
        self._engine.start()

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake, or hand on what was said."""
        outer = self._outer
        assert outer is not None  # noqa: S101 - made before data come
        try:
            self._engine.feed(data)
        except TlsError as error:
            self._front.refused(self._engine, error)
            outer.write(self._engine.take())
            outer.close()
            return
        outer.write(self._engine.take())
        if self._through is None and self._engine.shaken:
            self._open(outer)
        said = self._engine.read()
        protocol = self._through.protocol if self._through is not None else None
        if said and isinstance(protocol, asyncio.Protocol):
            protocol.data_received(said)
        if self._engine.ended:
            outer.close()

    def _open(self, outer: asyncio.Transport) -> None:
        peer = self._front.peer(self._engine)
        self._through = _Inner(outer, self._engine)
        protocol = self._inner(lambda application: seen_by(application, lambda: peer))
        self._through.protocol = protocol
        protocol.connection_made(self._through)

    def eof_received(self) -> bool | None:
        """The client says no more."""
        protocol = self._through.protocol if self._through is not None else None
        if isinstance(protocol, asyncio.Protocol):
            protocol.eof_received()
        return None

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        if self._through is not None and self._through.protocol is not None:
            self._through.protocol.connection_lost(error)

    def pause_writing(self) -> None:
        """The client reads slowly."""
        if self._through is not None and self._through.protocol is not None:
            self._through.protocol.pause_writing()

    def resume_writing(self) -> None:
        """It caught up."""
        if self._through is not None and self._through.protocol is not None:
            self._through.protocol.resume_writing()
