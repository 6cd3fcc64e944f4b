"""What may happen to a message on its way, from ``disturbances.yaml``: drawn by chance with a seed, or asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from random import Random
from typing import Generic, TypeVar

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.serving.mail.base import TransportError, TransportFailure

T = TypeVar("T")


class DisturbanceEffect(StrEnum):
    """What is done to a message."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    ALTERED = "altered"
    REORDERED = "reordered"
    REFUSED = "refused"
    DOWN = "down"


class MailDirection(StrEnum):
    """Which way a message goes."""

    OUT = "out"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One thing that may happen: what is done, what the user sees, why, and what helps. ``reply``: the SMTP code."""

    id: str
    effect: DisturbanceEffect
    symptom: Text
    cause: Text
    remedy: Text
    reply: int = 0
    failure: TransportFailure | None = None

    def check(self) -> None:
        """Raises TransportError if it is a refusal."""
        if self.failure is not None:
            raise TransportError(self.failure, self.cause.en, self.reply)


@cache
def disturbances() -> Mapping[str, Disturbance]:
    """Everything that may happen, by id."""
    return {
        item["id"]: Disturbance(
            item["id"],
            DisturbanceEffect(item["effect"]),
            Text(**item["symptom"]),
            Text(**item["cause"]),
            Text(**item["remedy"]),
            item.get("reply", 0),
            TransportFailure(item["failure"]) if "failure" in item else None,
        )
        for item in shipped(__package__, "disturbances.yaml")["disturbances"]
    }


class Weather:
    """Which messages are disturbed. The same seed, rates and messages give the same disturbances.

    ``rates`` are probabilities by id, of a message in either direction; together they are at most 1.
    """

    def __init__(self, chance: Random | None = None, rates: Mapping[str, float] | None = None) -> None:
        self.chance = chance or Random(0)  # noqa: S311  a dice for a bench, no secret
        self._rates = {_known(name).id: rate for name, rate in (rates or {}).items()}
        if any(rate < 0 for rate in self._rates.values()) or sum(self._rates.values()) > 1:
            raise ValueError("rates are probabilities, together at most 1")
        self._asked: dict[MailDirection, deque[str | None]] = {way: deque() for way in MailDirection}
        self.log: list[tuple[MailDirection, str]] = []
        """What happened, in order."""

    def ask(self, name: str, direction: MailDirection = MailDirection.OUT, *, times: int = 1, after: int = 0) -> None:
        """Disturb the next ``times`` messages of a direction, after ``after`` that pass. Raises ValueError."""
        _known(name)
        self._asked[direction] += [None] * after + [name] * times

    def draw(self, direction: MailDirection) -> Disturbance | None:
        """What happens to the next message: what was asked for, else by chance."""
        asked = self._asked[direction]
        name = asked.popleft() if asked else self._by_chance()
        if name is None:
            return None
        self.log.append((direction, name))
        return disturbances()[name]

    def _by_chance(self) -> str | None:
        if not self._rates:
            return None
        point = self.chance.random()
        for name, rate in self._rates.items():
            point -= rate
            if point < 0:
                return name
        return None


class DisturbedWay(Generic[T]):
    """One direction: what is handed over comes to ``deliver`` as its disturbance lets it."""

    def __init__(self, deliver: Callable[[T], None], spoil: Callable[[T], T]) -> None:
        self._deliver = deliver
        self._spoil = spoil
        self._held: list[T] = []

    def carry(self, item: T, disturbance: Disturbance | None) -> None:
        """Carry one message. Raises TransportError if it is refused, by the disturbance or by ``deliver``."""
        effect = None
        if disturbance is not None:
            disturbance.check()
            effect = disturbance.effect
        if effect is DisturbanceEffect.LOST:
            return
        if effect is DisturbanceEffect.REORDERED:
            self._held.append(item)
            return
        self._deliver(self._spoil(item) if effect is DisturbanceEffect.ALTERED else item)
        if effect is DisturbanceEffect.DUPLICATED:
            self._deliver(item)
        self.flush()

    def flush(self) -> None:
        """Deliver what was held. Its sender was told long ago that it had gone: a refusal now loses it."""
        held, self._held = self._held, []
        for item in held:
            try:
                self._deliver(item)
            except TransportError:
                continue


def flipped(data: bytes, chance: Random) -> bytes:
    """Bytes with one bit changed, somewhere."""
    if not data:
        return data
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _known(name: str) -> Disturbance:
    found = disturbances().get(name)
    if found is None:
        raise ValueError(f"no disturbance {name!r} is known: {', '.join(disturbances())}")
    return found
