"""What is judged of a client: findings drawn from what the provider saw of it, each with its requirement and cure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from bifente.ground.clock import Clock
from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.services.psc.expiring import Expiring

_REMEMBERED = 86_400.0


@dataclass(frozen=True, slots=True)
class ConductRule:
    """One rule: the requirement it rests on, ``must`` or ``should``, the finding and its cure in words."""

    id: str
    requirement: str
    level: str
    text: Text
    cure: Text


@dataclass(frozen=True, slots=True)
class ConductFinding:
    """A rule that a client broke, and how often."""

    client: str
    rule: ConductRule
    times: int


@cache
def conduct_rules() -> Mapping[str, ConductRule]:
    """Return every rule by its id."""
    rows = shipped(__package__, "conduct.yaml")["rules"]
    return {
        row["id"]: ConductRule(row["id"], row["requirement"], row["level"], Text(**row["text"]), Text(**row["cure"]))
        for row in rows
    }


class Conduct:
    """What each client did wrong; ``once`` tells whether a value was used before."""

    def __init__(self, clock: Clock) -> None:
        self._times: dict[tuple[str, str], int] = {}
        self._used: Expiring[bool] = Expiring(clock)

    def note(self, client: str, rule: str) -> None:
        """Count that a client broke a rule of the file."""
        key = (client, conduct_rules()[rule].id)
        self._times[key] = self._times.get(key, 0) + 1

    def once(self, client: str, kind: str, value: str) -> bool:
        """Tell whether a client uses a value for the first time in a day."""
        key = f"{kind} {client} {value}"
        if self._used.get(key):
            return False
        self._used.put(key, True, _REMEMBERED)
        return True

    def findings(self, client: str) -> tuple[ConductFinding, ...]:
        """Return the findings about a client, in the order of the rules."""
        return tuple(
            ConductFinding(client, rule, times)
            for identifier, rule in conduct_rules().items()
            if (times := self._times.get((client, identifier), 0))
        )
