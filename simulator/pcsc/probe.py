"""A PC/SC client for the doctor, in a process of its own: libpcsclite keeps the first socket name it was given.

Started as a script, by file path, with the reader's name, the command APDU (hex) and how many times to send it. Prints
one JSON object a line: ``poll`` (seconds until the card is seen), ``atr`` (hex), ``response`` (hex), ``seconds`` (one
figure for each exchange), or ``failed`` (the step) with ``detail``.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

_POLL_PATIENCE_MS = 5000


class _Refused(Exception):  # noqa: N818 - not an error of the bench: an answer of PC/SC
    """A PC/SC call that gave something else than success."""

    def __init__(self, step: str, detail: str) -> None:
        super().__init__(detail)
        self.step = step


def _say(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _check(step: str, result: int) -> None:
    from smartcard.scard import SCARD_S_SUCCESS, SCardGetErrorMessage

    if result != SCARD_S_SUCCESS:
        raise _Refused(step, f"{SCardGetErrorMessage(result)} (0x{result & 0xFFFFFFFF:08X})")


def _wait_for_card(context: Any, reader: str) -> bytes:
    from smartcard import scard

    state = scard.SCARD_STATE_UNAWARE
    started = time.monotonic()
    while True:
        left = _POLL_PATIENCE_MS - int(1000 * (time.monotonic() - started))
        result, states = scard.SCardGetStatusChange(context, max(1, left), [(reader, state)])
        _check("poll", result)
        _, state, atr = states[0]
        if state & scard.SCARD_STATE_PRESENT and atr:
            _say(poll=time.monotonic() - started)
            return bytes(atr)


def main() -> None:
    """Wait for the card, read its ATR, exchange."""
    from smartcard import scard

    reader, command, count = sys.argv[1], list(bytes.fromhex(sys.argv[2])), int(sys.argv[3])
    try:
        result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        _check("poll", result)
        _say(atr=_wait_for_card(context, reader).hex())
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        result, card, protocol = scard.SCardConnect(context, reader, scard.SCARD_SHARE_EXCLUSIVE, protocols)
        _check("apdu", result)
        header = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
        seconds = []
        response: list[int] = []
        for _ in range(count):
            started = time.perf_counter()
            result, response = scard.SCardTransmit(card, header, command)
            seconds.append(time.perf_counter() - started)
            _check("apdu", result)
        _say(response=bytes(response).hex())
        _say(seconds=seconds)
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        scard.SCardReleaseContext(context)
    except _Refused as refused:
        _say(failed=refused.step, detail=str(refused))


if __name__ == "__main__":
    main()
