"""What a front end is told to be: whose files it takes, how long it takes, how often it fails. All modelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from bifente.simulator.services.frontal.reference import ReferenceFile
from bifente.simulator.tarification.deadlines import Deadlines


@dataclass(frozen=True, slots=True)
class FrontalParameters:
    """``bodies`` are those it answers for (empty: any); ``test`` whether it is a front end for test cards.

    ``missing_lots`` is how many lot numbers may be missing before a lot: those of a practice are shared by all of its
    bodies, so that each sees holes (0: this front end gets them all).
    """

    bodies: frozenset[str] = frozenset()
    test: bool = True
    encrypted_only: bool = False
    """Whether files in clear are refused."""
    missing_lots: int = 30
    round_of_lots: timedelta = timedelta(days=90)
    """After so long, a lot number may come back: 3 digits begin again."""
    deadlines: Deadlines = field(default_factory=Deadlines)
    """Those of SV-FSE-06; what comes late is noted, not refused."""

    arl_late: float = 0.0
    """The part of the ARLs that come late, from 0 to 1."""
    arl_lost: float = 0.0
    """The part of the ARLs that never come."""
    arl_delay: timedelta = timedelta(days=4)
    """How late a late one is."""

    rsp_delay: timedelta = timedelta(days=5)
    """From the positive ARL to the RSP."""
    claim_wait: timedelta = timedelta(days=30)
    """How long a claim waits for its sheet, which may come after it, before it is rejected."""
    paper_wait: timedelta = timedelta(days=60)
    """How long a sheet waits for its paper before it is rejected."""
    rejected: float = 0.0
    """The part of the sheets that the computer centre rejects for a reason of its own (``under-control``)."""
    partly_paid: float = 0.0
    """The part of the parts that are paid in part: ``reduction`` percent less (``above-tariff``)."""
    reduction: int = 10
    closed_rights: Mapping[str, date] = field(default_factory=dict)
    """What the body knows and the card did not: the NIR (13) whose rights are closed, and from which day on."""
    closed_contracts: frozenset[str] = frozenset()
    """Member numbers that the complementary insurer does not know any more."""
    papers_missing: frozenset[int] = frozenset()
    """Degraded sheets whose paper form never came."""
    reference: ReferenceFile | None = None
    """What it knows of its insured and of professionals; None: it believes what is signed."""

    def __post_init__(self) -> None:
        for name in ("arl_late", "arl_lost", "rejected", "partly_paid"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a part from 0 to 1, not {getattr(self, name)}")
        if self.missing_lots < 0 or not 0 < self.reduction < 100:
            raise ValueError("missing_lots is 0 or more, reduction from 1 to 99 percent")
