"""A PC/SC client that takes orders, one JSON object a line, and answers in the same way.

It says unasked what pyscard's monitors see once ``monitor`` was ordered.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from smartcard import scard

PATIENCE = 120.0
BITS = {"present": scard.SCARD_STATE_PRESENT, "empty": scard.SCARD_STATE_EMPTY}
_speaking = threading.Lock()


def say(**values: Any) -> None:
    with _speaking:
        sys.stdout.write(json.dumps(values) + "\n")
        sys.stdout.flush()


class Client:
    """One context, at most one card."""

    def __init__(self) -> None:
        self._card: Any = None
        self._context = self._checked("context", scard.SCardEstablishContext(scard.SCARD_SCOPE_USER))

    @staticmethod
    def _checked(what: str, result: Any) -> Any:
        code, *values = result if isinstance(result, (list, tuple)) else (result,)
        if code != 0:
            raise RuntimeError(f"{what}: {scard.SCardGetErrorMessage(code)}")
        return values[0] if values else None

    def readers(self) -> dict[str, Any]:
        return {"names": self._checked("list", scard.SCardListReaders(self._context, []))}

    def wait(self, states: dict[str, str]) -> dict[str, Any]:
        """Until each reader is in the state asked for: {name: "present" or "empty"}."""
        known = dict.fromkeys(states, scard.SCARD_STATE_UNAWARE)
        deadline = time.monotonic() + PATIENCE
        while True:
            left = max(1, int(1000 * (deadline - time.monotonic())))
            now = self._checked("wait", scard.SCardGetStatusChange(self._context, left, list(known.items())))
            known = {name: state for name, state, _ in now}
            if all(known[name] & BITS[wanted] for name, wanted in states.items()):
                return {"atr": {name: bytes(atr).hex() for name, _, atr in now}}

    def connect(self, reader: str) -> dict[str, Any]:
        """A cold start of the card: what was in its memory before is lost."""
        _, self._card, _ = scard.SCardConnect(self._context, reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0)
        if self._card is None:
            raise RuntimeError("no card")
        return self.reset()

    def reset(self, cold: bool = True) -> dict[str, Any]:
        how = scard.SCARD_UNPOWER_CARD if cold else scard.SCARD_RESET_CARD
        protocol = scard.SCARD_PROTOCOL_T0
        self._checked("reset", scard.SCardReconnect(self._card, scard.SCARD_SHARE_SHARED, protocol, how))
        return {}

    def send(self, apdu: str) -> dict[str, Any]:
        """One command as T=0 wants it: sent again with the length the card asks for, what is left fetched."""
        command = bytes.fromhex(apdu)
        data, status = b"", self._transmit(command)
        if status[-2] == 0x6C:
            status = self._transmit(command[:-1] + status[-1:])
        while status[-2] == 0x61:
            data += status[:-2]
            status = self._transmit(bytes((0x00, 0xC0, 0x00, 0x00, status[-1])))
        return {"data": (data + status[:-2]).hex(), "sw": status[-2:].hex()}

    def _transmit(self, command: bytes) -> bytes:
        return bytes(self._checked("transmit", scard.SCardTransmit(self._card, scard.SCARD_PCI_T0, list(command))))

    def monitor(self) -> dict[str, Any]:
        """Let pyscard's own monitors speak."""
        from smartcard.CardMonitoring import CardMonitor, CardObserver
        from smartcard.ReaderMonitoring import ReaderMonitor, ReaderObserver

        class Cards(CardObserver):  # type: ignore[misc]
            def update(self, observable: Any, handlers: Any) -> None:
                added, removed = handlers
                for what, cards in (("card-added", added), ("card-removed", removed)):
                    for card in cards:
                        say(event=what, reader=str(card.reader), atr=bytes(card.atr).hex())

        class Readers(ReaderObserver):  # type: ignore[misc]
            def update(self, observable: Any, handlers: Any) -> None:
                added, removed = handlers
                for what, readers in (("reader-added", added), ("reader-removed", removed)):
                    for reader in readers:
                        say(event=what, reader=str(reader))

        CardMonitor().addObserver(Cards())
        ReaderMonitor().addObserver(Readers())
        return {"event": "listening"}


def main() -> None:
    client = Client()
    for line in sys.stdin:
        order = json.loads(line)
        try:
            say(**getattr(client, order.pop("do"))(**order))
        except RuntimeError as error:
            say(failed=str(error))


if __name__ == "__main__":
    main()
