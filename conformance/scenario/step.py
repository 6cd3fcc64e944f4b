"""What a step is: a typed model of its arguments, the keys it lets one expect, and what it does.

A step is registered under the name used in YAML by being defined; the loader, the JSON Schema and the reference page
all read that register.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.fields import FieldInfo

from bifente.conformance.bench.facets import Apdu
from bifente.conformance.bench.scene import Act
from bifente.conformance.expectations import BytesMatcher, ChoiceMatcher, Matcher, StatusMatcher
from bifente.conformance.expectations.kinds import typed
from bifente.conformance.model import CardChoice, Number
from bifente.conformance.targets.base import ImpossibleStepError, PcscCode
from bifente.conformance.targets.facets import Facet
from bifente.ground.text import Text
from bifente.simulator.fault import UNREADABLE
from bifente.simulator.iso7816.apdu import Response

Decoded: TypeAlias = tuple[tuple[str | Text, str | Text], ...]
"""Label, value pairs for a reader."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a step saw: values by expectation key, and label, value pairs for a reader."""

    values: Mapping[str, Any]
    decoded: Decoded = ()

    @classmethod
    def of(cls, response: Response, **values: Any) -> Observation:
        """The observation of one response APDU, with further values."""
        return cls({"sw": response.sw, "data": response.data, **values})


@dataclass(frozen=True, slots=True)
class Secret:
    """Marks an argument that must not be written into a record."""


def _secret(info: FieldInfo) -> bool:
    """Whether a field is marked, or any part of a union it is (``Code | None``): pydantic keeps those marks inside."""
    marks = [
        *info.metadata,
        *(mark for part in get_args(info.annotation) for mark in getattr(part, "__metadata__", ())),
    ]
    return any(isinstance(mark, Secret) for mark in marks)


_MOST_TIMES = 65_536
_LONGEST = 1_000_000
"""Most characters or bytes of one argument."""


def _to_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _unfolded(value: Any) -> Any:
    """``{repeat: A, times: 1000}`` written out, so that a long value can be read."""
    if not isinstance(value, Mapping):
        return _to_text(value)
    part, times = _to_text(value.get("repeat")), value.get("times")
    if set(value) != {"repeat", "times"} or not isinstance(part, str) or not isinstance(times, int):
        raise ValueError("a text, or a part and how often it comes, are expected: {repeat: A, times: 1000}")
    if not 0 < times <= _MOST_TIMES:
        raise ValueError(f"times goes from 1 to {_MOST_TIMES}")
    if len(part) * times > _LONGEST:
        raise ValueError(f"the part repeated makes more than {_LONGEST} characters")
    return part * times


def _to_bytes(value: Any) -> Any:
    value = _unfolded(value)
    if isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError:
            raise ValueError("hexadecimal is expected, pairs of digits such as 00 A4 04 0C") from None
    return value


def _to_message(value: Any) -> Any:
    value = _unfolded(value)
    if isinstance(value, str):
        return _to_bytes(value[2:]) if value.startswith("0x") else value.encode()
    return value


Code = Annotated[
    str, BeforeValidator(_to_text), Field(max_length=64, json_schema_extra={"type": ["string", "integer"]}), Secret()
]
Hex = Annotated[
    bytes,
    BeforeValidator(_to_bytes),
    Field(max_length=65_544, json_schema_extra={"type": ["string", "integer", "object"], "format": "hexadecimal"}),
]
Byte = Annotated[
    bytes,
    BeforeValidator(_to_bytes),
    Field(min_length=1, max_length=1),
    WithJsonSchema({"type": ["string", "integer"], "format": "hexadecimal", "pattern": "^ *[0-9A-Fa-f]{2} *$"}),
]
Message = Annotated[
    bytes,
    BeforeValidator(_to_message),
    Field(
        max_length=_LONGEST,
        json_schema_extra={"type": ["string", "integer", "object"], "format": "text, or 0x and hexadecimal"},
    ),
]

