"""In whose name the software speaks to the DMP."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cryptography import x509

from bifente.simulator.formats.cda import CdaOrganisation, CdaPerson
from bifente.simulator.formats.vihf import AuthenticationMode, VihfRole
from bifente.simulator.formats.vihf import names as vihf_names
from bifente.simulator.formats.xds.model import DocumentAuthor
from bifente.simulator.formats.xmldsig import XmlSigner
from bifente.simulator.formats.xmldsig.certificates import certificate_of

SECRETARY = VihfRole("SECRETARIAT_MEDICAL", "1.2.250.1.213.1.1.4.6", "Secrétariat médical")
AUTOMATON = VihfRole("AUTOMATE", "1.2.250.1.213.1.1.4.6", "Automate")
_NAME_SIGNS = re.compile(r"[^A-Za-zÀ-ÿ0-9' -]")


@dataclass(frozen=True, slots=True)
class LpsUser:
    """A professional or an employee in one practice location, or a structure; ``signer`` holds the signature key.

    ``presented`` is the certificate shown in TLS, its own first.
    """

    id: str
    family: str
    given: str
    profession: str
    speciality: str
    structure: str
    structure_name: str
    sector: str
    signer: XmlSigner = field(repr=False)
    mode: AuthenticationMode = AuthenticationMode.DIRECT
    declaration: str = ""
    role: VihfRole | None = None
    presented: tuple[x509.Certificate, ...] = field(default=(), repr=False)

    @property
    def issuer(self) -> str:
        """Return the name of the signature certificate."""
        return certificate_of(self.signer.certificate).subject.rfc4514_string()

    @property
    def roles(self) -> tuple[VihfRole, ...]:
        """Return profession and speciality, or the one role of who has none."""
        if self.role is not None:
            return (self.role,)
        found = [VihfRole(self.profession, vihf_names.PROFESSIONS, "")]
        if self.speciality:
            found.append(VihfRole(self.speciality, vihf_names.SPECIALITIES, ""))
        return tuple(found)

    @property
    def speciality_code(self) -> str:
        """Return profession and speciality as CDA and XDS write them."""
        if self.role is not None:
            return self.role.code
        return f"G15_{self.profession}" + (f"/{self.speciality}" if self.speciality else "")

    @property
    def author(self) -> DocumentAuthor:
        """Return it as the author of metadata."""
        person = f"{self.id}^{self.family}^{self.given}^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
        place = f"{self.structure_name}^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^{self.structure}"
        return DocumentAuthor(person, (place,), "", f"{self.speciality_code}^^1.2.250.1.213.1.1.4.5")

    @property
    def person(self) -> CdaPerson:
        """Return it as the author of a document."""
        organisation = CdaOrganisation(self.structure, self.structure_name)
        return CdaPerson(self.id, self.family, self.given, self.speciality_code, self.speciality_code, organisation)


def shown_names(family: str, given: str, organisation: str, common_name: str) -> tuple[str, str]:
    """Return the names of an author: of a card without a name the organisation and the CN, signs replaced by hyphens.

    PDT-INF-617 (DMP-VIHF-13): the DMP refuses an author whose name is empty.
    """
    return family or _NAME_SIGNS.sub("-", organisation), given or _NAME_SIGNS.sub("-", common_name)
