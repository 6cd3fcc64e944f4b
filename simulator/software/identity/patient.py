"""The file of one patient: what is known, how it came, what it may be used for; every change with its author."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from bifente.ground.clock import Clock
from bifente.ground.identifiers import nir_key
from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.insi import InsiAnswer, InsRecord
from bifente.simulator.formats.vihf.patient import InsIdentifier
from bifente.simulator.software.identity.status import (
    Axes,
    IdentityError,
    IdentityMark,
    IdentityRefusal,
    TrustStatus,
)
from bifente.simulator.software.identity.traits import StrictTraits

ATTESTATION = "attestation"


@dataclass(frozen=True, slots=True)
class IdentityDocument:
    """A device to check an identity against. ``high``: of high trust."""

    id: str
    title: Text
    high: bool


@dataclass(frozen=True, slots=True)
class IdentityTrace:
    """Who did what when, and the status then."""

    at: datetime
    author: str
    action: str
    status: TrustStatus
    detail: str = ""


@cache
def documents() -> Mapping[str, IdentityDocument]:
    """Return the devices offered, none of them chosen beforehand (RNIV-EXI-SI-23)."""
    rows = shipped("bifente.simulator.software.identity", "documents.yaml")["documents"]
    return {row["id"]: IdentityDocument(row["id"], Text(**row["title"]), row["high"]) for row in rows}


@dataclass(slots=True)
class PatientFile:
    """One patient. ``answer`` is what INSi gave, unchanged (INS-EXI-REC-07)."""

    traits: StrictTraits
    clock: Clock
    axes: Axes = field(default_factory=Axes)
    answer: InsiAnswer | None = None
    checked_by: str = ""
    """The device it was checked against, or ``attestation``; empty (RNIV-EXI-SI-10)."""
    traces: list[IdentityTrace] = field(default_factory=list)
    used_name: str = ""
    used_first_name: str = ""

    def __post_init__(self) -> None:
        self._trace("", "created")

    @property
    def status(self) -> TrustStatus:
        """Return the status."""
        return self.axes.status

    @property
    def ins(self) -> InsRecord | None:
        """Return the INS that INSi gave, None where there is none or where it is invalidated."""
        return self.answer.active if self.axes.fetched and self.answer is not None else None

    def outgoing(self) -> InsIdentifier:
        """Return the INS that a message may carry, number and OID together. Raise IdentityError unless qualified."""
        self.status.check_leaves()
        if self.ins is None:
            raise IdentityError(IdentityRefusal.NOT_FETCHED)
        held = self.ins.matricule
        return InsIdentifier(held.number, held.key or nir_key(held.number), self.ins.oid)

    def check_may_ask(self) -> None:
        """Raise IdentityError where INSi may not be called, or need not be."""
        if self.axes.locked:
            raise IdentityError(IdentityRefusal.LOCKED)
        if self.axes.fetched:
            raise IdentityError(IdentityRefusal.ALREADY)
        if self.traits.missing:
            raise IdentityError(IdentityRefusal.INCOMPLETE, ", ".join(self.traits.missing))

    def take(self, answer: InsiAnswer, author: str, *, over: bool = False) -> None:
        """Take what INSi found, if its traits are those of the file, or ``over`` them. Raise IdentityError."""
        if self.axes.locked:
            raise IdentityError(IdentityRefusal.LOCKED)
        if answer.active is None or answer.traits is None:
            raise IdentityError(IdentityRefusal.NOT_FETCHED)
        differing = self.traits.differences(answer.traits)
        if differing and not over:
            self._trace(author, "refused-answer", ", ".join(differing))
            raise IdentityError(IdentityRefusal.TRAITS_DIFFER, ", ".join(differing))
        found = answer.traits
        if self.axes.checked and not (found.birth_place or self.traits.birth_place):
            raise IdentityError(IdentityRefusal.UNKNOWN_PLACE)
        self.answer = answer
        self.traits = StrictTraits(
            found.name or self.traits.name,
            tuple((found.given or found.first).split(" ")) if (found.given or found.first) else self.traits.given,
            found.sex or self.traits.sex,
            found.birth_date or self.traits.birth_date,
            found.birth_place or self.traits.birth_place,
        )
        self.axes = replace(self.axes, fetched=True)
        self._trace(author, "fetched")

    def check_document(self, document: str, author: str) -> None:
        """Check the identity against a device. Raise IdentityError for one that is not of high trust."""
        found = documents().get(document)
        if found is None:
            raise IdentityError(IdentityRefusal.NO_DOCUMENT, document[:40])
        if self.axes.locked:
            raise IdentityError(IdentityRefusal.LOCKED)
        if not found.high:
            raise IdentityError(IdentityRefusal.LOW_TRUST, found.title.en)
        if self.axes.fetched and not self.traits.birth_place:
            raise IdentityError(IdentityRefusal.UNKNOWN_PLACE)
        self._checked(document, author)

    def attest(self, author: str) -> None:
        """Let somebody attest that he already knows the person: a fetched identity is qualified (SEED-INS-10)."""
        if self.axes.locked:
            raise IdentityError(IdentityRefusal.LOCKED)
        if not author:
            raise IdentityError(IdentityRefusal.NO_AUTHOR)
        if not self.axes.fetched:
            raise IdentityError(IdentityRefusal.NOT_FETCHED)
        if not self.traits.birth_place:
            raise IdentityError(IdentityRefusal.UNKNOWN_PLACE)
        self._checked(ATTESTATION, author)

    def withdraw_check(self, author: str) -> None:
        """Take the check back."""
        self.axes, self.checked_by = replace(self.axes, checked=False), ""
        self._trace(author, "check-withdrawn")

    def withdraw_ins(self, author: str) -> None:
        """Drop the INS: a verification failed."""
        self.axes = replace(self.axes, fetched=False)
        self._trace(author, "ins-withdrawn")

    def edit(self, author: str, **changes: Any) -> None:
        """Change strict traits by hand: an INS fetched for others no longer holds."""
        edited = replace(self.traits, **changes)
        if edited == self.traits:
            return
        self.traits = edited
        self.axes = replace(self.axes, fetched=False)
        self._trace(author, "edited", ", ".join(sorted(changes)))

    def mark(self, mark: IdentityMark, author: str) -> None:
        """Attach a mark. Raise IdentityError for marks that do not go together."""
        try:
            self.axes = self.axes.with_mark(mark)
        except ValueError:
            raise IdentityError(IdentityRefusal.MARKS) from None
        if mark.locks:
            self.checked_by = ""
        self._trace(author, "marked", mark.name.lower())

    def unmark(self, mark: IdentityMark, author: str) -> None:
        """Take a mark off."""
        self.axes = self.axes.without_mark(mark)
        self._trace(author, "unmarked", mark.name.lower())

    def _checked(self, how: str, author: str) -> None:
        self.axes, self.checked_by = replace(self.axes, checked=True), how
        self._trace(author, "checked", how)

    def _trace(self, author: str, action: str, detail: str = "") -> None:
        self.traces.append(IdentityTrace(self.clock.now(), author, action, self.status, detail))
