"""Both cards read for sheets to come, by the SSV functions as any software of the workstation calls them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bifente.ground.clock import Clock
from bifente.simulator.middleware.ssv import Answer
from bifente.simulator.middleware.ssv.line import PS, Line
from bifente.simulator.middleware.ssv.professional import ProfessionalCard
from bifente.simulator.software.billing.station import CardStation
from bifente.simulator.tarification.deadlines import civil_day


@dataclass(frozen=True, slots=True)
class ProfessionalCardFacts:
    """What no group tells of the professional's card: its number, whether it is a test card, its last day; and whose
    it is, so that a card exchanged for another during the reading is found.
    """

    card: str
    test: bool
    ends: date | None
    rpps: str


@dataclass(frozen=True, slots=True)
class CardsReading:
    """What the two functions of a reading gave, and the professional's card that was in the reader after them."""

    ps: Answer
    vitale: Answer
    phone: bool = False
    holder: ProfessionalCardFacts | None = None

    @property
    def complete(self) -> bool:
        """Whether a sheet can be made of it."""
        return not self.ps.code and not self.vitale.code


def read_cards(station: CardStation, clock: Clock, code: str, *, phone: bool = False) -> CardsReading:
    """Call SSV_LireCartePS, then SSV_LireDroitsVitale or read the context of the phone in use. Raises SsvError."""
    library = station.ssv
    library.init_lib()
    ps, reader = station.names
    answer = library.lire_carte_ps(ps, reader, code)
    rights = station.read_rights(ps, reader, code, f"{civil_day(clock.now()):%Y%m%d}", phone=phone)
    return CardsReading(answer, rights, phone, None if answer.code else _facts(station, clock))


def _facts(station: CardStation, clock: Clock) -> ProfessionalCardFacts:
    pair = station.resources.pair(*station.names)
    try:
        card = ProfessionalCard(Line(pair.ps(), PS, clock))
        identity = card.identity
        return ProfessionalCardFacts(identity.card_number or "", card.test, identity.expiry_date, card.rpps)
    finally:
        pair.release()
