"""Says what pyscard's ReaderMonitor sees, one JSON object a line, until killed."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from smartcard.ReaderMonitoring import ReaderMonitor, ReaderObserver

PERIOD = 2
"""Seconds between two looks: long, so that the service can be exchanged between them."""


class Watch(ReaderObserver):  # type: ignore[misc]
    def update(self, observable: Any, handlers: tuple[list[Any], list[Any]]) -> None:
        added, removed = handlers
        said = {"added": sorted(map(str, added)), "removed": sorted(map(str, removed))}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


ReaderMonitor(period=PERIOD).addObserver(Watch())
threading.Event().wait()
