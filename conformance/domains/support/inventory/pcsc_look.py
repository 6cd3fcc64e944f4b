"""What PC/SC shows, as JSON on the standard output: readers, states, ATRs. Nothing is sent to a card.

A program of its own: a service that hangs is left behind after a while.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from bifente.conformance.targets.base import ScardError
from bifente.conformance.targets.pcsc import PcscMissingError, PcscTarget


def look() -> dict[str, Any]:
    """Return the readers with their states and ATRs, or why none can be told."""
    try:
        target = PcscTarget()
    except PcscMissingError as error:
        return {"missing": str(error)}
    except ScardError as error:
        return _refused(error)
    try:
        return {
            "readers": [
                {"name": name, "state": target.look(name), "atr": None if atr is None else atr.hex().upper()}
                for name, atr in target.seen()
            ]
        }
    except ScardError as error:
        return _refused(error)
    finally:
        target.close()


def _refused(error: ScardError) -> dict[str, Any]:
    """That no service runs is one thing; that it refuses this user, or is ill, is another and not known from here."""
    stopped = error.code & 0xFFFFFFFF in _NO_SERVICE
    return {"stopped" if stopped else "missing": str(error)}


_NO_SERVICE = frozenset({0x8010001D, 0x8010001E})


if __name__ == "__main__":
    json.dump(look(), sys.stdout)
