"""Full PC/SC: no GALSS, no configuration; which slot holds which card is found by the cards' ATRs (SV-PCSC-02)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.patience import EXCLUSIVITY, Patience, insist
from bifente.simulator.middleware.recognition import CardKind, kind_of
from bifente.simulator.middleware.ssv.line import PS, VITALE, Blame
from bifente.simulator.readers import Connection, PcscCode, ReaderAccess, ScardError
from bifente.simulator.zones import Group, unnamed

__all__ = ["SEVERAL_CARDS", "CardKind", "FoundPair", "FullPcsc", "kind_of"]

T = TypeVar("T")


_PS = frozenset({CardKind.CPS})
_VITALE = frozenset({CardKind.VITALE_2, CardKind.VITALE_1})
SEVERAL_CARDS = Text("plusieurs cartes du même type ont été identifiées", "several cards of the same type identified")
"""What the field's software says of it (SV-PCSC-03). No code is known to go with it: FFFF, unspecified, is ours."""
_EMPTY = frozenset({PcscCode.NO_SMARTCARD, PcscCode.REMOVED_CARD, PcscCode.UNKNOWN_READER, PcscCode.READER_UNAVAILABLE})
"""What leaves a slot out of the search: nothing to speak to there, now."""
_UNANSWERED = frozenset(
    {PcscCode.UNRESPONSIVE_CARD, PcscCode.UNPOWERED_CARD, PcscCode.TIMEOUT, PcscCode.COMM_ERROR}
    | {PcscCode.PROTO_MISMATCH, PcscCode.NOT_TRANSACTED}
)
_RETRIED = frozenset({PcscCode.SHARING_VIOLATION, PcscCode.RESET_CARD})
"""Held by another program, or just reset by it: worth another try."""


@dataclass(slots=True)
class SeenCard:
    """A card met in a slot; ``connection`` is None if it could not be opened."""

    slot: str
    kind: CardKind
    connection: Connection | None

    def close(self) -> None:
        """Let the card go; never raises."""
        if self.connection is not None:
            with suppress(ScardError):
                self.connection.end()
            self.connection.disconnect()
            self.connection = None


@dataclass(frozen=True, slots=True)
class FullPcsc:
    """The readers of a PC/SC service as the SSV functions use them without GALSS.

    There are no resource names then: whatever a call names, the CPS and the Vitale are looked for in all the readers.
    """

    access: ReaderAccess
    clock: Clock
    patience: Patience = EXCLUSIVITY

    def pair(self, ps: str, reader: str) -> FoundPair:
        """The two cards wherever they are; looked for when the first is needed. Never raises."""
        del ps, reader
        return FoundPair(self)

    def inventory(self) -> tuple[Group, ...]:
        """A group 67 a slot: its name and what it holds, in French as the field shows it. Raises SsvError."""
        groups = []
        for slot in self.slots():
            seen = self.look(slot)
            label = seen.kind.label.fr if seen else ""
            groups.append(unnamed(67, {"reader-name": slot.encode("ascii", "replace").decode(), "card-type": label}))
            if seen:
                seen.close()
        return tuple(groups)

    def slots(self) -> tuple[str, ...]:
        """The names of all slots. Raises SsvError (0400) if there is none, or no service that answers."""
        try:
            names = self.access.readers()
        except ScardError as error:
            raise PS.error(error, met=False) from error
        if not names:
            raise SsvError(SsvCode.GALSS_NO_ANSWER, "no reader is connected")
        return names

    def look(self, slot: str) -> SeenCard | None:
        """What is in a slot, opened but not held; None if there is nothing to speak to. Raises SsvError."""
        try:
            connection = self.access.connect(slot)
        except ScardError as error:
            return _unopened(slot, error)
        try:
            return SeenCard(slot, kind_of(connection.atr), connection)
        except ScardError as error:
            connection.disconnect()
            return _unopened(slot, error)


@dataclass(slots=True)
class FoundPair:
    """Both cards of one call, looked for together at the first need, each held from its own first need on."""

    resources: FullPcsc
    _seen: list[SeenCard] | None = field(default=None, init=False)
    _held: set[str] = field(default_factory=set, init=False)

    def ps(self) -> Connection:
        """The professional's card. Raises SsvError (F001, FF30 if it can only be a mute one, FFFF if there are two)."""
        return self._one(_PS, PS)

    def vitale(self) -> Connection:
        """The Vitale, of either kind. Raises SsvError (F011, F014 if a card is mute, FFFF if there are two)."""
        return self._one(_VITALE, VITALE)

    def release(self) -> None:
        """Let everything go."""
        for seen in self._seen or ():
            seen.close()
        self._seen = None
        self._held.clear()

    def _one(self, kinds: frozenset[CardKind], blame: Blame) -> Connection:
        if self._seen is None:
            self._search()
        try:
            found = self._insist(lambda: self._opened(kinds))
            if found is None or found.connection is None:
                raise self._missing(blame)
            if found.slot not in self._held:
                self._insist(found.connection.begin)
                self._held.add(found.slot)
            return found.connection
        except ScardError as error:
            raise blame.error(error, met=False) from error

    def _search(self) -> None:
        resources = self.resources
        self._seen = [seen for slot in resources.slots() if (seen := resources.look(slot)) is not None]
        self._check_single()
        for seen in self._seen:
            if seen.kind is CardKind.OTHER:
                # A bank card in a third slot is nobody's business here.
                seen.close()

    def _check_single(self) -> None:
        for kinds in (_PS, _VITALE):
            slots = [seen.slot for seen in self._seen or () if seen.kind in kinds]
            if len(slots) > 1:
                self.release()
                raise SsvError(SsvCode.UNSPECIFIED, f"{SEVERAL_CARDS.en}: {', '.join(slots)}")

    def _opened(self, kinds: frozenset[CardKind]) -> SeenCard | None:
        """The card of a kind among those met. Raises ScardError as long as it may be one that is held elsewhere."""
        met = self._seen or []
        for index, seen in enumerate(met):
            if seen.kind is CardKind.HELD and not any(other.kind in kinds for other in met):
                met[index] = self.resources.look(seen.slot) or SeenCard(seen.slot, CardKind.OTHER, None)
        self._check_single()
        found = next((seen for seen in met if seen.kind in kinds), None)
        if found is None and any(seen.kind is CardKind.HELD for seen in met):
            raise ScardError(PcscCode.SHARING_VIOLATION)
        return found

    def _missing(self, blame: Blame) -> SsvError:
        kinds = [seen.kind for seen in self._seen or ()]
        others = _VITALE if blame is PS else _PS
        surely = blame is VITALE or kinds.count(CardKind.MUTE) > 1 or any(kind in others for kind in kinds)
        if CardKind.MUTE in kinds and surely:
            return SsvError(blame.fault, "the only card it could be does not answer")
        return SsvError(blame.absent, "no such card in any reader")

    def _insist(self, action: Callable[[], T]) -> T:
        return insist(self.resources.patience, self.resources.clock, action, _worth_another_try)


def _unopened(slot: str, error: ScardError) -> SeenCard | None:
    """What a slot that cannot be opened holds: nothing, or a card that does not answer. Raises SsvError."""
    if error.code in _EMPTY:
        return None
    if error.code in _UNANSWERED:
        return SeenCard(slot, CardKind.MUTE, None)
    if error.code in _RETRIED:
        return SeenCard(slot, CardKind.HELD, None)
    raise PS.error(error, met=False) from error


def _worth_another_try(error: Exception) -> bool:
    return isinstance(error, ScardError) and error.code in _RETRIED
