"""What the DMP is told to be. What no public text gives is a free choice, and says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MEBIBYTE = 1_048_576


@dataclass(frozen=True, slots=True)
class DmpParameters:
    """The parameters of the service.

    Documented: ``idle_months`` (SEED-DMP-15), ``air_age`` (DMPI-EX_AIR-040), ``fed_per_second`` (fewer than five a
    second for a structure and a software), ``minors``, ``majority`` and ``cumul`` (published by the DMP itself, their
    values in the field not known). Free choices: ``hidden_for`` (how long a document stays hidden from the patient),
    ``vihf_age``, ``vihf_ahead``, ``largest_document``, ``most_results``, ``blocked_may_feed``, ``strict`` (spellings
    of independent builders are refused), ``sha1`` (what the official samples of 2019 carry), ``patient_access`` (TD1.5,
    which the WSDL of 2024-06-11 no longer has), ``pdf_a`` (a PDF that is no PDF/A-1 is refused: it is the
    software that converts, and an official example is none).
    """

    idle_months: int = 12
    hidden_for: timedelta = timedelta(days=14)
    vihf_age: timedelta = timedelta(minutes=5)
    vihf_ahead: timedelta = timedelta(seconds=60)
    air_age: timedelta = timedelta(seconds=30)
    largest_document: int = 10 * MEBIBYTE
    most_results: int = 1_000
    fed_per_second: int = 4
    minors: bool = True
    majority: int = 18
    cumul: bool = False
    blocked_may_feed: bool = True
    strict: bool = True
    sha1: bool = False
    patient_access: bool = False
    pdf_a: bool = False