Seconds = Annotated[Number, Field(ge=0, le=60)]
"""A short while."""

__all__ = ["ImpossibleStepError"]

SUCCESS = 0x9000

Observes = Mapping[str, Matcher]
"""What may be expected of a step: key to matcher."""

SW: Mapping[str, Matcher] = {"sw": StatusMatcher()}
ANSWER: Mapping[str, Matcher] = {"sw": StatusMatcher(), "data": BytesMatcher()}


def kebab(name: str) -> str:
    """``key_reference`` as YAML writes it: ``key-reference``."""
    return name.replace("_", "-")


class Step(BaseModel, ABC):
    """A kind of step. Subclasses give ``name``, ``title`` and ``run``, and say what may be expected of them."""

    model_config = ConfigDict(
        defer_build=True, extra="forbid", frozen=True, alias_generator=kebab, validate_by_name=False
    )

    name: ClassVar[str]
    title: ClassVar[Text]
    shorthand: ClassVar[str | None] = None
    needs: ClassVar[frozenset[type[Facet]]] = frozenset()
    """What it asks the bench for; where one is not there the step is not run."""
    success: ClassVar[tuple[str, str] | None] = None
    """What is expected of a step that lets one expect it and says nothing of it."""
    observes: ClassVar[Observes] = {}
    of_a_card: ClassVar[bool] = False
    """Whether it speaks to the card of its slot: a scenario without that card cannot have it."""

    moves_cards: ClassVar[bool] = False
    """Whether another card may be in a slot afterwards than the one of the scenario."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Register the class under its name, once."""
        if "name" in cls.__dict__:
            if cls.name in STEPS:
                raise TypeError(f"two steps bear the name {cls.name}: {STEPS[cls.name].__module__}, {cls.__module__}")
            STEPS[cls.name] = cls

    @abstractmethod
    def run(self, act: Act) -> Observation:
        """Do it. Raises ScardError for PC/SC failures and GuardRefusalError where a real card must not see it."""

    @classmethod
    def arguments(cls, raw: Any) -> Any:
        """The mapping the model reads: a scalar or list goes to the ``shorthand`` argument, nothing is no argument."""
        if raw is None:
            return {}
        if isinstance(raw, Mapping) or cls.shorthand is None:
            return raw
        return {kebab(cls.shorthand): raw}

    @classmethod
    def cards(cls, raw: Any) -> tuple[CardChoice, ...]:
        """The cards that a step as written puts on the bench beside those of its scenario: a record may have to mask
        what is on them.
        """
        del raw
        return ()

    @classmethod
    def secrets(cls) -> frozenset[str]:
        """The arguments that are never written down, as YAML names them."""
        return _secrets(cls)


@cache
def _secrets(kind: type[Step]) -> frozenset[str]:
    return frozenset(kebab(key) for key, info in kind.model_fields.items() if _secret(info))


ERRORS: Mapping[str, Matcher] = {"error": ChoiceMatcher(frozenset({*(code.name for code in PcscCode), UNREADABLE}))}


class CardStep(Step, ABC):
    """A step that speaks to a card: a PC/SC error may be expected of it instead of an answer."""

    needs = frozenset[type[Facet]]({Apdu})
    success = ("sw", "9000")
    of_a_card = True

    @classmethod
    def expectable(cls) -> Mapping[str, Matcher]:
        """The step's own keys and ``error``."""
        return {**cls.observes, **ERRORS}


STEPS: dict[str, type[Step]] = {}
"""Every step that was defined so far; ``scenario.steps`` has those of all domains."""


@cache
def expectable(step: type[Step]) -> Mapping[str, Matcher]:
    """What may be written under ``expect`` for a step, each value by its kind."""
    own = step.expectable() if issubclass(step, CardStep) else step.observes
    return typed(step.name, step.__module__, own)
