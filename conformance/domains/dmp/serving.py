"""The DMP on a port of this machine, for a software of anybody's: its addresses, whose records, who may sign."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Collection
from datetime import date
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.conformance.domains.dmp.laboratory import charts_of, service_of
from bifente.conformance.domains.dmp.section import DmpSection
from bifente.conformance.domains.dmp.signers import LABORATORY_KEY, laboratory_user
from bifente.conformance.domains.pki.serving import client_judge
from bifente.ground.identifiers import nir_key
from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.services.dmp.app import BASE, ENDPOINTS
from bifente.simulator.services.dmp.judging import findings
from bifente.simulator.services.dmp.record import DmpPatient
from bifente.simulator.services.dmp.register import KnownProfessional
from bifente.simulator.services.dmp.service import DmpService
from bifente.simulator.services.insi.population import laboratory
from bifente.simulator.serving.client_certificates import ClientCertificates
from bifente.simulator.serving.handshake.front import TlsFront
from bifente.simulator.serving.handshake.terms import LPS
from bifente.simulator.serving.identities import GivesIdentities
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import recorded
from bifente.simulator.serving.tls import ServerIdentity

_RPPS = "8"
"""What a national identifier begins with when it is an RPPS number."""
_SOFTWARE = ("treating-doctor", "nurse", "structure")
"""Those of the laboratory whose certificates a software is given."""


def start(around: ServingBench) -> ServedService:
    """Serve the DMP. Raise ServingError.

    A client certificate may be shown and is judged then: the assertion must be of whom it names.
    """
    section = around.section(DmpSection) or DmpSection()

    def new_id() -> str:
        return str(uuid.UUID(int=around.chance.getrandbits(128), version=4))

    service = service_of(section, around.clock, around.pki, new_id, around.declare)
    _know_the_cards(service)
    charts = charts_of(section, service)
    _open_for_insured(service)
    clients = ClientCertificates(client_judge(around), required=False, peer=DmpService.name, hear=around.hear)
    identity = ServerIdentity.make(around.pki, around.keys, around.clock.now())
    server = LoopbackServer(recorded(service, around.clock, around.hear), TlsFront(identity, clients, LPS), around.port)
    around.stack.callback(server.close)
    (around.folder / "dmp-ca.pem").write_bytes(identity.trust)
    settings = {
        "url": f"{server.url}{BASE}",
        **{f"wsdl {name}": f"{server.url}{BASE}/{name}?wsdl" for name in ENDPOINTS},
        "ca": str(around.folder / "dmp-ca.pem"),
        **_signers(around),
        "found by insi": "TESTINS ALICE and everybody else that the laboratory's INSi knows",
        **{f"patient {name}": f"{chart.ins.written}, {chart.family}, {chart.given}" for name, chart in charts.items()},
    }
    path = around.folder / "dmp.json"
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return ServedService(settings | {"settings": str(path)}, (service,), lambda: _told(service, around))


def _know_the_cards(service: DmpService) -> None:
    """Whoever holds a card of the bench's templates is known, at each place of practice."""
    for template in shipped_templates().values():
        holder, places = template.holder, [one for one in template.activities if one.structure_id]
        if holder.rpps is None:
            continue
        service.register.know(
            KnownProfessional(
                f"{_RPPS}{holder.rpps}",
                holder.family_name or "",
                " ".join(holder.given_names or ()),
                {str(one.structure_id): one.sector or "" for one in places},
                f"G15_{holder.profession.code}/{holder.speciality}" if holder.profession and holder.speciality else "",
            ),
            {str(one.structure_id): one.structure or "" for one in places},
        )


def _signers(around: ServingBench) -> dict[str, str]:
    """The key of the laboratory, and who may sign and shake hands with it."""
    workshop = Workshop(around.keys)
    key = around.keys.key(LABORATORY_KEY).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    told = {"key": str(_kept(around.folder / "dmp-key.pem", key))}
    for who in _SOFTWARE:
        user = laboratory_user(workshop, who, around.clock.now().date())
        signs = x509.load_der_x509_certificate(user.signer.certificate).public_bytes(Encoding.PEM)
        shakes = b"".join(one.public_bytes(Encoding.PEM) for one in user.presented)
        told[f"{who} signs"] = str(_kept(around.folder / f"dmp-{who}-signature.pem", signs))
        told[f"{who} tls"] = str(_kept(around.folder / f"dmp-{who}-tls.pem", shakes))
    return told


def _kept(path: Path, pem: bytes) -> Path:
    """A file for its user alone."""
    path.touch(0o600)
    path.write_bytes(pem)
    return path


def _open_for_insured(service: DmpService) -> None:
    """Whoever the laboratory's INSi knows has a record too: what a software finds there it finds here."""
    for one in laboratory():
        held = one.active.matricule
        whole = held.number + (held.key or nir_key(held.number))
        if whole not in service.register.records:
            service.register.open(
                DmpPatient(
                    whole,
                    one.active.oid,
                    one.name,
                    " ".join(one.given),
                    one.sex,
                    date.fromisoformat(one.birth_date),
                    one.birth_place,
                )
            )


def _told(service: DmpService, around: ServingBench) -> list[str]:
    actions = Counter(call.action for call in service.log)
    lines = [f"dmp : {len(service.log)} appels ({', '.join(f'{name} ×{n}' for name, n in actions.items())})"]
    lines += [f"dmp, {one.at:%H:%M:%S} : {one.text.fr}" for one in findings(service, _given(around))]
    return lines if service.log else []


def _given(around: ServingBench) -> Collection[str] | None:
    """The numbers that an INSi beside it gave; None where none is served, and so no search is seen."""
    beside = (one for served in around.beside.values() for one in served.services)
    found = [one.identities for one in beside if isinstance(one, GivesIdentities)]
    return {number for numbers in found for number in numbers} if found else None
