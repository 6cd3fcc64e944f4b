"""The reference page of steps, in Markdown, from the same definitions as the loader and the JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bifente.conformance.expectations.circumstances import COMMON_EXPECTATIONS, DURATIONS
from bifente.conformance.expectations.matchers import Matcher
from bifente.conformance.expectations.typed import TypedMatcher
from bifente.conformance.scenario.step import Step, expectable, kebab
from bifente.conformance.scenario.steps import steps
from bifente.simulator.cards.families import state_keys

_INTRODUCTION = """# Steps

This page is written by `bifente schema steps`; the loader, the JSON Schema and this page come from one definition.

Beside its action a step may carry `expect` (what must be observed), `should` (what is tolerated when missing: the
verdict is then "passed with remark"), `artefact` (what is expected instead behind vpcd or pcsc-lite, and why),
`capture` (new name: observed key), `slot` (when it is not the main card's) and `title`. A step that says nothing of
`sw` expects 9000, one that says nothing of `rv` expects CKR_OK. A step that speaks to a card may expect `error`, a
PC/SC error by its name, instead of an answer; UNREADABLE_ANSWER is a PC/SC success without a status word.

Behind each value that may be expected stands its kind, or the words that it may be; what it can never be is refused
when the suite is read. A `number`: `tries-left: 2`, or a test: `battery: {at-least: 20}`. A `truth`: `low: false`. A
`text`: `sector: SA07`, `reason: {contains: expired}`, `sector: {one-of: [SA07, SA08]}`. A `list`: `names: [A, B]`, or
one item of it: `names: {contains: A}`. Groups of a zone: `groups: [101, 104]`, or
`groups: {present: [106], absent: [107], count: {104: 3}}`. A status word: `sw: 63Cx`, or one of several:
`sw: [9000, 6282]`. Bytes: `data: 6F 1A *`, `data: {length: 8}`.

Every step also lets one expect:

"""


def steps_page() -> str:
    """The whole page."""
    return _INTRODUCTION + "\n".join(
        (*_common(), "", *(line for name in sorted(steps()) for line in _step(steps()[name])))
    )


def _common() -> Iterator[str]:
    notes = {
        "before": f"state of the card before the step: {', '.join(state_keys())}",
        "after": "state of the card after the step, by the same names",
        "within": "duration class: " + ", ".join(f"{name} ({bound:g} s)" for name, bound in DURATIONS.items()),
        "lasts-ms": "milliseconds that pass on the bench's own clock (needs clock), e.g. {at-most: 5000}",
    }
    for key in COMMON_EXPECTATIONS:
        yield f"* `{key}`: {notes[key]}"


def _step(step: type[Step]) -> Iterator[str]:
    yield f"## {step.name}"
    yield ""
    yield " ".join((step.__doc__ or "").split())
    yield ""
    schema = step.model_json_schema()
    required = set(schema.get("required", ()))
    for name, about in schema.get("properties", {}).items():
        words = [_type(about, schema.get("$defs", {}))]
        if name in required:
            words.append("required")
        elif about.get("default") not in (None, ""):
            words.append(f"default {about['default']}")
        if step.shorthand and name == kebab(step.shorthand):
            words.append(f"may stand alone: `{step.name}: ...`")
        if name in step.secrets():
            words.append("never written in a record")
        description = f": {about['description']}" if "description" in about else ""
        yield f"* `{name}` ({', '.join(words)}){description}"
    observed = ", ".join(f"`{key}`{_kind(matcher)}" for key, matcher in sorted(expectable(step).items()))
    if observed:
        yield f"* lets one expect {observed}"
    if step.needs:
        yield f"* needs {', '.join(sorted(need.key for need in step.needs))}"
    yield ""


def _kind(matcher: Matcher) -> str:
    """What may be written, where it is one value of a kind or one of some words."""
    if not isinstance(matcher, TypedMatcher):
        return ""
    if matcher.words:
        return f" ({', '.join(sorted(matcher.words))})"
    return f" ({matcher.kind})"


def _type(about: dict[str, Any], defined: dict[str, Any]) -> str:
    if "$ref" in about:
        return _type(defined[about["$ref"].rpartition("/")[2]], defined)
    if "enum" in about:
        return " or ".join(map(str, about["enum"]))
    if "anyOf" in about:
        kinds = dict.fromkeys(_type(one, defined) for one in about["anyOf"] if one.get("type") != "null")
        return " or ".join(kinds) or "any"
    if "format" in about:
        return str(about["format"])
    kind = about.get("type", "text")
    return "text" if kind in ("string", ["string", "integer"]) else str(kind)
