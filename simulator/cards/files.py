"""What a card holds, as files that people can open: ``bifente cards make`` writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.simulator.iso7816.image import CardImage
from bifente.simulator.pki.authority import Authority, Revocation


class CertifiedCard(Protocol):
    """A personalised card with an authority above it."""

    @property
    def certificates(self) -> Mapping[str, x509.Certificate]:
        """Return its own by the names of their keys."""
        ...

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """Return those above its own, issuer first."""
        ...

    @property
    def authority(self) -> Authority:
        """Return who issued them."""
        ...

    @property
    def revocations(self) -> Iterable[Revocation]:
        """Return what the authority must list."""
        ...


def papers(card: CertifiedCard, at: datetime) -> dict[str, bytes]:
    """Return its certificates, their chain and the revocation list published at ``at``."""
    found = {f"certificates/{role}.pem": _pem(certificate) for role, certificate in card.certificates.items()}
    found["certificates/chain.pem"] = b"".join(map(_pem, card.chain))
    found["certificates/revocations.crl"] = card.authority.crl(tuple(card.revocations), at=at).public_bytes(
        Encoding.DER
    )
    return found


def volumes(image: CardImage) -> dict[str, bytes]:
    """Return the elementary files of an image, by volume, identifier and name."""
    return {
        f"files/{volume}/{file.fid:04X}-{file.name}.bin": content
        for volume, root in image.volumes.items()
        for file in root.walk()
        if (content := getattr(file, "content", None)) is not None
    }


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
