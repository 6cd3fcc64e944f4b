"""What applications do with a card they share: open it, keep the others out, hold it, let it go."""

from __future__ import annotations

from threading import Timer
from typing import ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.facets import Apdu, VirtualReaders
from bifente.conformance.bench.scene import Act, Scene
from bifente.conformance.expectations import BytesMatcher, ValueMatcher
from bifente.conformance.scenario.step import CardStep, ImpossibleStepError, Observation, Observes, Step
from bifente.conformance.targets.base import Connection, PcscCode, ScardError
from bifente.conformance.targets.facets import Facet
from bifente.ground.text import Text
from bifente.simulator.middleware.patience import EXCLUSIVITY, insist
from bifente.simulator.readers import Handle, Share

_SHARES = {"shared": Share.SHARED, "exclusive": Share.EXCLUSIVE, "direct": Share.DIRECT}


class OpenCard(CardStep):
    """Connect to the card in a share mode, patiently (10 times at 500 ms) or at the first try only."""

    name: ClassVar[str] = "open-card"
    title: ClassVar[Text] = Text("Ouvrir la carte", "Open the card")
    shorthand: ClassVar[str] = "share"
    needs = frozenset[type[Facet]]({Apdu, VirtualReaders})
    observes: ClassVar[Observes] = {"atr": BytesMatcher(), "waited-ms": ValueMatcher(), "tries": ValueMatcher()}

    share: Literal["shared", "exclusive", "direct"] = Field(default="shared", description="how it is shared")
    reader: str | None = Field(default=None, max_length=127, description="a PC/SC name; else that of the slot")
    patient: bool = Field(default=False, description="try again as the field does while another application holds it")

    def run(self, act: Act) -> Observation:
        """Open it; the dialogue replaces the one that was open with this slot."""
        bench, readers = act.bench, act.facet(VirtualReaders)
        act.scene.hang_up(act.role)
        tries = 0

        def attempt() -> Connection:
            nonlocal tries
            tries += 1
            return readers.open(act.role, _SHARES[self.share], self.reader)

        start = bench.clock.monotonic()
        connection = insist(EXCLUSIVITY, bench.clock, attempt, _held) if self.patient else attempt()
        act.scene.adopt(act.role, connection)
        waited = round((bench.clock.monotonic() - start) * 1000)
        atr = connection.atr if self.share != "direct" else b""
        return Observation({"atr": atr, "waited-ms": waited, "tries": tries})


def _held(error: Exception) -> bool:
    return isinstance(error, ScardError) and error.code == PcscCode.SHARING_VIOLATION


class LeaveCard(Step):
    """Close the dialogue with the card, as software does that has done its work; the card is left as it is."""

    name: ClassVar[str] = "leave-card"
    title: ClassVar[Text] = Text("Laisser la carte", "Leave the card")
    needs = frozenset[type[Facet]]({Apdu})

    def run(self, act: Act) -> Observation:
        """Hang up."""
        act.scene.hang_up(act.role)
        return Observation({})


class BeginTransaction(CardStep):
    """Keep the other applications out from here on (SCardBeginTransaction)."""

    name: ClassVar[str] = "begin-transaction"
    title: ClassVar[Text] = Text("Commencer une transaction", "Begin a transaction")

    def run(self, act: Act) -> Observation:
        """Begin."""
        act.dialogue.connection.begin()
        return Observation({})


class EndTransaction(CardStep):
    """Let the other applications in again (SCardEndTransaction)."""

    name: ClassVar[str] = "end-transaction"
    title: ClassVar[Text] = Text("Finir une transaction", "End a transaction")

    def run(self, act: Act) -> Observation:
        """End."""
        act.dialogue.connection.end()
        return Observation({})


class Others:
    """The dialogues by which another application holds cards, by slot."""

    def __init__(self) -> None:
        self.holding: dict[str, Connection] = {}

    @classmethod
    def of(cls, scene: Scene) -> Others:
        """Return what is held at first: nothing."""
        return cls()

    def close(self) -> None:
        """Let go of everything."""
        while self.holding:
            self.holding.popitem()[1].disconnect()


class HoldExclusively(CardStep):
    """Another application takes the card for itself: connected alone, or by a transaction in a shared dialogue."""

    name: ClassVar[str] = "hold-exclusively"
    title: ClassVar[Text] = Text("Une autre application retient la carte", "Another application holds the card")
    shorthand: ClassVar[str] = "by"
    needs = frozenset[type[Facet]]({Apdu, VirtualReaders})

    by: Literal["connection", "transaction"] = Field(default="connection", description="what keeps the others out")
    for_ms: int | None = Field(
        default=None, gt=0, le=600_000, description="lets go by itself after that; else it stays"
    )

    def run(self, act: Act) -> Observation:
        """Take it."""
        bench = act.bench
        share = Share.EXCLUSIVE if self.by == "connection" else Share.SHARED
        other = act.facet(VirtualReaders).open(act.role, share)
        if self.by == "transaction":
            other.begin()
        act.scene.part(Others).holding[act.role] = other
        if self.for_ms is not None:
            if isinstance(other, Handle):
                other.lease = bench.clock.monotonic() + self.for_ms / 1000
            else:
                timer = Timer(self.for_ms / 1000, other.disconnect)
                timer.daemon = True
                timer.start()
        act.scene.changed(
            act.role, Text("une autre application retient la carte", "another application holds the card")
        )
        return Observation({})


class ReleaseByAnother(Step):
    """The other application lets the card go."""

    name: ClassVar[str] = "release-by-another-application"
    title: ClassVar[Text] = Text("L'autre application lâche la carte", "The other application lets the card go")
    needs = frozenset[type[Facet]]({Apdu, VirtualReaders})

    def run(self, act: Act) -> Observation:
        """Let go. Nothing held is a mistake of the scenario."""
        if (other := act.scene.part(Others).holding.pop(act.role, None)) is None:
            raise ImpossibleStepError(
                Text(
                    f"nulle autre application ne tient la carte de la fente {act.role} : écrire hold-exclusively avant",
                    f"no other application holds the card of slot {act.role}: write hold-exclusively before",
                )
            )
        other.disconnect()
        act.scene.changed(
            act.role, Text("l'autre application lâche la carte", "the other application lets the card go")
        )
        return Observation({})
