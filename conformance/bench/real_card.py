"""What a card that is not ours tells of itself, before anything else is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509

from bifente.conformance.targets.base import Connection, GuardRefusalError
from bifente.ground.text import Text
from bifente.simulator.cards.cpx.discovery import discover, families_of
from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.cards.families import host_for, layout
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.apdu import ApduError


class NotOfTestError(GuardRefusalError):
    """The card is not known to be one of test, by what it tells of itself, and was not asked for by its number."""

    def __init__(self, serial: str, told: Text) -> None:
        super().__init__(
            Text(
                f"la carte {serial} n'est pas reconnue comme carte de test ({told.fr}) ; "
                f"si c'est voulu : --production-card {serial}",
                f"card {serial} is not recognised as a test card ({told.en}); "
                f"if this is meant: --production-card {serial}",
            )
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What a card tells of itself; empty texts for what cannot be read."""

    serial: str
    issuer: str
    found: Mapping[str, bytes]


def read_professional(connection: Connection, known: Layout) -> Seen:
    """What a card tells of itself, read as one of this layout."""
    host = host_for(Dialogue(connection, lambda exchanged: None), known)
    serial, issuer = "", ""
    found: Mapping[str, bytes] = {}
    try:
        number = host.read(known.path("EF.SN")).data
        serial = number[7:11].hex() if len(number) == 12 else ""
        found = discover(host, known)
        if "EF.C.AUT" in found:
            certificate = x509.load_der_x509_certificate(host.read(found["EF.C.AUT"]).data)
            issuer = certificate.issuer.rfc4514_string()
    except (ApduError, ValueError):
        # Unreadable is not TEST: the card is refused.
        issuer = ""
    return Seen(serial, issuer, found)


def look(connection: Connection, production_card: str | None) -> tuple[Layout, Mapping[str, bytes]]:
    """Return a professional's card's layout and where its files lie.

    Raise NotOfTestError for one whose certificates come from no TEST authority, unless its number was asked for.
    """
    seen = Seen("", "", {})
    known: Layout | None = None
    for family in families_of(connection.atr):
        known = layout(family)
        seen = read_professional(connection, known)
        if seen.found:
            break
    issuer, serial = seen.issuer, seen.serial
    if known is not None and ("TEST" in issuer or (serial and serial == production_card)):
        return known, seen.found
    told = Text(f"émetteur : {issuer or 'illisible'}", f"issuer: {issuer or 'unreadable'}")
    raise NotOfTestError(serial or "?", told)
