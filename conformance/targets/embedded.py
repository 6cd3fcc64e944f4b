"""The in-process target: one application of the bench's own PC/SC service."""

from __future__ import annotations

from collections.abc import Sequence

from bifente.conformance.targets.base import PcscCode, ScardError
from bifente.conformance.targets.facets import Facets, HotPlug, PinPadKeys, ServiceControl
from bifente.ground.clock import Clock, VirtualClock
from bifente.simulator.readers import Context, Handle, PcscService, Reader, Share, State


class EmbeddedTarget(HotPlug, ServiceControl):
    """Reaches cards in slots of the same process, with the PC/SC codes a real service would give.

    ``readers`` order is the devices' own; ``clock`` is where an application's waits are spent.
    """

    def __init__(self, readers: Sequence[Reader], clock: Clock | None = None) -> None:
        self._readers = tuple(readers)
        self.service = PcscService(readers, clock or VirtualClock())
        self._context = self.service.establish()

    @property
    def facets(self) -> Facets:
        """Readers and a service of one's own."""
        own = Facets({HotPlug: self, ServiceControl: self})
        parts = [part for reader in self._readers for part in (reader, *reader.parts)]
        if pad := next((part.pin_pad for part in parts if part.pin_pad is not None), None):
            own[PinPadKeys] = PinPadKeys(pad)
        return own

    def unplug(self, reader: Reader) -> None:
        """Pull a reader out."""
        self.service.unplug(reader)

    def plug(self, reader: Reader, names: Sequence[str]) -> None:
        """Plug it in, its slots under these names."""
        self.service.plug(reader, names)

    def stop(self) -> None:
        """Stop the service."""
        self.service.stop()

    def start(self) -> None:
        """Start it again."""
        self.service.start()

    def readers(self) -> tuple[str, ...]:
        """The names of all slots; none is an empty tuple."""
        try:
            return self._application().readers()
        except ScardError as error:
            if error.code != PcscCode.NO_READERS_AVAILABLE:
                raise
            return ()

    def connect(self, reader: str) -> Handle:
        """Power the card if it is not yet, and open a shared dialogue."""
        return self._application().connect(reader)

    def open(self, reader: str, share: Share) -> Handle:
        """Open a dialogue in a share mode."""
        return self._application().connect(reader, share)

    def look(self, reader: str) -> int:
        """Its state and event counter."""
        return self._application().status_change({reader: 0})[0].state & ~int(State.CHANGED)

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """Nothing moves in process while the caller waits, so this is a look, whatever the ``timeout``."""
        return self._application().wait(reader, present=present, timeout=timeout)

    def restore(self) -> None:
        """As at the start, whatever a scenario did: service up, readers in, links up, nobody holding anything."""
        if self.service.running:
            self.service.stop()
        self.service.start()
        for reader in self._readers:
            for slot in reader.slots:
                slot.reach(True)
            if all(self.service.plugged(slot) for slot in reader.slots):
                self.service.unplug(reader)
        for reader in self._readers:
            if reader.pin_pad is not None:
                reader.pin_pad.forget()
            self.service.plug(reader)

    def _application(self) -> Context:
        """The context of this application; anew after the service was stopped, as software of the field does."""
        if not self._context.alive:
            self._context = self.service.establish()
        return self._context
