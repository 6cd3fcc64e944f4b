"""The in-process target: the bench's own slots, with the PC/SC codes a real service would give."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.targets.base import Capability, PcscCode, ScardError
from simulator.iso7816.card import Card
from simulator.readers import Reader, Slot, SlotEvent, SlotEventKind


class EmbeddedTarget:
    """Reaches cards in slots of the same process. ``readers`` order is the devices' own."""

    capabilities = frozenset(
        {
            Capability.INSERTION,
            Capability.INSPECTION,
            Capability.CLOCK,
            Capability.DESTRUCTIVE,
            Capability.PERSONALISATION,
            Capability.APDU,
        }
    )

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._shared = {slot.name: _SharedSlot(slot) for reader in readers for slot in reader.slots}

    def readers(self) -> tuple[str, ...]:
        """The names of all slots."""
        return tuple(self._shared)

    def connect(self, reader: str) -> EmbeddedConnection:
        """Power the card if it is not yet, and open a dialogue."""
        return EmbeddedConnection(self._find(reader))

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """Nothing moves in process while the caller waits, so this is a look, whatever the ``timeout``."""
        return (self._find(reader).slot.card is not None) == present

    def _find(self, reader: str) -> _SharedSlot:
        try:
            return self._shared[reader]
        except KeyError:
            raise ScardError(PcscCode.UNKNOWN_READER, reader) from None


class _SharedSlot:
    """What all connections to one slot share: the power of the card, resets, and who holds it exclusively."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.atr: bytes | None = None
        self.removals = 0
        self.resets = 0
        self.holder: EmbeddedConnection | None = None
        slot.listen(self._changed)

    def _changed(self, event: SlotEvent) -> None:
        self.atr = None
        if event.kind is SlotEventKind.REMOVED:
            self.removals += 1
            self.holder = None

    def powered(self) -> Card:
        card = self.slot.card
        if card is None:
            raise ScardError(PcscCode.NO_SMARTCARD, self.slot.name)
        if self.atr is None:
            self.atr = card.power_on()
        return card


class EmbeddedConnection:
    """A dialogue with a card in process."""

    def __init__(self, shared: _SharedSlot) -> None:
        self._shared = shared
        self._card: Card | None = shared.powered()
        self._removals = shared.removals
        self._resets = shared.resets

    @property
    def atr(self) -> bytes:
        """The ATR given at the last power-on or reset."""
        return self._shared.atr or b""

    def transmit(self, command: bytes) -> bytes:
        """One command to the card, unless it was removed, reset by another, or is held by another."""
        return self._usable().transmit(command)

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card; other connections learn it by RESET_CARD at their next command."""
        card = self._usable(after_reset=True)
        if cold:
            card.power_off()
        shared = self._shared
        shared.atr = card.power_on() if cold else card.reset()
        shared.resets += 1
        self._resets = shared.resets
        return shared.atr

    def begin(self) -> None:
        """Hold the card; SHARING_VIOLATION where PC/SC would make the caller wait, since nobody else runs here."""
        self._usable()
        self._shared.holder = self

    def end(self) -> None:
        """Let the card go."""
        if self._shared.holder is self:
            self._shared.holder = None

    def disconnect(self) -> None:
        """Leave the card powered."""
        self.end()
        self._card = None

    def _usable(self, *, after_reset: bool = False) -> Card:
        shared = self._shared
        if self._card is None:
            raise ScardError(PcscCode.INVALID_HANDLE, "already disconnected")
        if self._removals != shared.removals or shared.slot.card is None:
            raise ScardError(PcscCode.REMOVED_CARD)
        if shared.holder not in (None, self):
            raise ScardError(PcscCode.SHARING_VIOLATION)
        if self._resets != shared.resets and not after_reset:
            raise ScardError(PcscCode.RESET_CARD)
        return shared.powered()
