"""Makes PC/SC calls for applications A and B as told, one JSON list a line, and says the code of each.

A line is how many seconds the call may take to come back, and its words.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from smartcard import scard

SHARES = {"exclusive": 1, "shared": 2, "direct": 3}
HOW = {"leave": 0, "reset": 1, "unpower": 2}
PROTOCOLS = {"none": 0, "T0": 1, "T1": 2}
NAMES = json.loads(sys.argv[1])


class Application:
    """One context and at most one handle."""

    def __init__(self):
        self.establish()
        self.handle = None
        self.pending = None

    def establish(self):
        code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if code == 0:
            self.context = context
        return code

    def connect(self, reader, share, protocols=None):
        asked = PROTOCOLS[protocols] if protocols else (0 if share == "direct" else 3)
        code, handle, _ = scard.SCardConnect(self.context, NAMES[reader], SHARES[share], asked)
        if code == 0:
            self.handle = handle
        return code

    def transmit(self):
        return scard.SCardTransmit(self.handle, scard.SCARD_PCI_T0, [0, 0xA4, 0, 0, 2, 0x3F, 0])[0]

    def control(self):
        return scard.SCardControl(self.handle, 0x42000000 + 3400, [])[0]

    def status(self):
        return scard.SCardStatus(self.handle)[0]

    def begin(self):
        return scard.SCardBeginTransaction(self.handle)

    def end(self, how):
        return scard.SCardEndTransaction(self.handle, HOW[how])

    def reconnect(self, share, how):
        return scard.SCardReconnect(self.handle, SHARES[share], 3, HOW[how])[0]

    def disconnect(self, how):
        return scard.SCardDisconnect(self.handle, HOW[how])

    def look(self, reader):
        return scard.SCardGetStatusChange(self.context, 0, [(NAMES[reader], 0)])[0]

    def list(self):
        return scard.SCardListReaders(self.context, [])[0]

    def release(self):
        return scard.SCardReleaseContext(self.context)

    def bounded(self, patience, call, *words):
        """The code of a call, or None if it does not come back in time."""
        if self.pending is not None:
            self.pending.join()
        said = []
        self.pending = threading.Thread(target=lambda: said.append(getattr(self, call)(*words)), daemon=True)
        self.pending.start()
        self.pending.join(patience)
        return said[0] & 0xFFFFFFFF if said else None


def seen(present):
    """Wait until the service has seen the card come or go."""
    context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)[1]
    wanted, state = (0x20 if present else 0x10), 0
    deadline = time.monotonic() + 60
    while not state & wanted and time.monotonic() < deadline:
        state = scard.SCardGetStatusChange(context, 1000, [(NAMES["card"], state)])[1][0][1]
    scard.SCardReleaseContext(context)
    return 0 if state & wanted else 1


applications: dict = {}
for line in sys.stdin:
    patience, who, call, *words = json.loads(line)
    if who == "hand":
        code = seen(call == "insert")
    elif who == "new":
        for application in applications.values():
            application.bounded(patience, "release")
        applications = {"A": Application(), "B": Application()}
        code = 0
    else:
        code = applications[who].bounded(patience, call, *words)
    print(json.dumps(code), flush=True)
