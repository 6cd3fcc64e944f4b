"""Processes that end with the one that started them, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Loaded now: between a fork and the program that follows, nothing must be looked for.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def end_with_starter() -> None:
    """Have the kernel kill this process when the thread that started it ends, even by SIGKILL; Linux only.

    For the child itself, or for the ``preexec_fn`` of one that a main thread starts. The children of a child are its
    own affair.
    """
    if _PRCTL is not None:
        starter = os.getppid()
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != starter:  # it ended before the line above took effect
            os._exit(128 + signal.SIGKILL)
