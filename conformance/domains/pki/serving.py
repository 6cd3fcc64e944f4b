"""The PKI as ``bifente serve`` has it: its points on a port, in clear, as the certificates of the field have them."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding

from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.judging import authorities_of
from bifente.simulator.pki.keystore import OtherKeys
from bifente.simulator.services.pki import PkiService
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import recorded


def start(bench: ServingBench) -> ServedService:
    """Serve lists and OCSP. Raise ServingError."""
    service = PkiService(bench.pki, Pki(OtherKeys(bench.keys, "foreign")), bench.clock, bench.declare)
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
        }
    )
