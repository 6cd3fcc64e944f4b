"""DmpConnect-JS on a port of this machine, for a page of anybody's: cards in a reader, INSi and the DMP behind it."""

from __future__ import annotations

import json
import random
import uuid
from contextlib import suppress

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device
from bifente.conformance.bench.scene import Scene
from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.conformance.domains.dmpconnect.section import DmpConnectSection
from bifente.conformance.domains.dmpconnect.workplace import SceneWorkplace
from bifente.conformance.domains.ins.bench import InsBench
from bifente.simulator.middleware.dmpconnect.judging import page_findings
from bifente.simulator.middleware.dmpconnect.service import DmpConnectJs
from bifente.simulator.services.dmp.service import DmpService
from bifente.simulator.services.insi.service import Insi
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import recorded
from bifente.simulator.serving.tls import ServerIdentity

HOST = "localhost.icanopee.net"
"""The name by which pages reach it; it leads to this machine where a hosts file says so."""


def start(around: ServingBench) -> ServedService:
    """Serve DmpConnect-JS. Raise ServingError.

    Its cards are those of the live bench beside it, else its own. INSi and the DMP are those that are served beside it,
    else its own; ``ins`` and ``dmp`` of the file hold for these, another service's address included.
    """
    section = around.section(DmpConnectSection) or DmpConnectSection()
    scene = around.scene or _own(around, section)
    workplace = SceneWorkplace(scene)
    around.stack.callback(workplace.close)
    service = DmpConnectJs(
        workplace,
        around.clock,
        lambda: str(uuid.UUID(int=scene.random.getrandbits(128), version=4)),
        around.declare,
        origins=tuple(section.origins),
        hear=around.hear,
    )
    service.set_state({"owner": section.owner, "tokens": section.tokens})
    identity = ServerIdentity.make(around.pki, around.keys, around.clock.now(), HOST)
    server = LoopbackServer(recorded(service, around.clock, around.hear), identity.context(), around.port)
    around.stack.callback(server.close)
    (around.folder / "dmpconnect-ca.pem").write_bytes(identity.trust)
    around.afterwards.append(lambda: _join(around, scene, workplace))
    address = server.url.replace("127.0.0.1", "localhost")
    card = scene.bench.seated.get("cps") if around.scene is None else None
    settings = {
        "url": address,
        "socket": f"{address.replace('https', 'wss', 1)}/",
        "api": f"{address}/api/<command in lower case>",
        "host": f"{HOST}:{server.port} (127.0.0.1 {HOST} in the hosts file)",
        "ca": str(around.folder / "dmpconnect-ca.pem"),
        **({"code": str(card.facts.get("code", ""))} if card is not None else {}),
    }
    (around.folder / "dmpconnect.json").write_text(
        json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return ServedService(settings, (service,), lambda: _told(service))


def _own(around: ServingBench, section: DmpConnectSection) -> Scene:
    """A workstation of its own, where it stands beside none."""
    device = Device.assemble(section.profile, section.choices, Workshop(around.keys))
    around.stack.callback(device.close)
    scene = Scene(
        device.bench,
        random.Random(around.chance.getrandbits(64)),  # noqa: S311 - identifiers of a laboratory
        lambda role, told: None,
        lambda role, what: None,
        sections=around.said,
        declare=around.declare,
    )
    around.stack.callback(scene.close)
    return scene


def _join(around: ServingBench, scene: Scene, workplace: SceneWorkplace) -> None:
    """Let it stand on the INSi and the DMP that are served beside it."""
    beside = [one for served in around.beside.values() for one in served.services]
    for one in beside:
        if isinstance(one, Insi):
            scene.part(InsBench).use(one)
        elif isinstance(one, DmpService):
            workplace.dmp.use(one)
    with suppress(KeyError):
        url = around.beside["dmp"].settings["url"]
        workplace.reach.web = url.partition("/si-dmp-server")[0]


def _told(service: DmpConnectJs) -> list[str]:
    lines = [f"dmpconnect : {len(service.log)} commandes"] if service.log else []
    return lines + [f"dmpconnect, {one.at:%H:%M:%S} : {one.text.fr}" for one in page_findings(service.log)]
