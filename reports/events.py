"""The events of a run: what an engine tells, what the journal keeps, what the writers read.

One event is one line of JSON. The definitions below are the only ones: checking a line, writing it and the published
JSON Schema all come from them. Durations are whole microseconds, times are UTC ISO 8601 with milliseconds and a final
`Z`, bytes are upper-case hexadecimal (spaces allowed), and sentences are `Text` (French and English).

Every class is frozen and takes keyword arguments only. `seq` and `time` are set by the recorder, never by the engine.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Lang, Text
from bifente.reports.verdict import Verdict

SCHEMA = 7
"""Version of the journal: raised when a line written today could not be read by yesterday's reader."""

Count: TypeAlias = Annotated[int, Meta(ge=0)]
"""A whole number that cannot be negative: an index, a count, a duration in microseconds."""

Time: TypeAlias = Annotated[str, Meta(pattern=r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)?$")]
"""A UTC instant such as `2025-03-01T09:30:00.250Z`; empty until the recorder has set it."""

Sha256: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in lower-case hexadecimal."""


LIKE_WINDOW = 16_384
"""How far back, in events, an exchange may be like another: a reader remembers no more than that."""

NOTHING = Text("", "")
"""What stands where nothing is said."""


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


class Direction(StrEnum):
    """Which way a message went, seen from the bench."""

    SENT = "sent"
    RECEIVED = "received"


class SeenMovement(StrEnum):
    """What clients of a PC/SC service see a card or its reader do."""

    INSERTED = "inserted"
    REMOVED = "removed"
    REPLACED = "replaced"
    LOST = "lost"
    BACK = "back"


class Level(StrEnum):
    """How much a note matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class _Strict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Tool(_Strict, frozen=True, kw_only=True):
    """The bench that ran. `commit` is empty when unknown."""

    name: str
    version: str
    commit: str = ""


class Input(_Strict, frozen=True, kw_only=True):
    """A file the run depends on (scenario, profile, template), with the SHA-256 of its bytes."""

    path: str
    sha256: Sha256


class Suite(_Strict, frozen=True, kw_only=True):
    """A suite the run intends to execute; `scenarios` counts those selected in it.

    `generated` of them were given by a matrix beside the ones that are written.
    """

    id: str
    title: Text
    file: str
    scenarios: Count
    generated: Count = 0


class Requirement(_Strict, frozen=True, kw_only=True):
    """A requirement cited by a selected scenario, as the catalogue has it."""

    id: str
    set: str
    set_title: Text
    source: Text
    confidence: str
    level: str
    actor: str
    text: Text
    note: Text | None = None


class Expectation(_Strict, frozen=True, kw_only=True):
    """What had to be observed beside what was. `remark` marks a deviation that is tolerated (`ok` stays true)."""

    name: str
    expected: str | Text
    observed: str | Text
    ok: bool
    remark: bool = False


class _Event(_Strict, frozen=True, kw_only=True, tag_field="event"):
    seq: Count = 0
    time: Time = ""


class RunStarted(_Event, frozen=True, kw_only=True, tag="run-started"):
    """The identity of a run: everything needed to repeat it. Always the first line of a journal.

    `command` is the argument vector that repeats the run; `environment` names what surrounds the bench (os, python,
    pcscd, vpcd, opensc ...); `requirements` are the cited ones, out of `requirements_total` in the catalogue. `product`
    is the name and version of what is under test, where the bench knows it.
    """

    # Made, not a plain default: those are left out of a line, and this must be in it.
    schema: Count = field(default_factory=lambda: SCHEMA)
    run_id: str
    tool: Tool
    command: tuple[str, ...]
    target: str
    product: str | None = None
    reader: str | None = None
    profile: str | None = None
    seed: int
    lang: Lang = "fr"
    environment: dict[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    suites: tuple[Suite, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    requirements_total: Count = 0


class ScenarioStarted(_Event, frozen=True, kw_only=True, tag="scenario-started"):
    """A scenario begins. `scenario` is the full id `suite/id`; `reproduce` is one shell line that repeats it alone.

    `judges` is None where the question does not arise: what is under test is then the card. `slots` are the roles of
    the device's slots in its own order.
    """

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


class StepStarted(_Event, frozen=True, kw_only=True, tag="step-started"):
    """A step begins. `index` counts from 0 through the whole scenario, setup and teardown included.

    `name` is the kind of step as written in YAML, `via` the shared stage it came from; `file` is empty where the step
    stands in the scenario's own.
    """

    scenario: str
    index: Count
    name: str
    title: Text | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    file: str = ""
    line: Count
    phase: Phase = Phase.STEPS
    via: str | None = None


class _Happening(_Event, frozen=True, kw_only=True):
    """What passed at the bench: in the step `index` of a scenario, between two of them (None), or in no scenario.

    `client` is the program that did it, where the bench knows: its process id, then `/` and the number of its dialogue
    with the card, where it has one.
    """

    scenario: str | None = None
    index: Count | None = None
    slot: str | None = None
    client: str | None = None
    duration_us: Count = 0


class Exchange(_Happening, frozen=True, kw_only=True, tag="exchange"):
    """A command and its response, raw and decoded. `sw` is the status word, four hexadecimal digits.

    In a journal, `like` stands for what an exchange says, and in which slot: that is as in the exchange of this number
    (`seq`), which says it itself and is at most `LIKE_WINDOW` events away. A reader of journals gives exchanges that
    say it all.
    """

    command: str = ""
    response: str = ""
    command_text: Text = NOTHING
    response_text: Text = NOTHING
    sw: Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{4})?$")] = ""
    like: Count | None = None


class Call(_Happening, frozen=True, kw_only=True, tag="call"):
    """A call of a function of the software under test and its result by name (`C_Login`, `CKR_PIN_INCORRECT`).

    Codes are never in `arguments`; `answer` is what the function gave beside its result.
    """

    function: str
    arguments: dict[str, str] = field(default_factory=dict)
    result: str
    answer: dict[str, str] = field(default_factory=dict)


class Message(_Happening, frozen=True, kw_only=True, tag="message"):
    """A message of a protocol (`http`, `soap`, `websocket`, `smtp` ...) that `peer` received or sent.

    `line` is the one that begins it: method and target, or status. `body` is its text; one that is long or binary is
    told by its `size` in bytes and a SHA-256 alone, the digest of what it is once its secrets are masked. `text` says
    in words what the message is, where it is decoded.
    """

    protocol: str
    peer: str
    direction: Direction
    line: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    sha256: Sha256 | None = None
    size: Count = 0
    text: Text = NOTHING


class BenchChange(_Event, frozen=True, kw_only=True, tag="bench-change"):
    """Something the bench did to the world: card inserted or removed, reset, clock advanced, fault injected.

    `index` is the step under way, or None between steps; `slot` is None when the change concerns no slot. `at_ms` is
    the bench clock's time since the scenario began; `picture` is how the bench stands after the change, whole:
    `slot:<role>` to the template of the card inside, after `!` if it is out of reach, or an empty text, and for a
    wireless device `link`, `token` and `battery` as words of the device. `movement` is what clients of a PC/SC service
    saw of a card or its reader, at the moment they could see it.
    """

    scenario: str | None = None
    index: Count | None = None
    slot: str | None = None
    what: Text
    movement: SeenMovement | None = None
    at_ms: Count | None = None
    picture: dict[str, str] = field(default_factory=dict)


class StepFinished(_Event, frozen=True, kw_only=True, tag="step-finished"):
    """A step ends. `decoded` is label, value pairs.

    `state_before` and `state_after` are what the step changed in the state of the card (e.g. tries left), before and
    after; None where nobody could look.
    """

    scenario: str
    index: Count
    verdict: Verdict
    expectations: tuple[Expectation, ...] = ()
    state_before: dict[str, str] | None = None
    state_after: dict[str, str] | None = None
    decoded: tuple[tuple[str | Text, str | Text], ...] | None = None
    reason: Text | None = None
    duration_us: Count = 0


class ScenarioFinished(_Event, frozen=True, kw_only=True, tag="scenario-finished"):
    """A scenario ends. `fidelity` is the weakest ground it rested on."""

    scenario: str
    verdict: Verdict
    reason: Text | None = None
    fidelity: Fidelity = Fidelity.DOCUMENTED
    duration_us: Count = 0


class Note(_Event, frozen=True, kw_only=True, tag="note"):
    """Something worth telling that belongs to no step."""

    level: Level = Level.INFO
    text: Text


class RunFinished(_Event, frozen=True, kw_only=True, tag="run-finished"):
    """The run ends. `interrupted` is true when somebody or something stopped it on the way."""

    interrupted: bool = False
    duration_us: Count = 0


Event: TypeAlias = (
    RunStarted
    | ScenarioStarted
    | StepStarted
    | Exchange
    | Call
    | Message
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
    Message,
    BenchChange,
    StepFinished,
    ScenarioFinished,
    Note,
    RunFinished,
)
"""Every class of event, in the order in which a run meets them first."""

NAMES: tuple[str, ...] = tuple(str(kind.__struct_config__.tag) for kind in EVENT_TYPES)
"""The value of `event` in a line, for every class of `EVENT_TYPES`."""

_ENCODER = msgspec.json.Encoder()


@cache
def _decoder() -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(Event)


def to_dict(event: Event) -> dict[str, Any]:
    """Return `event` as plain JSON values (dict, list, str, int, float, bool, None), defaults left out."""
    plain: dict[str, Any] = msgspec.json.decode(_ENCODER.encode(event))
    return plain


def parse_event(line: str | bytes) -> Event:
    """Return the event written in `line`, one JSON object; the start of a journal may be of an earlier schema.

    Raise `NotJsonError` when it is no JSON at all, and `EventError` when it is an unknown kind of event, an event with
    a missing, unknown or ill-typed field, or the start of a journal newer than `SCHEMA`.
    """
    try:
        return _decoded(line)
    except NotJsonError:
        raise
    except EventError:
        if not 0 < _schema_of_start(line) < SCHEMA:
            raise
        return parse_older(line)


def _decoded(line: str | bytes) -> Event:
    try:
        event = _decoder().decode(line)
    except msgspec.ValidationError as error:
        # The decoder stops at the first field at fault: whether the rest is JSON at all is another question.
        _refuse_what_is_no_json(line)
        _refuse_newer(line)
        raise EventError(_explained(str(error))) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise NotJsonError(f"not JSON: {error}") from None
    if isinstance(event, RunStarted) and event.schema > SCHEMA:
        raise EventError(_newer(event.schema))
    return event


def parse_older(line: str | bytes) -> Event:
    """Return the event that a journal of an earlier schema tells in `line`. Raises as `parse_event` does."""
    try:
        plain = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise NotJsonError(f"not JSON: {error}") from None
    if isinstance(plain, dict):
        # Up to schema 3 a command was told in English only, up to schema 5 a requirement.
        _say_in_both(plain, "command_text")
        requirements = plain.get("requirements")
        for cited in requirements if isinstance(requirements, list) else ():
            _say_in_both(cited, "set_title", "source", "text", "note")
    return _decoded(_ENCODER.encode(plain))


def _say_in_both(plain: Any, *names: str) -> None:
    """Let what was said in one language stand for both."""
    for name in names if isinstance(plain, dict) else ():
        if isinstance(said := plain.get(name), str):
            plain[name] = {"fr": said, "en": said}


def _newer(schema: int) -> str:
    return f"written by a newer bench: journal schema {schema}, this one reads up to {SCHEMA}; update the bench"


def _refuse_what_is_no_json(line: str | bytes) -> None:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise NotJsonError(f"not JSON: {error}") from None


def _refuse_newer(line: str | bytes) -> None:
    # A newer journal may well have fields unknown here: its age is the news, not the first field that differs.
    if (schema := _schema_of_start(line)) > SCHEMA:
        raise EventError(_newer(schema)) from None


def _schema_of_start(line: str | bytes) -> int:
    """The schema of the journal that a line begins; 0 if it begins none."""
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError):
        return 0
    match plain:
        case {"event": "run-started", "schema": int(schema)}:
            return schema
    return 0


_PLACE = re.compile(r"(.*?)(?: - at `(?:key in )?\$?\.?([^`]*)`)?", re.DOTALL)
_FIELD = re.compile(r"Object (missing required|contains unknown) field `([^`]*)`")


def _explained(message: str) -> str:
    """A complaint of the decoder, the field at fault first."""
    found = _PLACE.fullmatch(message)
    what, where = (found[1], found[2] or "") if found else (message, "")
    field_of = _FIELD.fullmatch(what)
    if where == "event" or (field_of and field_of[2] == "event"):
        return f"unknown kind of event; this bench knows {', '.join(NAMES)}"
    if field_of:
        name = ".".join(filter(None, (where, field_of[2])))
        return f"{name}: {'field required' if field_of[1].startswith('missing') else 'unexpected field'}"
    return f"{where or 'event'}: {what[:1].lower()}{what[1:]}"


def journal_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one line of a journal."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **msgspec.json.schema(Event),
        "title": "Bifente journal: one line",
    }
