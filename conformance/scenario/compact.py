"""A JSON Schema made small: what stands in several places is written once and referred to."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

_SHORTEST = 48
"""Fewest characters of what is worth a reference."""
_NAMES = frozenset({"properties", "$defs", "patternProperties"})
"""Keywords whose value maps names to schemas: a property may itself be called title."""


def compact(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the same schema with repeated parts among its definitions and without generated titles."""
    plain: dict[str, Any] = {**_untitled(schema), **({"title": schema["title"]} if "title" in schema else {})}
    definitions = plain.pop("$defs", {})
    counts: Counter[str] = Counter()
    _count({"root": plain, "$defs": definitions}, counts)
    names: dict[str, str] = {}
    shared: dict[str, Any] = {}
    for text, times in sorted(counts.items(), key=lambda item: (len(item[0]), item[0])):
        if times > 1 and len(text) >= _SHORTEST:
            names[text] = f"shared.{len(names) + 1}"
    for text, name in names.items():
        shared[name] = _referring(json.loads(text), names, own=text)
    made = {name: _referring(one, names, own=_text(one)) for name, one in definitions.items()}
    return {**_referring(plain, names, own=_text(plain)), "$defs": {**made, **shared}}


def _untitled(value: Any, *, names: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: _untitled(item, names=key in _NAMES and not names)
            for key, item in value.items()
            if names or key != "title" or not isinstance(item, str)
        }
    return [_untitled(item) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict) and bool({"type", "anyOf", "oneOf", "enum"} & value.keys())


def _count(value: Any, counts: Counter[str]) -> None:
    if isinstance(value, dict):
        if _is_schema(value):
            counts[_text(value)] += 1
        for item in value.values():
            _count(item, counts)
    elif isinstance(value, list):
        for item in value:
            _count(item, counts)


def _referring(value: Any, names: dict[str, str], *, own: str = "") -> Any:
    if isinstance(value, dict):
        text = _text(value) if _is_schema(value) else ""
        if text and text != own and text in names:
            return {"$ref": f"#/$defs/{names[text]}"}
        return {key: _referring(item, names) for key, item in value.items()}
    return [_referring(item, names) for item in value] if isinstance(value, list) else value
