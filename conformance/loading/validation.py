"""Pydantic's findings turned into sentences with a place and a cure."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bifente.conformance.loading.document import Document, Location
from bifente.conformance.loading.problems import InputError, Problem, nearest

M = TypeVar("M", bound=BaseModel)

MAX_PROBLEMS = 100
"""Most mistakes told of one part of a document."""


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
        found = [_Found(_real(fault, data), fault) for fault in error.errors() if not ignore(fault["loc"])]
        # Each costs a search for the near word: nobody reads more of them.
        problems = [_problem(fault, model, document, at) for fault in islice(_likeliest(found), MAX_PROBLEMS)]
        if problems:
            raise InputError(list(dict.fromkeys(problems))) from None
        return None


@dataclass(frozen=True, slots=True)
class _Found:
    """One of pydantic's findings, and its location without the labels pydantic puts in for unions and keys."""

    at: Location
    fault: ErrorDetails

    @property
    def of_a_union(self) -> bool:
        return self.at != self.fault["loc"]

    @property
    def of_the_type(self) -> bool:
        return self.fault["type"].endswith("_type")


def _real(fault: ErrorDetails, data: Any) -> Location:
    real: list[str | int] = []
    for part in fault["loc"]:
        inside = isinstance(data, dict) and part in data
        inside |= isinstance(data, list) and isinstance(part, int) and part < len(data)
        if inside:
            data = data[part]
            real.append(part)
    return (*real, fault["loc"][-1]) if fault["type"] == "missing" else tuple(real)


def _likeliest(found: list[_Found]) -> Iterator[_Found]:
    """A union tells what each of its forms lacks: kept is the form the value has, else the first form."""
    told: set[Location] = set()  # where a form of a union has been seen before
    for this in found:
        if not this.of_a_union:
            yield this
            continue
        first = this.at not in told
        told.add(this.at)
        if not this.of_the_type:
            yield this
            continue
        if not first:
            continue
        others = [one for one in found if one is not this and one.of_a_union and one.at[: len(this.at)] == this.at]
        better = [one for one in others if not one.of_the_type or len(one.at) > len(this.at)]
        if not better:
            yield this


_TYPES = {
    "model_type": "a mapping of keys to values is expected",
    "model_attributes_type": "a mapping of keys to values is expected",
    "dict_type": "a mapping of keys to values is expected",
    "mapping_type": "a mapping of keys to values is expected",
    "list_type": "a list is expected",
    "tuple_type": "a list is expected",
    "set_type": "a list is expected",
    "string_type": "a text is expected",
    "string_sub_type": "a text is expected",
    "bytes_type": "bytes are expected",
    "int_type": "a whole number is expected",
    "int_parsing": "a whole number is expected",
    "int_from_float": "a whole number is expected",
    "float_type": "a number is expected",
    "float_parsing": "a number is expected",
    "finite_number": "a number is expected",
    "bool_type": "true or false is expected",
    "bool_parsing": "true or false is expected",
    "date_type": "a day such as 2027-07-13 is expected",
    "date_parsing": "a day such as 2027-07-13 is expected",
    "date_from_datetime_parsing": "a day such as 2027-07-13 is expected",
    "datetime_type": "a moment such as 2027-07-13T08:00 is expected",
    "datetime_parsing": "a moment such as 2027-07-13T08:00 is expected",
    "datetime_from_date_parsing": "a moment such as 2027-07-13T08:00 is expected",
    "time_type": "a time such as 08:30 is expected",
    "time_parsing": "a time such as 08:30 is expected",
    "decimal_parsing": "a number is expected",
    "decimal_type": "a number is expected",
    "none_required": "nothing may stand here",
    "enum": "one of {expected} is expected",
    "literal_error": "one of {expected} is expected",
    "string_pattern_mismatch": "a text of the form {pattern} is expected",
    "string_too_short": "at least {min_length} characters are expected",
    "string_too_long": "at most {max_length} characters are expected",
    "bytes_too_short": "at least {min_length} bytes are expected",
    "bytes_too_long": "at most {max_length} bytes are expected",
    "too_short": "at least {min_length} entries are expected",
    "too_long": "at most {max_length} entries are expected",
    "greater_than": "a number above {gt} is expected",
    "greater_than_equal": "a number of at least {ge} is expected",
    "less_than": "a number below {lt} is expected",
    "less_than_equal": "a number of at most {le} is expected",
    "multiple_of": "a multiple of {multiple_of} is expected",
    "union_tag_invalid": "one of {expected_tags} is expected",
    "union_tag_not_found": "it does not say which kind it is",
}
"""The library's kinds of finding in words of ours: nobody who writes a suite knows the library."""
_FORMS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "lower-case words joined by - are expected",
    r"^[a-z0-9]+([.-][a-z0-9]+)*$": "lower-case words joined by . and - are expected",
}
_OTHER = "this value is not possible here"


def _said(fault: ErrorDetails) -> str:
    kind = fault["type"]
    if kind == "value_error":
        return fault["msg"].removeprefix("Value error, ")
    given = dict(fault.get("ctx") or {})
    if (form := _FORMS.get(given.get("pattern", ""))) is not None:
        return form
    for key in ("expected", "expected_tags"):
        if key in given:
            given[key] = str(given[key]).replace(" or ", ", ").replace("'", "")
    return _TYPES.get(kind, _OTHER).format(**given)


def sentence(error: ValidationError) -> str:
    """Return the first finding of a validation in words."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return f"the key {where!r} is missing"
    if fault["type"] == "extra_forbidden":
        return f"unknown key {where!r}"
    return f"{where}: {_said(fault)}" if where else _said(fault)


def _problem(found: _Found, model: type[BaseModel], document: Document, at: Location) -> Problem:
    location, fault = found.at, found.fault
    kind = fault["type"]
    place = (str(document.path), *document.place((*at, *location)))
    key = str(location[-1]) if location else ""
    where = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        return Problem(*place, f"unknown key {key!r}", nearest(key, _fields(model, location[:-1])))
    if kind == "missing":
        return Problem(*place, f"the key {where!r} is missing")
    message = _said(fault)
    given = fault.get("input")
    shown = isinstance(given, str | int | float | bool) and kind != "value_error"
    said = f"{message[0].lower()}{message[1:]}" + (f", not {given!r}" if shown else "")
    return Problem(*place, f"{where}: {said}" if where else said)


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
