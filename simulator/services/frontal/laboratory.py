"""The laboratory that a front end stands on: the authorities it believes, the key its files are opened with.

They come from laboratory keys, by which the virtual cards sign too: what was signed elsewhere is answered that nobody
here knows who signed it. One key stands for every body, as one front end does; a body may be named to have its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from random import Random

from cryptography import x509

from bifente.ground.clock import Clock
from bifente.simulator.formats.fse.securing.verifying import Anchors
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.body_certificates import BodyIdentity, body_identity
from bifente.simulator.pki.certificate_profiles import Validity
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.pki.vitale_authority import VitaleAuthority
from bifente.simulator.services.frontal.frontal import Frontal
from bifente.simulator.services.frontal.ledger import Ledger
from bifente.simulator.services.frontal.parameters import FrontalParameters

EVERY_BODY = "000000000"
"""The name under which one front end stands for every body."""
_LEVELS = (CertificateLevel.FORT, CertificateLevel.ELEMENTAIRE)
"""The authorities of the cards that sign sheets."""
_VALIDITY = Validity(date(2010, 1, 1), date(2049, 12, 31))


def anchors(keys: KeySource) -> Anchors:
    """The authorities of the laboratory's cards."""
    pki = Pki(keys)
    persons = tuple(pki.authority(level, Branch.PERSONNES).certificate for level in _LEVELS)
    return Anchors(persons, (VitaleAuthority(keys).certificate,))


def authorities(keys: KeySource) -> tuple[x509.Certificate, ...]:
    """Every certificate above those of cards, roots included."""
    pki = Pki(keys)
    chains = [pki.authority(level, Branch.PERSONNES).chain for level in _LEVELS]
    return (*(one for chain in chains for one in chain), *VitaleAuthority(keys).chain)


def identity(keys: KeySource, body: str = EVERY_BODY, *, signs: bool = False, generation: int = 1) -> BodyIdentity:
    """What a body of the laboratory opens files with; files for it are made with its certificate.

    ``signs``: what it signs its returns with; ``generation``: of its keys, which it changes from time to time.
    """
    return body_identity(body, Pki(keys), keys, _VALIDITY, signs=signs, generation=generation)


def laboratory(
    keys: KeySource,
    clock: Clock,
    body: str = EVERY_BODY,
    *,
    parameters: FrontalParameters | None = None,
    chance: Random | None = None,
    revocations: Iterable[x509.CertificateRevocationList] = (),
    ledger: Ledger | None = None,
) -> Frontal:
    """The front end of a body of the laboratory. Raises ValueError for a revocation list of an unknown authority."""
    own = identity(keys, body)
    return Frontal(
        clock,
        anchors(keys),
        own.key,
        own.certificate,
        parameters,
        chance,
        revocations=revocations,
        ledger=ledger,
    )
