"""What ``bifente serve --services`` gives to the services of a domain: ports, keys, a clock, and the record.

A domain names its services in its descriptor (``Domain.services``): each leads to a function that is given the desk,
serves what it has to serve, and says what software must be told to use it::

    def serve(desk: ServingDesk) -> Mapping[str, str]:
        service = Agenda(desk.random, desk.declare)
        url = desk.serve(recorded(service, desk.clock, desk.hear))
        return {"url": url, "ca": str(desk.ca)}
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from bifente.conformance.bench.cards import Workshop
from bifente.ground.clock import Clock

if TYPE_CHECKING:
    import ssl

    from bifente.simulator.serving.client_certificates import ClientCertificates
    from bifente.simulator.serving.handshake.terms import TlsTerms
    from bifente.simulator.serving.loopback import LoopbackServer
    from bifente.simulator.serving.recording import Hear
    from bifente.simulator.serving.service import Asgi, Declare
    from bifente.simulator.serving.tls import ServerIdentity

Told = Mapping[str, str]
"""What software must be told to use a service, by keys in kebab-case: ``url``, ``api-key``, ``ca`` ..."""


class DeskPart(Protocol):
    """Something that several services share: the PKI, a directory. Made when it is first asked for."""

    @classmethod
    def at(cls, desk: ServingDesk) -> Self:
        """Return the part of a desk."""
        ...


P = TypeVar("P", bound=DeskPart)


class ServingDesk:
    """One ``bifente serve``. ``stack`` closes what was opened, ``folder`` holds the files that software is given.

    ``port`` is where the first service is, the next ones follow; 0 takes free ones.
    """

    def __init__(
        self,
        stack: ExitStack,
        folder: Path,
        workshop: Workshop,
        clock: Clock,
        declare: Declare,
        hear: Hear,
        port: int = 0,
    ) -> None:
        self.stack = stack
        self.folder = folder
        self.workshop = workshop
        self.clock = clock
        self.declare = declare
        self.hear = hear
        self.random: random.Random = random.SystemRandom()
        self.servers: list[LoopbackServer] = []
        self._port = port
        self._parts: dict[type[DeskPart], DeskPart] = {}

    def part(self, kind: type[P]) -> P:
        """Return the part of this kind, made now if this is the first time."""
        if kind not in self._parts:
            self._parts[kind] = kind.at(self)
        found = self._parts[kind]
        assert isinstance(found, kind)  # noqa: S101 - what is filed under a kind is of it
        return found

    @cached_property
    def identity(self) -> ServerIdentity:
        """What every service shows: a certificate for localhost and 127.0.0.1."""
        from bifente.simulator.serving.tls import ServerIdentity

        return ServerIdentity.make(self.workshop.pki, self.workshop.keys, self.clock.now())

    @cached_property
    def ca(self) -> Path:
        """The file of the authority that software has to trust."""
        return self.file("ca.pem", self.identity.trust)

    def serve(
        self,
        application: Asgi,
        *,
        clients: ClientCertificates | None = None,
        terms: TlsTerms | None = None,
        clear: bool = False,
    ) -> str:
        """Serve an application and return its address. With ``clients`` it asks for certificates, ``clear`` is HTTP.

        Raise ServingError.
        """
        from bifente.simulator.serving.handshake.front import TlsFront
        from bifente.simulator.serving.handshake.terms import WEB
        from bifente.simulator.serving.loopback import LoopbackServer

        context: ssl.SSLContext | TlsFront | None = None
        if clients is not None or terms is not None:
            context = TlsFront(self.identity, clients, terms or WEB)
        elif not clear:
            context = self.identity.context()
        server = self.stack.enter_context(LoopbackServer(application, context, self.next_port()))
        self.servers.append(server)
        return server.url

    def next_port(self) -> int:
        """Return the port of the next service, 0 for any free one."""
        port, self._port = self._port, self._port + 1 if self._port else 0
        return port

    def file(self, name: str, content: bytes) -> Path:
        """Write a file for this user alone, whole at any moment, and return it. Raise OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{name}-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).replace(self.folder / name)
        return self.folder / name

    def dead(self) -> bool:
        """Whether one of the services has stopped by itself."""
        return any(not server.alive for server in self.servers)


Serve = Callable[[ServingDesk], Told]
"""Starts one service at a desk."""
