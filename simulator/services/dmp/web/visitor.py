"""Who visits the web site: the holder of the card whose certificate opened the connection, at a place of practice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from bifente.ground.text import Text
from bifente.simulator.formats.vihf.model import AccessPurpose
from bifente.simulator.services.dmp.access import denied
from bifente.simulator.services.dmp.calling import of_certificate
from bifente.simulator.services.dmp.register import DmpRegister
from bifente.simulator.services.dmp.requester import Requester
from bifente.simulator.services.dmp.rights import Calling


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor. ``structures`` are its places of practice; ``structure`` the one it works in, empty until chosen."""

    id: str
    name: str
    calling: Calling
    structures: tuple[str, ...]
    structure: str

    def requester(self, ins: str = "", oid: str = "") -> Requester:
        """Return it as whoever asks something of a record."""
        return Requester(
            self.id, self.name, self.structure, self.calling, AccessPurpose.NORMAL, patient=ins, oid=oid, software="web"
        )


def visitor_of(register: DmpRegister, chain: Sequence[x509.Certificate]) -> Visitor:
    """Return the visitor of a connection. Raise DmpRefusalError without a card, or for one that is in no directory."""
    if not chain:
        raise denied(
            Text(
                "authentification directe : ouvrir la page avec la carte du professionnel",
                "direct authentication: open the page with the professional's card",
            )
        )
    certificate = chain[0]
    calling = of_certificate(certificate)
    if calling is Calling.OTHER:
        raise denied(
            Text(
                "ce certificat n'est pas celui d'une carte CPS, CPF ou CPE",
                "this certificate is not that of a CPS, CPF or CPE card",
            )
        )
    who = _said(certificate, NameOID.COMMON_NAME)
    linked = register.links(who)
    if linked is None:
        raise denied(Text("ce porteur n'est dans aucun annuaire", "this holder is in no directory"))
    structures = tuple(linked)
    chosen = register.situations.get(who, structures[0] if len(structures) == 1 else "")
    name = f"{_said(certificate, NameOID.GIVEN_NAME)} {_said(certificate, NameOID.SURNAME)}".strip()
    return Visitor(who, name or who, calling, structures, chosen if chosen in structures else "")


def _said(certificate: x509.Certificate, name: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(name)
    return str(found[0].value) if found else ""
