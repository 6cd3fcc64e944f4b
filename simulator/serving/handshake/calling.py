"""Callers whose TLS is shaken by the bench: the key may lie in a card, the server may be anybody's or of this process.

Each is an ``httpx.Client``. One handshake serves a caller until it is closed, as a browser keeps its connection.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpcore
import httpx

from bifente.ground.clock import Clock
from bifente.simulator.pki.judging import CertificateJudge, Purpose, TrustedAuthorities
from bifente.simulator.pki.refusals import CertificateRefusedError
from bifente.simulator.serving.calling import IN_PROCESS, AsgiTransport, RefusedConnectionError
from bifente.simulator.serving.client_certificates import seen_by
from bifente.simulator.serving.handshake.engine import Look, TlsEngine, TlsError, TlsRefusedError
from bifente.simulator.serving.handshake.front import TlsFront
from bifente.simulator.serving.handshake.keys import TlsIdentity
from bifente.simulator.serving.handshake.terms import WEB, TlsTerms
from bifente.simulator.serving.service import Asgi

_PIECE = 65_536
_PATIENCE = 10.0
_Headers = Mapping[str, str] | Sequence[tuple[str, str]]


def shaken_in_process(
    application: Asgi,
    front: TlsFront,
    look: Look | None,
    identity: TlsIdentity | None = None,
    terms: TlsTerms = WEB,
    headers: _Headers = (),
) -> httpx.Client:
    """Return a caller of an application of this process behind a real handshake, without a socket.

    ``look`` judges the server. Raises RefusedConnectionError from the first call if the handshake comes to nothing, and
    whatever the key of ``identity`` raises.
    """
    return httpx.Client(
        transport=InProcessTls(application, front, look, identity, terms), base_url=IN_PROCESS, headers=dict(headers)
    )


def over_own_tls(
    url: str,
    look: Look,
    identity: TlsIdentity | None = None,
    terms: TlsTerms = WEB,
    headers: _Headers = (),
    timeout: float = _PATIENCE,
) -> httpx.Client:
    """Return a caller of a server on a port: the same handshake over a socket. Raises as ``shaken_in_process``."""
    return httpx.Client(
        transport=SocketTls(look, identity, terms), base_url=url, headers=dict(headers), timeout=timeout
    )


class InProcessTls(httpx.BaseTransport):
    """Carries requests behind one handshake in memory; ``client`` is its side of it, None before."""

    def __init__(
        self, application: Asgi, front: TlsFront, look: Look | None, identity: TlsIdentity | None, terms: TlsTerms
    ) -> None:
        self._application = application
        self._front = front
        self._look = look
        self._identity = identity
        self._terms = terms
        self._carrier: AsgiTransport | None = None
        self.client: TlsEngine | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Shake hands if that was not done yet, and carry the request. Raise RefusedConnectionError."""
        if self._carrier is None:
            self.client, there = shake(self._front, self._look, self._identity, self._terms, request.url.host)
            peer = self._front.peer(there)
            self._carrier = AsgiTransport(seen_by(self._application, lambda: peer))
        return self._carrier.handle_request(request)


def shake(
    front: TlsFront, look: Look | None, identity: TlsIdentity | None, terms: TlsTerms = WEB, name: str = "localhost"
) -> tuple[TlsEngine, TlsEngine]:
    """Return a client's and a server's side that agreed. Raise RefusedConnectionError, and what a key raises."""
    here, there = TlsEngine.client(name, terms, look, identity), front.engine()
    try:
        here.start()
        while said := here.take():
            try:
                there.feed(said)
            except TlsError as error:
                front.refused(there, error)
                here.feed(there.take())
                raise
            if answer := there.take():
                here.feed(answer)
    except TlsError as error:
        raise refused_connection(error, there) from None
    return here, there


def refused_connection(error: TlsError, there: TlsEngine | None = None) -> RefusedConnectionError:
    """Return how a caller tells a handshake that came to nothing; ``there`` knows why, if it is of this process."""
    known: CertificateRefusedError | None = error.refused if isinstance(error, TlsRefusedError) else None
    if known is None and there is not None:
        known = there.refused
    return RefusedConnectionError(error.text, error.alert, known)


class SocketTls(httpx.BaseTransport):
    """Carries requests over sockets behind the handshake of the bench; httpcore speaks HTTP."""

    def __init__(self, look: Look, identity: TlsIdentity | None, terms: TlsTerms) -> None:
        self._pool = httpcore.ConnectionPool(network_backend=_Sockets(look, identity, terms))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, its whole answer read. Raise httpx.TransportError and RefusedConnectionError."""
        asked = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.read(),
            extensions=request.extensions,
        )
        try:
            answer = self._pool.handle_request(asked)
            body = answer.read()
            answer.close()
        except httpcore.TimeoutException as error:
            raise httpx.ReadTimeout(str(error)) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise httpx.ConnectError(str(error)) from error
        return httpx.Response(answer.status, headers=answer.headers, content=body)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _Sockets(httpcore.NetworkBackend):
    def __init__(self, look: Look, identity: TlsIdentity | None, terms: TlsTerms) -> None:
        self._look = look
        self._identity = identity
        self._terms = terms

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            joined = socket.create_connection((host, port), timeout)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        joined.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Stream(joined, lambda name: TlsEngine.client(name, self._terms, self._look, self._identity))


class _Stream(httpcore.NetworkStream):
    """A socket, and the engine once TLS begins."""

    def __init__(self, joined: socket.socket, engine: Any) -> None:
        self._socket = joined
        self._make = engine
        self._engine: TlsEngine | None = None

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._engine = engine = self._make(server_hostname or "localhost")
        self._socket.settimeout(timeout)
        try:
            engine.start()
            while True:
                self._socket.sendall(engine.take())
                if engine.shaken:
                    return self
                engine.feed(self._socket.recv(_PIECE))
        except TlsError as error:
            self._last_words(engine)
            raise refused_connection(error) from None
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        assert self._engine is not None  # noqa: S101 - nothing here is read in clear
        self._socket.settimeout(timeout)
        try:
            while not (said := self._engine.read()) and not self._engine.ended:
                self._engine.feed(self._socket.recv(_PIECE))
        except TlsError as error:
            raise refused_connection(error) from None
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error
        return said

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        assert self._engine is not None  # noqa: S101
        self._socket.settimeout(timeout)
        self._engine.write(buffer)
        try:
            self._socket.sendall(self._engine.take())
        except OSError as error:
            # A server that refuses in TLS 1.3 says so once we began to speak: what it said is still to be read.
            self._hear_out(error)

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._last_words(self._engine)
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        return None

    def _last_words(self, engine: TlsEngine) -> None:
        try:
            self._socket.sendall(engine.take())
        except OSError:
            return

    def _hear_out(self, error: OSError) -> None:
        assert self._engine is not None  # noqa: S101
        try:
            self._engine.feed(self._socket.recv(_PIECE))
        except TlsError as refused:
            raise refused_connection(refused) from None
        except OSError:
            pass
        raise httpcore.WriteError(str(error)) from error


def server_look(trusted: TrustedAuthorities, clock: Clock, name: str = "localhost") -> Look:
    """Return how a client looks at a server: its chain, purpose, validity, and that it is the one that was called."""
    judge = CertificateJudge(trusted, clock, Purpose.SERVER, name=name)
    return judge.judge_der
