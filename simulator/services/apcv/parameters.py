"""What the service behind the apCV is told to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ApcvParameters:
    """How long things last. None of these is public: they are free choices, to be set by who knows better.

    ``context``: from the acquisition, or from the renewal; ``proof``: a QR code, or an answer by NFC; ``leeway``: how
    far the phone's clock may be ahead.
    """

    context: timedelta = timedelta(minutes=15)
    proof: timedelta = timedelta(seconds=60)
    leeway: timedelta = timedelta(seconds=5)
