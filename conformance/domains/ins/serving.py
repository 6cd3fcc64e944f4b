"""INSi on a port of this machine, for a software of anybody's: its address, its files, whom it may search."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.conformance.domains.ins.laboratory import (
    PROFESSIONAL_KEY,
    STRUCTURE_KEY,
    professional_certificate,
    structure_certificate,
    trust_of,
)
from bifente.conformance.domains.ins.section import InsSection
from bifente.conformance.domains.pki.serving import client_judge
from bifente.simulator.pki.authority import CertificateLevel
from bifente.simulator.services.insi.app import PATH
from bifente.simulator.services.insi.conduct import judged
from bifente.simulator.services.insi.parameters import InsiParameters
from bifente.simulator.services.insi.population import laboratory
from bifente.simulator.services.insi.service import Insi
from bifente.simulator.serving.client_certificates import ClientCertificates
from bifente.simulator.serving.handshake.front import TlsFront
from bifente.simulator.serving.handshake.terms import LPS
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import recorded
from bifente.simulator.serving.tls import ServerIdentity


def start(around: ServingBench) -> ServedService:
    """Serve INSi. Raise ServingError.

    A client certificate may be shown and is judged then: that of a structure opens INSi by itself.
    """
    section = around.section(InsSection) or InsSection()
    people = laboratory()
    for row in section.people:
        people = people.with_row(row)
    parameters = InsiParameters(software=frozenset({section.idam}), quirks=frozenset(section.quirks))
    service = Insi(around.clock, trust_of(around.pki, around.clock), people, parameters, around.declare)
    clients = ClientCertificates(client_judge(around), required=False, peer=Insi.name, hear=around.hear)
    identity = ServerIdentity.make(around.pki, around.keys, around.clock.now())
    server = LoopbackServer(recorded(service, around.clock, around.hear), TlsFront(identity, clients, LPS), around.port)
    around.stack.callback(server.close)
    (around.folder / "ca.pem").write_bytes(identity.trust)
    return ServedService(_settings(around, section, f"{server.url}{PATH}"), (service,), lambda: _told(service))


def _settings(around: ServingBench, section: InsSection, url: str) -> dict[str, str]:
    now, pki, keys = around.clock.now(), around.pki, around.keys
    structure = structure_certificate(pki, keys, "INSI-AUTO", CertificateLevel.ELEMENTAIRE, now)
    professional = professional_certificate(pki, keys, now)
    settings = {
        "url": url,
        "wsdl": f"{url}?wsdl",
        "idam": section.idam,
        "ca": str(around.folder / "ca.pem"),
        "structure": str(_kept(around.folder / "insi-auto.pem", keys.key(STRUCTURE_KEY), structure)),
        "professional": str(_kept(around.folder / "medecin-signature.pem", keys.key(PROFESSIONAL_KEY), professional)),
        "found": "TESTINS, ALICE, F, 1980-03-12",
        "several": "TESTHOMONYME, JEAN, M, 1962-11-30",
        "history": "TESTDATES, PIERRE-ALAIN, M, 2009-07-14",
    }
    path = around.folder / "insi.json"
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return settings | {"settings": str(path)}


def _kept(path: Path, key: RSAPrivateKey, certificate: x509.Certificate) -> Path:
    """A laboratory key and its certificate, for their user alone."""
    path.touch(0o600)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
    return path


def _told(service: Insi) -> list[str]:
    events = service.events
    lines = [f"insi : {len(events)} demandes"] if events else []
    lines += [f"insi, demande {one.request} : {one.rule.says.fr} ; {one.rule.cure.fr}" for one in judged(events)]
    return lines
