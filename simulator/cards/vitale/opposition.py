"""The list of opposed Vitale cards (lost, stolen, returned): what a middleware looks a serial number up in.

Modelled: the list of the field is not public. Here it is a revocation list signed by the laboratory's authority, whose
entries are serial numbers of cards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.pki.authority import Revocation
from bifente.simulator.pki.vitale_authority import VitaleAuthority


class OppositionError(ValueError):
    """The bytes are no list, or not one that the authority signed."""


@dataclass(frozen=True, slots=True)
class OppositionList:
    """The serial numbers opposed as known at ``published``; to be renewed before ``renewed``."""

    serials: frozenset[int]
    published: datetime
    renewed: datetime

    def holds(self, serial: str) -> bool:
        """Whether a card, by its serial number of 8 or 9 digits, is opposed."""
        return int(serial) in self.serials

    @classmethod
    def parse(cls, data: bytes, authority: x509.Certificate) -> OppositionList:
        """Read a list (DER). Raises OppositionError unless the authority signed it."""
        try:
            found = x509.load_der_x509_crl(data)
        except ValueError as error:
            raise OppositionError(f"this is no list: {error}") from error
        key = authority.public_key()
        if found.issuer != authority.subject or not found.is_signature_valid(key):  # type: ignore[arg-type]
            raise OppositionError("this list is not signed by the authority of the cards")
        renewed = found.next_update_utc
        if renewed is None:
            raise OppositionError("this list does not say when it is renewed")
        return cls(frozenset(entry.serial_number for entry in found), found.last_update_utc, renewed)


def opposition(authority: VitaleAuthority, cards: Iterable[PersonalisedVitale], at: datetime) -> bytes:
    """The list published at ``at``, DER: those of the cards that are opposed by then."""
    lines: list[Revocation] = [line for card in cards for line in card.revocations]
    return authority.crl(lines, at=at).public_bytes(Encoding.DER)
