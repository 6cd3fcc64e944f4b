"""What goes wrong at a front end, in the words of the desk (``faults.yaml``); each is switched on by its id.

What happens to a message on its way is the transport's: ``bifente.simulator.fse.transport``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bifente.simulator.sentence import Sentence
from bifente.simulator.shipped import shipped


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
    symptom: Sentence
    cause: Sentence
    remedy: Sentence


@cache
def frontal_faults() -> Mapping[Trouble, FrontalFault]:
    """Every fault by its id."""
    return {
        Trouble(item["id"]): FrontalFault(
            id=Trouble(item["id"]),
            symptom=Sentence(**item["symptom"]),
            cause=Sentence(**item["cause"]),
            remedy=Sentence(**item["remedy"]),
        )
        for item in shipped(__package__, "faults.yaml")["faults"]
    }
