"""The provider on ports of this machine, for a software of anybody's: its hosts, its files, its test user."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.conformance.domains.pki.serving import client_judge, points
from bifente.conformance.domains.psc.section import PscSection
from bifente.simulator.services.psc.addresses import Addresses, Face
from bifente.simulator.services.psc.service import PscService
from bifente.simulator.serving.client_certificates import ClientCertificates
from bifente.simulator.serving.handshake.front import TlsFront
from bifente.simulator.serving.handshake.terms import LPS
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import recorded
from bifente.simulator.serving.service import Asgi
from bifente.simulator.serving.tls import ServerIdentity

PHONE = "telephone-1"
_WITH_CERTIFICATE = frozenset({Face.MTLS, Face.AUTH, Face.API})
"""Hosts that ask for a client certificate, and let in who has none: it is for the service to say what that opens.

They speak TLS 1.2, which is what Pro Santé Connect documents: in TLS 1.3 a CPS3, which does no PSS, cannot sign.
"""


class _Later:
    """The application of hosts that are bound before the provider knows their ports."""

    application: Asgi

    async def __call__(self, scope: dict[str, object], receive: object, send: object) -> None:
        await self.application(scope, receive, send)


def start(around: ServingBench) -> ServedService:
    """Serve the provider. Raise ServingError."""
    service = serve(around)
    return ServedService(_settings(around, service), (service, points(around)), lambda: _told(service))


def serve(around: ServingBench) -> PscService:
    """Serve the provider, its first professional's e-CPS active. Raise ServingError."""
    section = around.section(PscSection) or PscSection()
    later, judge = _Later(), client_judge(around)
    identity = ServerIdentity.make(around.pki, around.keys, around.clock.now())
    clients = ClientCertificates(judge, required=False, peer=PscService.name, hear=around.hear)
    bases = {}
    for rank, face in enumerate(Face):
        context = TlsFront(identity, clients, LPS) if face in _WITH_CERTIFICATE else identity.context()
        server = LoopbackServer(later, context, around.port + rank if around.port else 0)
        around.stack.callback(server.close)
        bases[face.value] = f"https://localhost:{server.port}"
    service = PscService(
        around.clock,
        around.keys,
        around.chance,
        section.registry(),
        section.parameters(),
        Addresses(**bases),
        declare=around.declare,
        believes=judge.complaint,
    )
    later.application = recorded(service, around.clock, around.hear)
    first = service.core.registry.professionals[0]
    service.core.ecps.activate_by_card(PHONE, first, first.id)
    (around.folder / "ca.pem").write_bytes(identity.trust)
    return service


def _settings(around: ServingBench, service: PscService) -> dict[str, str]:
    core, folder = service.core, around.folder
    # What a file brings is what its author configures: before the laboratory's.
    own = around.section(PscSection) or PscSection()
    client, first = (*own.clients, *core.registry.clients)[0], core.registry.professionals[0]
    settings = {
        "discovery": core.addresses.discovery,
        "issuer": core.addresses.issuer,
        "client_id": client.id,
        "client_secret": client.secret or "",
        "redirect_uri": " ".join(client.redirect_uris),
        "post_logout_redirect_uri": " ".join(client.post_logout_redirect_uris),
        "scope": "openid scope_all",
        "acr_values": "eidas1",
        "ca": str(folder / "ca.pem"),
        "user": first.id,
        "phone": f"{core.addresses.wallet}/bifente/telephone/{PHONE}",
        "activation": f"{core.addresses.wallet}/",
        "api": f"{core.addresses.api}/auth/realms/api/protocol/openid-connect/token",
    }
    for one in core.registry.clients:
        if one.subject is not None:
            settings[f"certificate of {one.id}"] = str(_certificate(around, one.subject))
        if one.authentication == "private_key_jwt" and not one.keys:
            key = around.keys.key(one.key_name)
            settings[f"key of {one.id}"] = str(_written(around, f"{one.id}-key.pem", _pem(key)))
    path = folder / "psc.json"
    path.touch(0o600)
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return settings | {"settings": str(path)}


def _certificate(around: ServingBench, name: str) -> Path:
    from bifente.conformance.domains.psc.certificates import organisation_certificate

    key = around.keys.key(f"psc/organisation/{name}")
    chain = organisation_certificate(around.pki, key.public_key(), around.clock.now(), name)
    return _written(around, f"{name}.pem", _pem(key) + b"".join(one.public_bytes(Encoding.PEM) for one in chain[:-1]))


def _pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _written(around: ServingBench, name: str, content: bytes) -> Path:
    path = around.folder / name
    path.touch(0o600)
    path.write_bytes(content)
    return path


def _told(service: PscService) -> list[str]:
    lines = []
    for client in service.core.registry.clients:
        for found in service.findings(client.id):
            rule = found.rule
            lines.append(f"{client.id} : {rule.text.fr} (×{found.times}, {rule.requirement}) ; {rule.cure.fr}")
    return lines
