"""The contract of a simulated service: what a bench needs of one, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from bifente.ground.text import Text
from bifente.simulator.fault import Aim

Declare = Callable[[str | bytes], None]
"""Hears a secret (token, cookie, code typed, key) as it is born or first seen, before it travels. Never raises."""

Asgi = Callable[..., Any]
"""What a service answers by: an ASGI application, whatever made it, or its equivalent (see ``Service``)."""


def to_nobody(secret: str | bytes) -> None:
    """Hear a secret and tell nobody: for a service that no record watches."""


class _Trouble:
    """A fault that a service suffers, and how many of the requests it aims at have come."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self._seen = 0

    def strikes(self, whom: Mapping[str, str]) -> bool:
        aim = self._aim
        if any(whom.get(key) != value for key, value in (aim.only or {}).items()):
            return False
        self._seen += 1
        first = aim.command or 1
        times = aim.times if aim.times is not None else 1 if aim.command is not None else "always"
        return self._seen >= first and (times == "always" or self._seen < first + times)


class ServiceError(ValueError):
    """A state or a trouble that a service does not have. One sentence."""


class Service(ABC):
    """A teleservice or a local one, served over TLS or called in process.

    Where files come by mail and not by HTTP, the equivalent of an ASGI application is what a transport hands files to
    (``bifente.simulator.serving.mail.Reception``).

    ``offered`` are the ids of the faults it can suffer; rows of the fault catalogue bear the same ids. ``declare`` is
    told every secret.
    """

    name: ClassVar[str]
    title: ClassVar[Text]
    offered: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, declare: Declare = to_nobody) -> None:
        self.declare = declare
        self._troubles: dict[str, _Trouble] = {}

    @property
    @abstractmethod
    def application(self) -> Asgi:
        """Return its ASGI application or the equivalent, the same one at every call."""

    def learn(self, headers: Iterable[tuple[str, str]], body: bytes) -> None:  # noqa: B027 - a request may hold no secret
        """Declare what is secret in a request (a token, a code typed). It is told to nobody before."""

    @abstractmethod
    def state(self) -> Mapping[str, Any]:
        """Return the laboratory state, as plain data."""

    def set_state(self, changes: Mapping[str, Any]) -> None:
        """Change the laboratory state. Raise ServiceError for a key or a value that it does not have."""
        for key in changes:
            raise ServiceError(f"{self.name}: no state {key!r} can be set")

    @property
    def troubles(self) -> frozenset[str]:
        """Return the ids of the faults that it suffers now."""
        return frozenset(self._troubles)

    def strike(self, fault: str, aim: Aim | None = None) -> None:
        """Suffer a fault from now on; ``aim`` says whom it strikes, and at which of their requests.

        Raise ServiceError for a fault that is not offered.
        """
        self._troubles[self._offered(fault)] = _Trouble(aim or Aim())

    def relieve(self, fault: str) -> None:
        """Suffer a fault no longer, suffered or not. Raise ServiceError for one that is not offered."""
        self._troubles.pop(self._offered(fault), None)

    def suffers(self, fault: str, **whom: str) -> bool:
        """Tell whether a fault strikes this request, and count it; ``whom`` is who asks, as an aim names them."""
        trouble = self._troubles.get(fault)
        return trouble is not None and trouble.strikes(whom)

    def suffer(self, *faults: str) -> None:
        """Suffer these faults and no other. Raise ServiceError for one that is not offered."""
        self._troubles = {self._offered(fault): _Trouble(Aim()) for fault in faults}

    def _offered(self, fault: str) -> str:
        if fault not in self.offered:
            raise ServiceError(f"{self.name}: no fault {fault!r}; it has {', '.join(sorted(self.offered)) or 'none'}")
        return fault
