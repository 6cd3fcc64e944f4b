"""The portals on a port of this machine, asking for the card's certificate; the component beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.conformance.domains.pki.serving import client_judge, points
from bifente.simulator.middleware.srvsvcnam.authority import identity
from bifente.simulator.middleware.srvsvcnam.component import SrvSvCnam, VitaleAnswer
from bifente.simulator.services.portal.service import Portal
from bifente.simulator.serving.client_certificates import ClientCertificates
from bifente.simulator.serving.handshake.front import TlsFront
from bifente.simulator.serving.handshake.terms import LPS
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import recorded
from bifente.simulator.serving.service import Asgi
from bifente.simulator.serving.tls import ServerIdentity


@dataclass(frozen=True)
class ExampleReading:
    """What the component reads where no reader is at hand: two groups of a laboratory's Vitale."""

    code: int = 0

    @cached_property
    def zone(self) -> bytes:
        """An insured person and nobody else."""
        from bifente.simulator.zones import encode, unnamed

        insured = {"card-type": "T", "nir": "1801975349002", "nir-key": "19", "regime": "01", "caisse": "349"}
        one = {"usual-name": "TESTFAMILLE", "first-name": "PAUL", "birth-date": "198003120000", "quality": "0"}
        return encode([unnamed(101, insured), unnamed(104, one)])


def start(around: ServingBench) -> ServedService:
    """Serve the portals, and a component that reads an example. Raise ServingError."""
    found = ServedPortal(around, ExampleReading)
    found.start_component()
    return ServedService(found.settings, services=(found.portal, found.component, points(around)))


class ServedPortal:
    """The portals, and a component that can be started and stopped. ``read`` reads the Vitale for it."""

    def __init__(self, around: ServingBench, read: Callable[[], VitaleAnswer], *, required: bool = True) -> None:
        self._around = around
        self._local = identity(around.keys, around.clock.now())
        self._servers: list[LoopbackServer] = []
        # The component's port is known before it answers, as on a workstation where it is always the same.
        probe = LoopbackServer(_nothing, self._local.context(), around.port + 1 if around.port else 0)
        self._port = probe.port
        probe.close()
        judge = client_judge(around)
        server = ServerIdentity.make(around.pki, around.keys, around.clock.now())
        clients = ClientCertificates(judge, required=required, peer=Portal.name, hear=around.hear)
        self.portal = portal = Portal(
            around.clock, judge.complaint, f"https://127.0.0.1:{self._port}", lambda: self._local.trust
        )
        front = TlsFront(server, clients, LPS)
        served = LoopbackServer(recorded(portal, around.clock, around.hear), front, around.port)
        around.stack.callback(served.close)
        around.stack.callback(self.stop_component)
        self.url = served.url.replace("127.0.0.1", "localhost")
        self.component = SrvSvCnam(read, [self.url])
        (around.folder / "ca.pem").write_bytes(server.trust)
        (around.folder / "srvsvcnam.pem").write_bytes(self._local.trust)

    @property
    def settings(self) -> dict[str, str]:
        """What whoever opens them needs."""
        return {
            "ameli": f"{self.url}/ameli",
            "webps": f"{self.url}/webps",
            "ca": str(self._around.folder / "ca.pem"),
            "component": f"https://127.0.0.1:{self._port}",
            "component ca": str(self._around.folder / "srvsvcnam.pem"),
        }

    def start_component(self) -> None:
        """Start the component. Raise ServingError."""
        application: Asgi = recorded(self.component, self._around.clock, self._around.hear)
        self._servers.append(LoopbackServer(application, self._local.context(), self._port))

    def stop_component(self) -> None:
        """Stop it."""
        while self._servers:
            self._servers.pop().close()


async def _nothing(scope: object, receive: object, send: object) -> None:
    """Answer nothing."""
