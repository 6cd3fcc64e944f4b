"""Pydantic's findings turned into sentences with a place and a cure."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from conformance.loading.document import Document, Location
from conformance.loading.problems import InputError, Problem, nearest

M = TypeVar("M", bound=BaseModel)


def validate(
    model: type[M],
    data: Any,
    document: Document,
    at: Location = (),
    *,
    ignore: Callable[[Location], bool] = lambda location: False,
) -> M | None:
    """``data`` as ``model``; ``at`` is where it stands in the document.

    Raises InputError with every problem found. ``ignore`` names locations (relative to ``at``) whose findings do not
    count, since their value is known only when the scenario runs; None is returned if only those were found.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = [
            problem
            for found in error.errors()
            if not ignore(found["loc"])
            for problem in [_problem(found, model, document, at)]
        ]
        if problems:
            raise InputError(_once(problems)) from None
        return None


def _once(problems: list[Problem]) -> list[Problem]:
    # A union tells each of its branches' complaints; the reader wants one per place.
    seen: dict[tuple[int, int, str], Problem] = {}
    for problem in problems:
        seen.setdefault((problem.line, problem.column, problem.message), problem)
    return list(seen.values())


def _problem(found: Any, model: type[BaseModel], document: Document, at: Location) -> Problem:
    location: Location = found["loc"]
    kind: str = found["type"]
    line, column = document.place((*at, *location))
    key = str(location[-1]) if location else ""
    where = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        known = _fields(model, location[:-1])
        return Problem(str(document.path), line, column, f"unknown key {key!r}", nearest(key, known))
    if kind == "missing":
        return Problem(str(document.path), line, column, f"the key {where!r} is missing")
    message = found["msg"].removeprefix("Value error, ")
    given = found.get("input")
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) and "ctx" in found else ""
    return Problem(str(document.path), line, column, f"{where}: {message[0].lower()}{message[1:]}{shown}")


def _fields(model: type[BaseModel], location: Location) -> list[str]:
    """The keys allowed at a place of a model."""
    for part in location:
        field = model.model_fields.get(str(part)) or next(
            (f for f in model.model_fields.values() if f.alias == part), None
        )
        if field is None:
            continue
        inner = next(_models(field.annotation), None)
        if inner is not None:
            model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, list, dict, tuple) or get_args(annotation):
        for argument in get_args(annotation):
            yield from _models(argument)
