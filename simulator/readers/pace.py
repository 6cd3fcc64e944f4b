"""How long bytes take between a reader and its card: by default a bench spares the wait, a profile may ask for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """The line of ISO/IEC 7816-3: a clock, and how many of its ticks a bit takes (``fi`` / ``di``).

    ``etu`` is how many bit times a byte takes with its start, its parity and the guard time after it.
    """

    clock_khz: int
    fi: int = 372
    di: int = 1
    etu: int = 12

    @property
    def byte(self) -> float:
        """Return the seconds that one byte takes."""
        return self.etu * self.fi / self.di / (self.clock_khz * 1000)

    def seconds(self, *parts: bytes) -> float:
        """Return the seconds that some bytes take, one after the other."""
        return self.byte * sum(map(len, parts))

    def __str__(self) -> str:
        return f"{self.fi}/{self.di}, {self.clock_khz} kHz, {self.byte * 1000:.2f} ms"
