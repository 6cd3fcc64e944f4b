"""Names that scenarios use for what lies on a card, checked when the scenario is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator

from bifente.conformance.loading.problems import nearest
from bifente.simulator.cards.families import families
from bifente.simulator.cards.layout import Layout


@cache
def _names(kind: str) -> tuple[str, ...]:
    layouts = [family.layout for family in families().values()]
    readers: dict[str, Callable[[Layout], Any]] = {
        "file": lambda layout: layout.paths,
        "application": lambda layout: layout.aids,
        "code": lambda layout: layout.secrets,
        "key": lambda layout: layout.keys,
    }
    return tuple(sorted({name for layout in layouts for name in readers[kind](layout)}))


def _known(kind: str) -> Any:
    def check(value: str) -> str:
        names = _names(kind)
        if value not in names:
            raise ValueError(f"no {kind} is named {value!r}, {nearest(value, names)}")
        return value

    return AfterValidator(check)


class _Enumerated:
    """Has a schema list the names of a kind. The layouts are read when a schema is asked for, not at import."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "enum": list(_names(self._kind))}


FileName = Annotated[str, _known("file")]
Application = Annotated[str, _known("application"), _Enumerated("application")]
CodeName = Annotated[str, _known("code"), _Enumerated("code")]
KeyName = Annotated[str, _known("key"), _Enumerated("key")]
