"""A service on a port of this machine: real TLS, loopback only."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from bifente.simulator.serving.tls import LOOPBACK

if TYPE_CHECKING:
    from bifente.simulator.serving.handshake.front import Shaken, TlsFront

_STARTED_WITHIN = 10.0
_STOPPED_WITHIN = 5.0
_LOOK = 0.005


class ServingError(Exception):
    """The port cannot be served; the text says why and what to do."""


class LoopbackServer:
    """An ASGI application over HTTPS, or HTTP, on 127.0.0.1, in a thread of its own. A context manager.

    With a ``TlsFront`` client certificates are asked for and judged; a context of OpenSSL serves anybody, None
    in clear: lists of revoked certificates are had that way, and what never leaves the machine and asks for a token.
    ``port`` 0 takes any free one; ``port`` then tells which. Raises ServingError.
    """

    def __init__(self, application: Any, context: ssl.SSLContext | TlsFront | None, port: int = 0) -> None:
        self._scheme = "http" if context is None else "https"
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=int(_STOPPED_WITHIN),
        )
        config.load()
        # What a client got wrong is answered to it; the library's own words for it are not told on our terminal.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        if context is not None and not isinstance(context, ssl.SSLContext):
            config.http_protocol_class = partial(_fronted, context)  # type: ignore[assignment]
        elif context is not None:
            # uvicorn would read the key from files; ours are never left on disk.
            config.ssl = context
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="bifente-tls", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _STARTED_WITHIN
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.close()
                raise ServingError("the HTTPS service did not start: look at what stands above, or try another port")
            time.sleep(_LOOK)

    @property
    def url(self) -> str:
        """Where it answers, without a final slash."""
        return f"{self._scheme}://{LOOPBACK}:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive()

    def __enter__(self) -> LoopbackServer:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering: calls under way have a few seconds to end."""
        self._server.should_exit = True
        self._thread.join(2 * _STOPPED_WITHIN)
        self._socket.close()


def _fronted(front: TlsFront, config: uvicorn.Config, server_state: Any, app_state: Any, _loop: Any = None) -> Shaken:
    """Return what stands between a connection and the protocol that uvicorn would have put there."""
    from bifente.simulator.serving.handshake.front import Shaken  # what no server without certificates waits for

    def inner(seen: Callable[[Any], Any]) -> asyncio.Protocol:
        protocol = H11Protocol(config, server_state, app_state, _loop)
        protocol.app = seen(config.loaded_app)
        return protocol

    return Shaken(front, inner)


def _bound(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen(64)
    except (OSError, OverflowError) as error:
        listening.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise ServingError(f"port {port} is taken: give another by --port, or 0 for any free one") from None
        raise ServingError(f"port {port} cannot be served: {error}") from None
    return listening
