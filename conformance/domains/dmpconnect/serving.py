"""DmpConnect-JS on a port of this machine, beside the cards of a live bench: what a page of a software calls."""

from __future__ import annotations

from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.conformance.domains.dmpconnect.workplace import SceneWorkplace
from bifente.conformance.domains.ins.bench import InsBench
from bifente.simulator.middleware.dmpconnect.service import DmpConnectJs
from bifente.simulator.serving.loopback import LoopbackServer, ServingError
from bifente.simulator.serving.recording import recorded
from bifente.simulator.serving.tls import ServerIdentity


def start(around: ServingBench) -> ServedService:
    """Serve it by WebSocket and HTTPS. Raise ServingError, also where no card is beside it."""
    scene = around.scene
    if scene is None:
        raise ServingError("dmpconnect reads the cards of a workstation: bifente up or observe --services dmpconnect")
    ins = scene.part(InsBench)
    service = DmpConnectJs(SceneWorkplace(scene), around.clock, ins.identifier, around.declare, hear=around.hear)
    identity = ServerIdentity.make(around.pki, around.keys, around.clock.now())
    application = recorded(service, around.clock, around.hear)
    server = LoopbackServer(application, identity.context(), around.port)
    around.stack.callback(server.close)
    ca = around.folder / "dmpconnect-ca.pem"
    ca.write_bytes(identity.trust)
    address = server.url.replace("127.0.0.1", "localhost")
    settings = {"url": address, "socket": f"{address.replace('https', 'wss', 1)}/", "ca": str(ca)}
    return ServedService(settings, (service,))
