"""Which events somebody asks for: the matchers of expectations, on the fields of an event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bifente.conformance.expectations import StatusMatcher, ValueMatcher
from bifente.reports.events import NAMES, BenchChange, Event, Message, to_dict

_STATUS, _VALUE = StatusMatcher(), ValueMatcher()
_COMMAND = re.compile(r"[0-9A-Fa-f. ]+\*?")


def _status(value: Any) -> Any:
    if complaint := _STATUS.complaint(value):
        raise ValueError(complaint)
    return value


def _command(value: Any) -> Any:
    if not isinstance(value, str | int) or not _COMMAND.fullmatch(str(value)):
        raise ValueError(f"{value!r} is no command: hexadecimal digits, . for any digit, a final * for any end (0020*)")
    return str(value)


def _value(value: Any) -> Any:
    if complaint := _VALUE.complaint(value):
        raise ValueError(complaint)
    return value


Value = Annotated[Any, AfterValidator(_value)]


class Filter(BaseModel):
    """Events that have all of what is given. A value may be a test: ``{one-of: [...]}``, ``{pattern: ...}`` ..."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event: Literal[*NAMES] | None = Field(default=None, description="kind of event")  # type: ignore[valid-type]
    slot: Value | None = Field(default=None, description="role of the slot")
    client: str | None = Field(default=None, description="process id of the program, or with its dialogue: 4242/1")
    command: Annotated[str, BeforeValidator(_command)] | None = Field(
        default=None, description="command APDU, . for any digit, a final * for any end: 0020*"
    )
    sw: Annotated[Any, AfterValidator(_status)] | None = Field(default=None, description="status word: 9000, 63Cx")
    function: Value | None = Field(default=None, description="function called: SCardConnect, C_Login")
    result: Value | None = Field(default=None, description="its result by name")
    arguments: dict[str, Value] = Field(default_factory=dict, description="its arguments, each by name")
    movement: Value | None = Field(default=None, description="inserted, removed, replaced, lost, back")
    protocol: Value | None = Field(default=None, description="protocol of a message: http, output ...")
    peer: Value | None = Field(default=None, description="who received or sent the message")
    text: str | None = Field(default=None, description="part of what the event says in words, or of a message's body")

    def meets(self, event: Event) -> bool:
        """Whether the event is one of those."""
        plain = to_dict(event)
        return all(
            self._meets(key, expected, plain.get(key), event)
            for key, expected in self.model_dump().items()
            if expected is not None and expected != {}
        )

    def _meets(self, key: str, expected: Any, observed: Any, event: Event) -> bool:
        if key == "text":
            return str(expected) in _words(event)
        if observed is None:
            return False
        if key == "sw":
            return bool(observed) and _STATUS.meets(expected, int(observed, 16))
        if key == "command":
            return _like(expected, str(observed))
        if key == "client":
            return bool(observed == expected or str(observed).partition("/")[0] == expected)
        if key == "arguments":
            return isinstance(observed, Mapping) and all(
                name in observed and _VALUE.meets(value, observed[name]) for name, value in expected.items()
            )
        return _VALUE.meets(expected, observed)


def _like(pattern: str, command: str) -> bool:
    wanted = pattern.replace(" ", "").upper()
    end = ".*" if wanted.endswith("*") else ""
    return re.fullmatch(wanted.rstrip("*") + end, command.replace(" ", "").upper()) is not None


def _words(event: Event) -> str:
    said = event.body or "" if isinstance(event, Message) else ""
    if isinstance(event, BenchChange):
        said += event.what.fr + " " + event.what.en
    plain = to_dict(event)
    for key in ("command_text", "response_text", "text"):
        if isinstance(found := plain.get(key), dict):
            said += " " + " ".join(map(str, found.values()))
    return said
