"""What a run was asked to do, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bifente.ground.text import Lang
from bifente.simulator.pcsc.services import ServiceKind


class TargetKind(StrEnum):
    """How steps reach cards."""

    EMBEDDED = "embedded"
    PCSC = "pcsc"
    PKCS11 = "pkcs11"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of ``bifente run``.

    ``readers`` are the PC/SC names, by slot, of readers that are not the bench's own; their cards are real until proven
    otherwise.
    ``module`` is the PKCS#11 module that the ``pkcs11`` target puts to the test. ``profile`` replaces the suites' own.
    ``real_cards`` name the templates that describe the cards in those readers, by slot. ``service`` stands between
    virtual readers and PC/SC. ``max_failures`` is how many failures end the run.
    """

    paths: tuple[Path, ...]
    target: TargetKind = TargetKind.EMBEDDED
    readers: Mapping[str, str] = field(default_factory=dict)
    module: Path | None = None
    real_cards: Mapping[str, str] = field(default_factory=dict)
    profile: str | None = None
    seed: int = 1
    workers: int = 1
    lang: Lang = "fr"
    select: tuple[str, ...] = ()
    allow_destructive: bool = False
    production_card: str | None = None
    operator: bool = False
    keys: Path | None = None
    service: ServiceKind = ServiceKind.OWN
    max_failures: int | None = None
    evidence: Path | None = None
    """Where files of evidence go, beside the record."""
