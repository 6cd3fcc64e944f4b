"""Templates of any family: read from YAML, checked, and their faults said so that they can be mended.

``checked`` works on plain data, so a loader that keeps positions can turn each problem's ``loc`` into a line and a
column; ``read_yaml`` reads a file by itself.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from bifente.ground.files import read_file
from bifente.ground.text import Text
from bifente.simulator.cards.layout import Fidelity

Loc = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)

#: A template is a page of text.
MAX_SIZE = 64 * 1024


class FidelityNote(BaseModel):
    """What the template as a whole rests on, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mark: Fidelity
    note: Text


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """One fault of a template: where (keys and indexes from its root) and what."""

    loc: Loc
    message: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.loc))}: {self.message}" if self.loc else self.message


class TemplateError(ValueError):
    """A template that cannot be used. ``source`` names the file, ``problems`` are all its faults."""

    def __init__(self, source: str, problems: Iterable[TemplateProblem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


def checked(
    model: type[ModelT], cross_checks: Callable[[ModelT], Iterable[tuple[Loc, str]]], data: object, source: str
) -> ModelT:
    """A template of any kind from plain data, ``cross_checks`` telling what concerns several of its fields.

    Raises TemplateError listing every fault found.
    """
    try:
        template = model.model_validate(data)
    except ValidationError as error:
        raise TemplateError(source, [_problem(fault, model) for fault in error.errors()]) from error
    if problems := [TemplateProblem(loc, message) for loc, message in cross_checks(template)]:
        raise TemplateError(source, problems)
    return template


def read_yaml(file: Path | Traversable) -> object:
    """The plain data of a YAML file. Raises TemplateError."""
    try:
        # A file of the user's may be a pipe, or have no end; those of a package are ours.
        raw = read_file(file, 4 * MAX_SIZE) if isinstance(file, Path) else file.read_bytes()
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(str(file), [TemplateProblem((), f"cannot be read: {error}")]) from error
    if len(text) > MAX_SIZE:
        raise TemplateError(
            str(file), [TemplateProblem((), f"is too long for a template (over {MAX_SIZE} characters)")]
        )
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - _Loader is a SafeLoader, only stricter
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TemplateError(str(file), [TemplateProblem((), f"is not valid YAML: {reason}")]) from error


class _Loader(yaml.SafeLoader):
    """Safe YAML without what a template has no use for: aliases (a short file could unfold to gigabytes) and keys
    given twice (one of them would be lost silently).
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = cast(Any, self).peek_event().start_mark
            raise yaml.constructor.ConstructorError(None, None, "aliases are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key_node, _ in node.value:
            if keys.count(key_node.value) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key_node.value!r} is given twice", key_node.start_mark
                )
        return super().construct_mapping(node, deep)


def merged(data: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data with some values replaced, nested mappings merged."""
    result = dict(data)
    for key, value in overrides.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


_ADVICE = {
    "missing": "is missing",
    "string_type": "must be text: put it in quotes, so that no digit is lost",
    "model_type": "must be a group of keys",
    "dataclass_type": "must be a group of keys",
    "tuple_type": "must be a list",
}


def _problem(fault: ErrorDetails, model: type[BaseModel]) -> TemplateProblem:
    loc = fault["loc"]
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return TemplateProblem(loc, _unknown_key(loc, model))
    if fault["type"] == "string_pattern_mismatch":
        return TemplateProblem(loc, f"{fault['input']!r} does not have the form {fault['ctx']['pattern']}")
    advice = _ADVICE.get(fault["type"])
    if advice is None:
        advice = fault["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        advice = advice.replace("Input should be", "must be")
    return TemplateProblem(loc, advice)


def _unknown_key(loc: Loc, model: type[BaseModel]) -> str:
    known = list(_fields_at(model, loc[:-1]))
    near = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; known here: {', '.join(known)}"


def _fields_at(model: type[BaseModel], loc: Loc) -> Iterable[str]:
    """The keys allowed at a place of the template."""
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            if annotation is Text:
                return [field.name for field in dataclasses.fields(Text)]
            inner = _model_in(annotation)
            if inner is None:
                return ()
            model = inner
    return model.model_fields


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)
