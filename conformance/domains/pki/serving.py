"""The PKI as ``bifente serve`` has it: its points on a port, in clear, as the certificates of the field have them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.ground.text import Text
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.judging import CertificateJudge, Purpose, authorities_of
from bifente.simulator.pki.keystore import OtherKeys
from bifente.simulator.pki.revocation import CrlSource, OcspSource, SourcesInTurn
from bifente.simulator.services.pki import PkiService
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.fetching import fetching
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import recorded
from bifente.simulator.serving.service import Asgi


def start(bench: ServingBench) -> ServedService:
    """Serve lists and OCSP. Raise ServingError."""
    service, asked = points(bench), Counter[str]()
    application = _counting(recorded(service, bench.clock, bench.hear), asked)
    url = bench.stack.enter_context(LoopbackServer(application, None, bench.port)).url
    known = authorities_of(bench.pki)
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (*known.authorities, *known.roots))
    (bench.folder / "igc-sante-test.pem").write_bytes(chain)
    stems = [bench.pki.authority(level, branch).stem for level in CertificateLevel for branch in Branch]
    return ServedService(
        {
            "ocsp": f"{url}/ocsp",
            **{f"crl {stem}": f"{url}/CRL/{stem}.crl" for stem in stems},
            "authorities": str(bench.folder / "igc-sante-test.pem"),
        },
        (service,),
        lambda: [] if asked else [NOT_ASKED.fr],
    )


NOT_ASKED = Text(
    "pki : aucun logiciel n'a demandé l'état d'un certificat (PKI-06) ; interroger l'OCSP, ou la liste de révocation",
    "pki: no software asked for the status of a certificate (PKI-06); ask OCSP, or the revocation list",
)


def _counting(application: Asgi, asked: Counter[str]) -> Asgi:
    """Return an application that counts by path what comes in at the port: what services ask inside is not counted."""

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(("/ocsp", "/CRL/")):
            asked[scope["path"].split("/")[1]] += 1
        await application(scope, receive, send)

    return counted


def points(bench: ServingBench) -> PkiService:
    """Return the points of the PKI that every service of this command asks, whether it is served itself or not."""
    foreign = OtherKeys(bench.keys, "foreign")
    return bench.shared(PkiService, lambda: PkiService(bench.pki, Pki(foreign), bench.clock, bench.declare))


def client_judge(bench: ServingBench) -> CertificateJudge:
    """Return who judges the certificates of clients: their status asked by OCSP, else of the lists."""
    caller = in_process(recorded(points(bench), bench.clock, bench.hear))
    bench.stack.callback(caller.close)
    fetch = fetching(caller, bench.clock)
    status = SourcesInTurn((OcspSource(fetch), CrlSource(fetch)))
    return CertificateJudge(authorities_of(bench.pki), bench.clock, Purpose.CLIENT, status)
