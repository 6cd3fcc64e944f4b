"""The bench's own PC/SC service as a target: a client of it, and the hand that plugs, types, stops and starts."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

from bifente.conformance.targets.facets import Facets, HotPlug, PinPadKeys, ServiceControl, WatchedClients
from bifente.conformance.targets.pcsc import PcscTarget
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.readers import Reader


class OwnHand(HotPlug, ServiceControl, WatchedClients):
    """The hand on the bench's own service and on the device of the bench in use."""

    def __init__(self, service: OwnPcsc, reader: Reader) -> None:
        self._service = service
        self._devices = reader.devices
        self._running = True

    @property
    def facets(self) -> Facets:
        """What no vpcd has a way for."""
        own = Facets({HotPlug: self, ServiceControl: self, WatchedClients: self})
        if pad := next((device.pin_pad for device in self._devices if device.pin_pad is not None), None):
            own[PinPadKeys] = PinPadKeys(pad)
        return own

    @property
    def environment(self) -> Mapping[str, str]:
        """The name of the service's socket."""
        return self._service.environment

    def watch(self, watcher: socket.socket) -> None:
        """Have the service tell its clients' calls to this socket."""
        self._service.watch(watcher)

    def watch_no_more(self) -> None:
        """Have it tell them to nobody."""
        self._service.watch_no_more()

    def tell(self) -> bool:
        """Have it tell all so far; whether the watcher had room for it."""
        return self._service.tell()

    def unplug(self, reader: Reader) -> None:
        """Pull a reader out, all its devices. Raise ValueError if it is not plugged in."""
        for device in reader.devices:
            self._service.unplug(device)

    def plug(self, reader: Reader, names: Sequence[str]) -> None:
        """Plug it in, its slots under these names. Raise ValueError if it is there, or a name is taken."""
        left = list(names)
        for device in reader.devices:
            own, left = left[: len(device.slots)], left[len(device.slots) :]
            self._service.plug(device, own)

    def stop(self) -> None:
        """Stop the service: every client loses its connection."""
        self._service.stop()
        self._running = False

    def start(self) -> None:
        """Serve again."""
        self._service.start_again()
        self._running = True

    def show(self, reader: Reader) -> None:
        """Have a device in hand from now on, and no other plugged in: software takes any reader that it is shown."""
        self._devices = reader.devices
        for device in self._service.readers:
            if not self._in_hand(device):
                self._service.unplug(device)
        self.restore()

    def restore(self) -> None:
        """As at the start, whatever a scenario did: service up, device in by its names, links up, keys forgotten."""
        if not self._running:
            self.start()
        for device in self._devices:
            for slot in device.slots:
                slot.reach(True)
            if device.pin_pad is not None:
                device.pin_pad.forget()
        for device in self._service.readers:
            if self._in_hand(device) and any(self._service.name_of(slot) != slot.name for slot in device.slots):
                self._service.unplug(device)
        for device in self._devices:
            if not self._service.plugged(device.slots[0]):
                self._service.plug(device)

    def _in_hand(self, device: Reader) -> bool:
        return any(device is ours for ours in self._devices)


class OwnServiceTarget(OwnHand, PcscTarget):
    """Readers behind the bench's own service, reached as any software of the workstation reaches them.

    The environment of the process names the service already. ``reader`` is the device of the first bench in use.
    """

    def __init__(self, service: OwnPcsc, reader: Reader) -> None:
        PcscTarget.__init__(self)
        OwnHand.__init__(self, service, reader)

    def start(self) -> None:
        """Serve again; this client establishes a new context, as software of the field does."""
        super().start()
        self.renew()
