"""JSON Schema of a suite file, for completion in editors: made from the models and the register of steps."""

from __future__ import annotations

from functools import cache
from typing import Any

from bifente.conformance.expectations.circumstances import COMMON_EXPECTATIONS
from bifente.conformance.model import Artefact, StageFile, Title, suite_model
from bifente.conformance.scenario.compact import compact
from bifente.conformance.scenario.step import Step, expectable, kebab
from bifente.conformance.scenario.steps import steps

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_REFERENCE = {"type": "string", "pattern": r"^\$", "description": "a reference, e.g. $card.code"}


def suite_schema() -> dict[str, Any]:
    """The schema of a suite, its steps included."""
    return _with_steps(suite_model().model_json_schema(), "Bifente scenario suite")


def stages_schema() -> dict[str, Any]:
    """The schema of a file of stages, its steps included."""
    return _with_steps(StageFile.model_json_schema(), "Bifente stages")


def _with_steps(schema: dict[str, Any], title: str) -> dict[str, Any]:
    definitions = schema["$defs"]
    of_suites = frozenset(definitions)
    definitions["Title"] = Title.model_json_schema()
    known = steps()
    definitions |= {f"expect.{key}": _or_reference(matcher.schema) for key, matcher in COMMON_EXPECTATIONS.items()}
    for name, kind in known.items():
        arguments = kind.model_json_schema()
        # What a model of arguments defines for itself is referred to from the root of the whole schema.
        for own, model in arguments.pop("$defs", {}).items():
            # A suite's own models (cards of a bench) are read before anything is there to refer to.
            definition = model if own in of_suites else _with_references(model)
            if definitions.setdefault(own, definition) != definition:
                raise TypeError(f"two steps or models define {own} each in their own way")
        definitions[f"step.{name}"] = _step(name, kind, arguments)
        definitions[f"expected.{name}"] = _expectations(kind)
    definitions["step.use"] = _use()
    bare = [name for name, kind in known.items() if not any(info.is_required() for info in kind.model_fields.values())]
    forms = [{"$ref": f"#/$defs/step.{name}"} for name in (*known, "use")]
    definitions["Step"] = {"oneOf": [*forms, {"enum": sorted(bare), "description": "a step without arguments"}]}
    items = {"type": "array", "items": {"$ref": "#/$defs/Step"}}
    for owner, keys in (("Scenario", ("setup", "steps", "teardown")), ("Stage", ("steps",))):
        for key in keys if owner in definitions else ():
            definitions[owner]["properties"][key] |= items
    return compact({"$schema": DIALECT, **schema, "title": title})


def _or_reference(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, _REFERENCE]}


def _with_references(model: dict[str, Any]) -> dict[str, Any]:
    """A model within arguments: a reference may stand for each of its values too."""
    properties = {key: _or_reference(value) for key, value in model.get("properties", {}).items()}
    return {**model, "properties": properties} if properties else model


def _expectations(kind: type[Step]) -> dict[str, Any]:
    """What may be expected of a step; what may be of every step is one definition, or the schema is megabytes."""
    own = {key: _or_reference(matcher.schema) for key, matcher in expectable(kind).items()}
    return {
        "type": "object",
        "properties": {**{key: {"$ref": f"#/$defs/expect.{key}"} for key in COMMON_EXPECTATIONS}, **own},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _step(name: str, kind: type[Step], arguments: dict[str, Any]) -> dict[str, Any]:
    expectations = {"$ref": f"#/$defs/expected.{name}"}
    return {
        "type": "object",
        "description": (kind.__doc__ or "").strip(),
        "properties": {
            name: _arguments(kind, arguments),
            "expect": expectations,
            "should": {**expectations, "description": "what is tolerated when missing: it gives a remark"},
            "artefact": {
                "type": "object",
                "description": "what is expected instead behind vpcd, or pcsc-lite, and why: it gives a remark",
                "properties": {"expect": expectations, "why": {"$ref": "#/$defs/Title"}, "of": _artefact_of()},
                "required": ["expect", "why"],
                "additionalProperties": False,
            },
            "capture": {"type": "object", "additionalProperties": {"enum": sorted(expectable(kind))}},
            "slot": {"type": "string", "description": "slot role, when it is not the main card's"},
            "title": {"$ref": "#/$defs/Title"},
        },
        "required": [name],
        "additionalProperties": False,
    }


@cache
def _artefact_of() -> dict[str, Any]:
    schema: dict[str, Any] = Artefact.model_json_schema()["properties"]["of"]
    return _or_reference(schema)


def _arguments(kind: type[Step], schema: dict[str, Any]) -> dict[str, Any]:
    mapping = _with_references(schema)
    properties = mapping.get("properties", {})
    if not properties:
        return {"anyOf": [{"type": "null"}, mapping]}
    forms: list[dict[str, Any]] = [mapping]
    forms.append(properties[kebab(kind.shorthand)] if kind.shorthand else _REFERENCE)
    if not schema.get("required"):
        forms.append({"type": "null"})
    return {"anyOf": forms}


def _use() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "The steps of a stage, with values for its parameters.",
        "properties": {
            "use": {"type": "string"},
            "with": {"type": "object", "minProperties": 1},
            "slot": {"type": "string", "description": "slot role its steps speak to"},
        },
        "required": ["use"],
        "additionalProperties": False,
    }
