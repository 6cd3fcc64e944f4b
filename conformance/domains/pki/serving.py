"""The PKI as ``bifente serve`` has it: its points on a port, and judges for the other services that stand beside it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from cryptography.hazmat.primitives.serialization import Encoding

from bifente.conformance.bench.serving import ServingDesk, Told
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.judging import CertificateJudge, Purpose, authorities_of
from bifente.simulator.pki.keystore import OtherKeys
from bifente.simulator.pki.revocation import OcspSource
from bifente.simulator.services.pki import PkiService
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.fetching import fetching
from bifente.simulator.serving.recording import recorded


class PkiAtDesk:
    """The laboratory IGC-Santé of one ``bifente serve``: services that ask for certificates take their judge here."""

    def __init__(self, desk: ServingDesk) -> None:
        self._desk = desk
        foreign = Pki(OtherKeys(desk.workshop.keys, "foreign"))
        self.service = PkiService(desk.workshop.pki, foreign, desk.clock, desk.declare)

    @classmethod
    def at(cls, desk: ServingDesk) -> PkiAtDesk:
        """Return the PKI of a desk."""
        return cls(desk)

    @cached_property
    def url(self) -> str:
        """Where its points are; served when this is first asked."""
        return self._desk.serve(recorded(self.service, self._desk.clock, self._desk.hear), clear=True)

    def judge(self, purpose: Purpose = Purpose.CLIENT, branches: Iterable[Branch] = Branch) -> CertificateJudge:
        """Return a judge that asks the responder of this desk, in process."""
        fetch = fetching(in_process(self.service.application), self._desk.clock)
        trusted = authorities_of(self._desk.workshop.pki, branches=branches)
        return CertificateJudge(trusted, self._desk.clock, purpose, OcspSource(fetch))


def serve(desk: ServingDesk) -> Told:
    """Serve lists and OCSP in clear, as the certificates of the field have them."""
    pki = desk.part(PkiAtDesk)
    authorities = authorities_of(desk.workshop.pki)
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (*authorities.authorities, *authorities.roots))
    stems = [desk.workshop.pki.authority(level, branch).stem for level in CertificateLevel for branch in Branch]
    return {
        "ocsp": f"{pki.url}/ocsp",
        **{f"crl-{stem.lower()}": f"{pki.url}/CRL/{stem}.crl" for stem in stems},
        "authorities": str(desk.file("igc-sante-test.pem", chain)),
    }
