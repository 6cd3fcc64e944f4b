"""The events of a run: what an engine tells, what the journal keeps, what the writers read.

One event is one line of JSON. The definitions below are the only ones: checking a line, writing it and the published
JSON Schema all come from them. Durations are whole microseconds, times are UTC ISO 8601 with milliseconds and a final
`Z`, bytes are upper-case hexadecimal (spaces allowed), and sentences are `Text` (French and English).

Every class is frozen and takes keyword arguments only. `seq` and `time` are set by the recorder, never by the engine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Lang, Text
from bifente.reports.verdict import Verdict

SCHEMA = 3
"""Version of the journal: raised when a line written today could not be read by yesterday's reader."""

Count: TypeAlias = Annotated[int, Field(ge=0)]
"""A whole number that cannot be negative: an index, a count, a duration in microseconds."""

Time: TypeAlias = Annotated[str, Field(pattern=r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)?$")]
"""A UTC instant such as `2025-03-01T09:30:00.250Z`; empty until the recorder has set it."""

Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in lower-case hexadecimal."""


_NOTHING = Text("", "")


class EventError(ValueError):
    """A line that is no event of this journal version; the message is one clear sentence."""


class NotJsonError(EventError):
    """A line that is no JSON at all: cut short, or not ours."""


class Phase(StrEnum):
    """The part of a scenario a step belongs to."""

    SETUP = "setup"
    STEPS = "steps"
    TEARDOWN = "teardown"


class Judged(StrEnum):
    """Whom a scenario judges: the card, the PKCS#11 module in front of it, or the host that uses both."""

    CARD = "card"
    MODULE = "module"
    HOST = "host"


class Level(StrEnum):
    """How much a note matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Strict:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(_Strict):
    """The bench that ran. `commit` is empty when unknown."""

    name: str
    version: str
    commit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input(_Strict):
    """A file the run depends on (scenario, profile, template), with the SHA-256 of its bytes."""

    path: str
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite(_Strict):
    """A suite the run intends to execute; `scenarios` counts those selected in it.

    `generated` of them were given by a matrix beside the ones that are written.
    """

    id: str
    title: Text
    file: str
    scenarios: Count
    generated: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement(_Strict):
    """A requirement cited by a selected scenario, as the catalogue has it."""

    id: str
    set: str
    set_title: str
    source: str
    confidence: str
    level: str
    actor: str
    text: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation(_Strict):
    """What had to be observed beside what was. `remark` marks a deviation that is tolerated (`ok` stays true)."""

    name: str
    expected: str
    observed: str
    ok: bool
    remark: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event(_Strict):
    seq: Count = 0
    time: Time = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(_Event):
    """The identity of a run: everything needed to repeat it. Always the first line of a journal.

    `command` is the argument vector that repeats the run; `environment` names what surrounds the bench (os, python,
    pcscd, vpcd, opensc ...); `requirements` are the cited ones, out of `requirements_total` in the catalogue.
    """

    event: Literal["run-started"] = "run-started"
    schema: Count = SCHEMA
    run_id: str
    tool: Tool
    command: tuple[str, ...]
    target: str
    reader: str | None = None
    profile: str | None = None
    seed: int
    lang: Lang = "fr"
    environment: dict[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    suites: tuple[Suite, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    requirements_total: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioStarted(_Event):
    """A scenario begins. `scenario` is the full id `suite/id`; `reproduce` is one shell line that repeats it alone.

    `judges` is None where the question does not arise: what is under test is then the card. `slots` are the roles of
    the device's slots in its own order.
    """

    event: Literal["scenario-started"] = "scenario-started"
    scenario: str
    suite: str
    title: Text
    file: str
    line: Count
    requirements: tuple[str, ...] = ()
    fidelity: Fidelity = Fidelity.DOCUMENTED
    destructive: bool = False
    profile: str | None = None
    slots: tuple[str, ...] = ()
    cards: dict[str, str] = field(default_factory=dict)
    judges: Judged | None = None
    reproduce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(_Event):
    """A step begins. `index` counts from 0 through the whole scenario, setup and teardown included.

    `name` is the kind of step as written in YAML, `via` the shared stage it came from.
    """

    event: Literal["step-started"] = "step-started"
    scenario: str
    index: Count
    name: str
    title: Text | None = None
    arguments: dict[str, JsonValue] = field(default_factory=dict)
    file: str
    line: Count
    phase: Phase = Phase.STEPS
    via: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange(_Event):
    """A command and its response, raw and decoded. `sw` is the status word, four hexadecimal digits."""

    event: Literal["exchange"] = "exchange"
    scenario: str
    index: Count
    slot: str
    command: str
    response: str
    command_text: str = ""
    response_text: Text = _NOTHING
    sw: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{4})?$")] = ""
    duration_us: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(_Event):
    """A call of a function of the software under test and its result by name (`C_Login`, `CKR_PIN_INCORRECT`).

    Codes are never in `arguments`; `answer` is what the function gave beside its result.
    """

    event: Literal["call"] = "call"
    scenario: str
    index: Count
    slot: str
    function: str
    arguments: dict[str, str] = field(default_factory=dict)
    result: str
    answer: dict[str, str] = field(default_factory=dict)
    duration_us: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchChange(_Event):
    """Something the bench did to the world: card inserted or removed, reset, clock advanced, fault injected.

    `index` is the step under way, or None between steps; `slot` is None when the change concerns no slot. `at_ms` is
    the bench clock's time since the scenario began; `picture` is how the bench stands after the change, whole:
    `slot:<role>` to the template of the card inside, after `!` if it is out of reach, or an empty text, and for a
    wireless device `link`, `token` and `battery` as words of the device.
    """

    event: Literal["bench-change"] = "bench-change"
    scenario: str
    index: Count | None = None
    slot: str | None = None
    what: Text
    at_ms: Count | None = None
    picture: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(_Event):
    """A step ends. `state_before`/`state_after` are card states (e.g. tries left); `decoded` is label, value pairs."""

    event: Literal["step-finished"] = "step-finished"
    scenario: str
    index: Count
    verdict: Verdict
    expectations: tuple[Expectation, ...] = ()
    state_before: dict[str, str] | None = None
    state_after: dict[str, str] | None = None
    decoded: tuple[tuple[str, str], ...] | None = None
    reason: Text | None = None
    duration_us: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFinished(_Event):
    """A scenario ends. `fidelity` is the weakest ground it rested on."""

    event: Literal["scenario-finished"] = "scenario-finished"
    scenario: str
    verdict: Verdict
    reason: Text | None = None
    fidelity: Fidelity = Fidelity.DOCUMENTED
    duration_us: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(_Event):
    """Something worth telling that belongs to no step."""

    event: Literal["note"] = "note"
    level: Level = Level.INFO
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(_Event):
    """The run ends. `interrupted` is true when somebody or something stopped it on the way."""

    event: Literal["run-finished"] = "run-finished"
    interrupted: bool = False
    duration_us: Count = 0


Event: TypeAlias = (
    RunStarted
    | ScenarioStarted
    | StepStarted
    | Exchange
    | Call
    | BenchChange
    | StepFinished
    | ScenarioFinished
    | Note
    | RunFinished
)
"""Any event of a journal."""

EVENT_TYPES: tuple[type[Event], ...] = (
    RunStarted,
    ScenarioStarted,
    StepStarted,
    Exchange,
    Call,
    BenchChange,
    StepFinished,
    ScenarioFinished,
    Note,
    RunFinished,
)
"""Every class of event, in the order in which a run meets them first."""

NAMES: tuple[str, ...] = tuple(str(kind.__dataclass_fields__["event"].default) for kind in EVENT_TYPES)
"""The value of `event` in a line, for every class of `EVENT_TYPES`."""


@cache
def _adapter() -> TypeAdapter[Event]:
    return TypeAdapter(Annotated[Event, Field(discriminator="event")])


def to_dict(event: Event) -> dict[str, Any]:
    """Return `event` as plain JSON values (dict, list, str, int, float, bool, None)."""
    plain: dict[str, Any] = _adapter().dump_python(event, mode="json")
    return plain


def parse_event(line: str | bytes) -> Event:
    """Return the event written in `line`, one JSON object.

    Raises `NotJsonError` when it is no JSON at all, and `EventError` when it is an unknown kind of event, an event with
    a missing, unknown or ill-typed field, or the start of a journal newer than `SCHEMA`.
    """
    try:
        event = _adapter().validate_json(line, strict=True)
    except ValidationError as error:
        _refuse_newer(line)
        raise _explained(error) from None
    if isinstance(event, RunStarted) and event.schema > SCHEMA:
        raise EventError(_newer(event.schema))
    return event


def _newer(schema: int) -> str:
    return f"written by a newer bench: journal schema {schema}, this one reads up to {SCHEMA}; update the bench"


def _refuse_newer(line: str | bytes) -> None:
    # A newer journal may well have fields unknown here: its age is the news, not the first field that differs.
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError):
        return
    match plain:
        case {"event": "run-started", "schema": int(schema)} if schema > SCHEMA:
            raise EventError(_newer(schema)) from None


def _explained(error: ValidationError) -> EventError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    kind = first["type"]
    if kind == "json_invalid":
        return NotJsonError("not JSON: " + first["msg"].removeprefix("Invalid JSON: "))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return EventError(f"unknown kind of event; this bench knows {', '.join(NAMES)}")
    where = ".".join(str(part) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    message = first["msg"][:1].lower() + first["msg"][1:]
    return EventError(f"{where or 'event'}: {message}{more}")


def journal_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one line of a journal."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bifente journal: one line",
        **_adapter().json_schema(mode="serialization"),
    }
