"""The process that serves the bench's readers to PC/SC clients; the bench holds the other end of its orders' socket.

Started as ``python -P -m bifente.simulator.pcsc.own.process FD SOCKET [remove]``: FD is the bench's link, SOCKET the
path that clients open. Ends when the bench does; ``remove``: with the folder of the socket, which a killed bench would
leave.
"""

from __future__ import annotations

import contextlib
import gc
import json
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from bifente.ground.clock import WallClock
from bifente.simulator.pcsc.own.floor import SlotSeed
from bifente.simulator.pcsc.own.server import Server
from bifente.simulator.readers import ReaderIdentity

MESSAGE = 1 << 16
MAX_SLOTS = 64
"""Slots of one reader: their sockets come in one message."""


class Orders:
    """What the bench orders, one JSON object a datagram; each is answered by its number, and what failed."""

    def __init__(self, link: socket.socket, path: Path) -> None:
        self._link = link
        self.server = Server(path, WallClock(), self.acknowledge)
        self.server.listen(link.fileno(), lambda _event: self._on_order())

    def acknowledge(self, number: int, failed: str = "", *, whole: bool = True) -> None:
        """Tell the bench that an order is carried out, as a ``whole`` or not yet, or a movement seen."""
        told = {"done": number, **({"failed": failed} if failed else {}), **({} if whole else {"whole": False})}
        try:
            self._link.send(json.dumps(told).encode())
        except OSError:
            self.server.end()

    def _on_order(self) -> None:
        try:
            message, sockets, _flags, _address = socket.recv_fds(self._link, MESSAGE, MAX_SLOTS)
        except OSError:
            message, sockets = b"", []
        if not message:
            self.server.end()
            return
        order = json.loads(message)
        try:
            whole = self._carry_out(order, sockets)
        except (OSError, ValueError) as error:
            self.acknowledge(order["number"], str(error))
        else:
            for number in self.server.floor.settle():
                self.acknowledge(number)
            self.acknowledge(order["number"], whole=whole)

    def _carry_out(self, order: dict[str, Any], sockets: list[int]) -> bool:
        match order["do"]:
            case "plug":
                seeds = [
                    SlotSeed(
                        slot["name"],
                        socket.socket(fileno=number),
                        None if slot["atr"] is None else bytes.fromhex(slot["atr"]),
                        slot["reachable"],
                    )
                    for slot, number in zip(order["slots"], sockets, strict=True)
                ]
                self.server.plug(order["reader"], seeds, ReaderIdentity(**order["identity"]))
            case "unplug":
                self.server.unplug(order["reader"])
            case "open":
                self.server.open()
            case "shut":
                self.server.shut()
            case "watch":
                self.server.watch(socket.socket(fileno=sockets[0]))
            case "unwatch":
                self.server.unwatch()
            case "tell":
                return self.server.tell()
        return True


def main() -> None:
    """Serve until the bench ends."""
    # The terminal's Ctrl-C is for the bench, which then ends its link.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as link:
        orders = Orders(link, Path(sys.argv[2]))
        gc.freeze()
        orders.server.run()
    if "remove" in sys.argv[3:]:
        with contextlib.suppress(OSError):
            Path(sys.argv[2]).parent.rmdir()


if __name__ == "__main__":
    main()
