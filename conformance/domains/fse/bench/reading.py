"""Both cards read for sheets to come, by the SSV functions as any software of the workstation calls them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bifente.conformance.domains.fse.bench.days import Days
from bifente.conformance.domains.vitale.apcv import ApcvBench
from bifente.conformance.domains.vitale.workstation import SOFTWARE, Workstation
from bifente.ground.clock import Clock
from bifente.simulator.middleware.apcv import Call
from bifente.simulator.middleware.ssv import Answer
from bifente.simulator.middleware.ssv.line import PS, Line
from bifente.simulator.middleware.ssv.professional import ProfessionalCard


@dataclass(frozen=True, slots=True)
class Holder:
    """What no group tells of the professional's card: its number, whether it is a test card, its last day; and whose
    it is, so that a card exchanged for another during the reading is found.
    """

    card: str
    test: bool
    ends: date | None
    rpps: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What the two functions of a reading gave, and the professional's card that was in the reader after them."""

    ps: Answer
    vitale: Answer
    phone: bool = False
    holder: Holder | None = None

    @property
    def complete(self) -> bool:
        """Whether a sheet can be made of it."""
        return not self.ps.code and not self.vitale.code


class Reader:
    """The reading side of one workstation."""

    def __init__(self, workstation: Workstation, apcv: ApcvBench, days: Days, clock: Clock) -> None:
        self._workstation = workstation
        self._apcv = apcv
        self._days = days
        self._clock = clock

    def read(self, code: str, *, phone: bool = False) -> Reading:
        """SSV_LireCartePS, then SSV_LireDroitsVitale or the context of the phone in use. Raises SsvError."""
        library = self._workstation.ssv(SOFTWARE)
        library.init_lib()
        ps, reader = self._workstation.resource_names()
        answer = library.lire_carte_ps(ps, reader, code)
        call = Call(ps, reader, code, f"{self._days.today:%Y%m%d}")
        desk = self._apcv.desk(SOFTWARE)
        rights = (
            desk.read_phone(self._apcv.software(SOFTWARE), call, invoice=None)
            if phone
            else desk.read_card(library, call)
        )
        if answer.code:
            return Reading(answer, rights, phone)
        return Reading(answer, rights, phone, self._holder())

    def _holder(self) -> Holder:
        pair = self._workstation.resources(SOFTWARE).pair(*self._workstation.resource_names())
        try:
            card = ProfessionalCard(Line(pair.ps(), PS, self._clock))
            identity = card.identity
            return Holder(identity.card_number or "", card.test, identity.expiry_date, card.rpps)
        finally:
            pair.release()
