"""Orders to services that stand: faults, for one client, one user or at the nth request, and what services hold."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bifente.conformance.loading import nearest
from bifente.conformance.observation.channel.answers import CarriedOut, OrderRefusedError, Refused
from bifente.conformance.observation.channel.orders import Known
from bifente.conformance.observation.channel.words import read_line
from bifente.conformance.observation.channel.worldly import wrong
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.fault import Aim, FaultError, MissingPartError, Undo
from bifente.simulator.faults import fault, inject
from bifente.simulator.serving.service import Declare, Service, ServiceError

T = TypeVar("T")

_MOST = 99_999
_LONGEST = 10_000
WHOM = ("client", "user")
"""Whom a fault of a service can be aimed at."""


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: ClassVar[Text]
    shorthand: ClassVar[str | None] = None

    def carry_out(self, orders: ServedOrders) -> CarriedOut:
        raise NotImplementedError


class _Help(_Order):
    """Every order, or one, with the JSON Schema of its arguments."""

    title: ClassVar[Text] = Text("Dire ce qui peut être ordonné", "Tell what can be ordered")
    shorthand: ClassVar[str | None] = "order"

    order: str | None = Field(default=None, description="name of an order")

    def carry_out(self, orders: ServedOrders) -> CarriedOut:
        known = orders.all()
        if self.order is not None and self.order not in known:
            raise _unknown(self.order)
        chosen = [one for one in known.values() if self.order in (None, one.name)]
        return CarriedOut(self.title, {"orders": {one.name: one.plain() for one in chosen}})


class _State(_Order):
    """What the services hold, and the faults they suffer."""

    title: ClassVar[Text] = Text("Dire l'état des services", "Tell how the services stand")

    def carry_out(self, orders: ServedOrders) -> CarriedOut:
        held = {one.name: one.state() for one in orders.services}
        plain = json.loads(json.dumps(held, default=str))
        return CarriedOut(
            self.title, {"slots": {}, "faults": [{"fault": name} for name in orders.injected], "services": plain}
        )


class _Inject(_Order):
    """Let a service suffer a fault of the catalogue, whoever asks, or one client or user alone, or at a request."""

    title: ClassVar[Text] = Text("Provoquer une panne", "Inject a fault")
    shorthand: ClassVar[str | None] = "fault"

    fault: str = Field(description="id of the catalogue (bifente faults list)")
    client: str | None = Field(default=None, description="only requests of this client")
    user: str | None = Field(default=None, description="only requests about this user")
    command: int | None = Field(
        default=None, ge=1, le=_MOST, description="at which of their requests; once, unless times says more"
    )
    times: int | Literal["always"] | None = Field(default=None, description="how many requests; always")

    def carry_out(self, orders: ServedOrders) -> CarriedOut:
        only = {key: value for key in WHOM if (value := getattr(self, key)) is not None}
        if isinstance(self.times, int) and not 1 <= self.times <= _MOST:
            raise OrderRefusedError(Refused.WRONG, Text.same(f"times: 1 .. {_MOST}, always"))
        aim = Aim(command=self.command, times=self.times, only=only or None)
        orders.strike(self.fault, None if aim == Aim() else aim)
        return CarriedOut(self.title, {"injected": self.fault})


class _Clear(_Order):
    """Take one fault away, or all."""

    title: ClassVar[Text] = Text("Retirer une panne", "Clear a fault")
    shorthand: ClassVar[str | None] = "fault"

    fault: str | None = Field(default=None, description="the one; all unless given")

    def carry_out(self, orders: ServedOrders) -> CarriedOut:
        return CarriedOut(self.title, {"cleared": orders.clear(self.fault)})


class _Set(_Order):
    """Change what a service holds: professionals the directory does not have, certificates revoked."""

    title: ClassVar[Text] = Text("Changer ce qu'un service contient", "Change what a service holds")
    shorthand: ClassVar[str | None] = "service"

    service: str = Field(description="name of the service")
    changes: dict[str, Any] = Field(description="what is to be so from now on, by key (state tells them)")

    def carry_out(self, orders: ServedOrders) -> CarriedOut:
        by_name = {one.name: one for one in orders.services}
        if self.service not in by_name:
            why = Text(f"aucun service {self.service!r} n'est servi", f"no service {self.service!r} is served")
            raise OrderRefusedError(Refused.WRONG, why, nearest(self.service, by_name))
        by_name[self.service].set_state(self.changes)
        return CarriedOut(self.title, {"service": self.service})


class _Quit(_Order):
    """Stop the services."""

    title: ClassVar[Text] = Text("Arrêter les services", "Stop the services")

    def carry_out(self, orders: ServedOrders) -> CarriedOut:
        orders.stop()
        return CarriedOut(self.title)


_KINDS: Mapping[str, type[_Order]] = {
    "help": _Help,
    "state": _State,
    "inject": _Inject,
    "clear": _Clear,
    "set": _Set,
    "quit": _Quit,
}


class ServedOrders:
    """Carries orders out on services, one at a time. It is what faults find around them."""

    def __init__(self, services: Sequence[Service], stopping: threading.Event, declare: Declare) -> None:
        self.services = tuple(dict.fromkeys(services))
        self.declare = declare
        self.injected: dict[str, Undo] = {}
        self._stopping = stopping
        self._hand = threading.Lock()

    def stop(self) -> None:
        """Have the services stopped."""
        self._stopping.set()

    def part(self, kind: type[T]) -> T:
        """Return the service of that type. Raise MissingPartError if it is not served."""
        for one in self.services:
            if isinstance(one, kind):
                return one
        raise MissingPartError(f"a service {kind.__name__} that is served")

    def all(self) -> dict[str, Known]:
        """Return every order by its name."""
        return {
            name: Known(
                name, kind.title, " ".join((kind.__doc__ or "").split()), kind.model_json_schema(), kind.shorthand
            )
            for name, kind in _KINDS.items()
        }

    def carry_out(self, name: str, given: Mapping[str, Any]) -> CarriedOut:
        """Carry an order out. Raise OrderRefusedError."""
        if name not in _KINDS:
            raise _unknown(name)
        kind = _KINDS[name]
        try:
            order = kind.model_validate(given)
        except ValidationError as error:
            raise wrong(name, error, set(kind.model_fields)) from None
        with self._hand:
            try:
                return order.carry_out(self)
            except (FaultError, ServiceError) as error:
                raise OrderRefusedError(Refused.IMPOSSIBLE, in_both(error)) from None

    def strike(self, name: str, aim: Aim | None) -> None:
        """Inject a fault, in the place of the same one if there is. Raise FaultError."""
        found = fault(name)
        if name in self.injected:
            self.injected.pop(name)()
        self.injected[name] = inject(found, self, aim)

    def clear(self, name: str | None) -> list[str]:
        """Take one fault away, or all; return which. Raise FaultError."""
        if name is not None and name not in self.injected:
            raise FaultError(f"{name}: was not injected")
        gone = [name] if name is not None else list(self.injected)
        for one in gone:
            self.injected.pop(one)()
        return gone

    # -- standard input ------------------------------------------------------------------------------------------------

    def answer(self, line: str) -> str:
        """Return the answer to one line, in one line of JSON."""
        name = line.split(maxsplit=1)[0]
        try:
            name, given = read_line(line, self.all(), ())
            return json.dumps(self.carry_out(name, given).plain(name), ensure_ascii=False)
        except OrderRefusedError as error:
            return json.dumps(error.plain(name), ensure_ascii=False)

    def listen(self, lines: Iterable[str], tell: Callable[[str], None]) -> None:
        """Answer lines until there are no more, or none can be read: a service needs no standard input."""
        with suppress(OSError, ValueError):
            for line in lines:
                if line.strip():
                    tell(self.answer(line[:_LONGEST]))


def _unknown(name: str) -> OrderRefusedError:
    why = Text(f"aucun ordre ne s'appelle {name!r}", f"no order is called {name!r}")
    return OrderRefusedError(Refused.UNKNOWN, why, nearest(name, _KINDS))
