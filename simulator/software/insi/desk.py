"""The desk where an identity is found: the choice on a Vitale, the searches, what is not asked, what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from bifente.ground.clock import Clock
from bifente.simulator.formats.insi import InsiAnswer, InsiCode
from bifente.simulator.formats.insi.requests import Search
from bifente.simulator.software.identity.patient import PatientFile
from bifente.simulator.software.identity.status import IdentityError, IdentityRefusal
from bifente.simulator.software.insi.client import Credential, InsiCalls
from bifente.simulator.software.insi.vitale import VitalePerson, VitaleReading

VITALE_LIFETIME = timedelta(minutes=20)
"""INSI-T-1_02."""


@dataclass(slots=True)
class IdentityDesk:
    """One desk, one Vitale at a time. ``serial_now`` reads the number of the Vitale in the reader, or nothing."""

    calls: InsiCalls
    clock: Clock
    serial_now: Callable[[], str]
    reading: VitaleReading | None = None
    chosen: VitalePerson | None = None
    asked: list[tuple[Search, str]] = field(default_factory=list)
    """Every search that left, with the code that came back; empty where none did."""

    def show(self, reading: VitaleReading) -> None:
        """Take note of a Vitale that was read; nobody on it is chosen yet."""
        self.reading, self.chosen = reading, None

    def choose(self, rank: int) -> PatientFile:
        """Choose who on the card is the patient, from 1, and open a file. Raise IdentityError."""
        if self.reading is None or not 1 <= rank <= len(self.reading.people):
            raise IdentityError(IdentityRefusal.NOBODY)
        self.chosen = self.reading.people[rank - 1]
        return PatientFile(self.chosen.traits, self.clock)

    def by_vitale(self, patient: PatientFile, credential: Credential, author: str, *, take: bool = True) -> InsiAnswer:
        """Search the chosen person. Raise IdentityError, InsiCallError, and what the card refuses.

        Nothing leaves for a card that was swapped since (INSI-T-1_03), or that was read too long ago (INSI-T-1_02).
        """
        if self.reading is None or self.chosen is None:
            raise IdentityError(IdentityRefusal.NOBODY)
        self._check_may_ask(patient)
        if self.clock.now() - self.reading.at > VITALE_LIFETIME:
            raise IdentityError(IdentityRefusal.STALE)
        if self.serial_now() != self.reading.serial:
            self.chosen = None
            raise IdentityError(IdentityRefusal.SWAPPED)
        return self._taken(patient, self._ask(self.reading.search(self.chosen), credential), author, take=take)

    def by_traits(
        self, patient: PatientFile, credential: Credential, author: str, *, tries: int | None = None, take: bool = True
    ) -> InsiAnswer:
        """Search on traits: the other given names, all of them, then with the place, until one is found (INSI-08).

        ``tries`` bounds the searches. Raise IdentityError, InsiCallError, and what the card refuses.
        """
        patient.check_may_ask()
        found = InsiAnswer(InsiCode.NONE)
        for number, search in enumerate(patient.traits.attempts(), 1):
            found = self._ask(search, credential)
            if found.code is InsiCode.ONE or number == tries:
                break
        return self._taken(patient, found, author, take=take)

    def _check_may_ask(self, patient: PatientFile) -> None:
        try:
            patient.check_may_ask()
        except IdentityError as error:
            # A Vitale tells no sex of those without a number of their own: INSi is not asked for it either.
            if error.refusal is not IdentityRefusal.INCOMPLETE:
                raise

    def _ask(self, search: Search, credential: Credential) -> InsiAnswer:
        self.asked.append((search, ""))
        found = self.calls.search(search, credential)
        self.asked[-1] = (search, found.code.value)
        return found

    def _taken(self, patient: PatientFile, found: InsiAnswer, author: str, *, take: bool) -> InsiAnswer:
        if take and found.code is InsiCode.ONE:
            patient.take(found, author)
        return found
