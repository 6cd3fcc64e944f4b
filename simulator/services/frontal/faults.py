"""What goes wrong at a front end, in the words of the desk (``faults.yaml``); each is switched on by its id.

What happens to a message on its way is the transport's: ``bifente.simulator.serving.mail``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bifente.ground.shipped import shipped
from bifente.ground.text import Text


class Trouble(StrEnum):
    """What may go wrong."""

    DOWN = "front-end-down"
    MAILBOX_FULL = "mailbox-full"
    ARL_LATE = "arl-late"
    ARL_MISSING = "arl-missing"


@dataclass(frozen=True, slots=True)
class FrontalFault:
    """One fault: what the desk sees, why, and what it does."""

    id: Trouble
    symptom: Text
    cause: Text
    remedy: Text


@cache
def frontal_faults() -> Mapping[Trouble, FrontalFault]:
    """Every fault by its id."""
    return {
        Trouble(item["id"]): FrontalFault(
            id=Trouble(item["id"]),
            symptom=Text(**item["symptom"]),
            cause=Text(**item["cause"]),
            remedy=Text(**item["remedy"]),
        )
        for item in shipped(__package__, "faults.yaml")["faults"]
    }
