"""Orders to services that answer: one line of standard input each, one line of JSON back. ``help`` tells them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from bifente.simulator.fault import Aim, FaultError, MissingPartError, Undo
from bifente.simulator.faults import fault, inject
from bifente.simulator.serving.service import Service

T = TypeVar("T")

HELP = (
    "inject FAULT [command=N] [times=N|always] [client=ID] [user=ID]   strike, by bifente faults list",
    "clear [FAULT]                                                     take one fault away, or all",
    "state                                                             what the services hold",
    "help                                                              these lines",
)
_NUMBER = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_LONGEST = 1000


class ServiceOrderError(ValueError):
    """An order that cannot be carried out. One sentence."""


class ServiceOrders:
    """Carries orders out on services. It is what faults find around them."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services
        self._injected: dict[str, Undo] = {}

    def part(self, kind: type[T]) -> T:
        """Return the service of that type. Raise MissingPartError if it is not served."""
        for one in self._services:
            if isinstance(one, kind):
                return one
        raise MissingPartError(f"a service {kind.__name__} that is served")

    def answer(self, line: str) -> str:
        """Return the answer to one line, as JSON."""
        try:
            said = self._carried(line)
        except (ServiceOrderError, FaultError) as error:
            return json.dumps({"ok": False, "error": str(error)}, ensure_ascii=False)
        return json.dumps({"ok": True, **said}, ensure_ascii=False, default=str)

    def listen(self, lines: Iterable[str], tell: Callable[[str], None]) -> None:
        """Answer lines until there are no more."""
        for line in lines:
            if line.strip():
                tell(self.answer(line[:_LONGEST]))

    def _carried(self, line: str) -> Mapping[str, Any]:
        order, *more = line.split()
        if order == "inject" and more:
            return self._inject(more[0], more[1:])
        if order == "clear":
            return self._clear(more)
        if order == "state":
            return {"state": {one.name: one.state() for one in self._services}}
        if order == "help":
            return {"orders": HELP}
        raise ServiceOrderError(f"{order}: no such order, or it lacks something; help tells them")

    def _inject(self, name: str, given: Sequence[str]) -> Mapping[str, Any]:
        command, times, only = None, None, {}
        for one in given:
            key, equals, value = one.partition("=")
            if not equals or not value:
                raise ServiceOrderError(f"{one}: KEY=VALUE is expected")
            if key == "command":
                command = _number(key, value)
            elif key == "times":
                times = "always" if value == "always" else _number(key, value)
            else:
                only[key] = value
        aim = Aim(command=command, times=times, only=only or None)  # type: ignore[arg-type]
        if name in self._injected:
            self._injected.pop(name)()
        self._injected[name] = inject(fault(name), self, None if aim == Aim() else aim)
        return {"injected": name}

    def _clear(self, names: Sequence[str]) -> Mapping[str, Any]:
        unknown = [name for name in names if name not in self._injected]
        if unknown:
            raise ServiceOrderError(f"{unknown[0]}: was not injected")
        gone = list(names) or list(self._injected)
        for name in gone:
            self._injected.pop(name)()
        return {"cleared": gone}


def _number(key: str, value: str) -> int:
    if not _NUMBER.fullmatch(value):
        raise ServiceOrderError(f"{key}={value}: a number from 1 is expected")
    return int(value)
