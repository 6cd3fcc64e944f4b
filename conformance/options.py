"""What a run was asked to do, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bifente.ground.text import Lang


class TargetKind(StrEnum):
    """How steps reach cards."""

    EMBEDDED = "embedded"
    PCSC = "pcsc"
    PKCS11 = "pkcs11"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of ``bifente run``.

    ``reader`` is the PC/SC name of a reader that is not the bench's own; its card is real until proven otherwise.
    ``module`` is the PKCS#11 module that the ``pkcs11`` target puts to the test. ``profile`` replaces the suites' own.
    ``real_card`` names the template that describes the card in that reader.
    """

    paths: tuple[Path, ...]
    target: TargetKind = TargetKind.EMBEDDED
    reader: str | None = None
    module: Path | None = None
    real_card: str | None = None
    profile: str | None = None
    seed: int = 1
    workers: int = 1
    lang: Lang = "fr"
    select: tuple[str, ...] = ()
    allow_destructive: bool = False
    production_card: str | None = None
    operator: bool = False
    keys: Path | None = None
