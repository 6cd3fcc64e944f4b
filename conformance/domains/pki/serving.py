"""The PKI as ``bifente serve`` has it: its points on a port, in clear, as the certificates of the field have them."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding

from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.judging import CertificateJudge, Purpose, authorities_of
from bifente.simulator.pki.keystore import OtherKeys
from bifente.simulator.pki.revocation import CrlSource, OcspSource, SourcesInTurn
from bifente.simulator.services.pki import PkiService
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.fetching import fetching
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import recorded


def start(bench: ServingBench) -> ServedService:
    """Serve lists and OCSP. Raise ServingError."""
    service = points(bench)
    application = recorded(service, bench.clock, bench.hear)
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
    )


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
