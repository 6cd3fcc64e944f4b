"""A tick every few milliseconds while it is wanted, as a descriptor to listen to.

A time limit given to each wait would be set and cleared with every request, which costs a virtual machine more than the
request itself; this one is set once. Belongs to the main thread of its process: there is one such timer in each.
"""

from __future__ import annotations

import signal
import socket
from contextlib import suppress

EVERY = 0.005
"""Seconds."""


class Ticker:
    """Stopped at first."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._ticks = False

    def fileno(self) -> int:
        """What to listen to."""
        return self._ours.fileno()

    def start(self) -> None:
        """Tick from now on."""
        if not self._ticks:
            self._ticks = True
            signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, EVERY, EVERY)

    def stop(self) -> None:
        """Tick no more."""
        self._ticks = False
        signal.setitimer(signal.ITIMER_REAL, 0)

    def heard(self) -> None:
        """Take the ticks that came."""
        with suppress(BlockingIOError):
            self._ours.recv(4096)
