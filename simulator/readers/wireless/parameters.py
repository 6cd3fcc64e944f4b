"""What a model of wireless terminal is made of: numbers, as a reader profile gives them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BatteryModel:
    """How long a full charge lasts: ``hours`` idle, or ``exchanges`` with the card; ``low`` is when it warns, in %."""

    hours: float = 8.0
    exchanges: int = 20_000
    low: float = 15.0

    def spent(self, seconds: float, exchanges: int) -> float:
        """Percent of a charge used up by so much time and so many exchanges."""
        return 100 * (seconds / (self.hours * 3600) + exchanges / self.exchanges)


@dataclass(frozen=True, slots=True)
class WeakLink:
    """A bad link: the share of exchanges that are lost, the share that come late, and by how many seconds."""

    lost: float = 0.3
    late: float = 0.3
    delay: float = 0.8


@dataclass(frozen=True, slots=True)
class TerminalParameters:
    """``ttl``: life of a session token in seconds; ``leeway``: how far in the future it may seem to be issued."""

    ttl: float = 120.0
    leeway: float = 5.0
    battery: BatteryModel = field(default_factory=BatteryModel)
    weak: WeakLink = field(default_factory=WeakLink)
    issuer: str = "bifente-laboratory"
    audience: str = "bifente-terminal"
