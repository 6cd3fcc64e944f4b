"""Values taken from elsewhere: ``$card.code``, ``$card.activities[1].structure``, ``$captured``.

A string that is one reference takes the value as it is; ``${name}`` inside a longer string takes its text; ``$$`` is a
plain dollar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bifente.conformance.loading.problems import nearest

CARDS = ("card", "cards")
"""What a reference to what is known of a card begins with."""
ROOTS = (*CARDS, "faults")
"""What a reference may always begin with."""

_PLAIN = frozenset({int, bool, float, type(None), bytes})

_PATH = r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+|\[[0-9]+\])*"
_WHOLE = re.compile(rf"\$({_PATH})|\$\{{({_PATH})\}}")
_INSIDE = re.compile(rf"\$\$|\$\{{({_PATH})\}}")
_PART = re.compile(r"[A-Za-z0-9_-]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class BadReferenceError(Exception):
    """A reference that leads nowhere; the message says which part is unknown and what is known there."""

    def __init__(self, reference: str, part: str, known: Sequence[str]) -> None:
        super().__init__(f"${reference} leads nowhere: {part!r} is unknown ({nearest(part, known)})")
        self.reference, self.part, self.known = reference, part, tuple(known)


def references(value: Any) -> list[str]:
    """Every reference path inside a value, however deep."""
    found: list[str] = []
    _gather(value, found)
    return found


def _gather(value: Any, found: list[str]) -> None:
    # Everything that is written in every suite passes here, several times: a plain text is left as soon as it is met.
    kind = value.__class__
    if kind is dict:
        for item in value.values():
            if item.__class__ is not str or "$" in item:
                _gather(item, found)
    elif isinstance(value, str):
        if "$" not in value:
            return
        if whole := _WHOLE.fullmatch(value):
            found.append(whole[1] or whole[2])
        else:
            found += (match[1] for match in _INSIDE.finditer(value) if match[1])
    elif isinstance(value, list | tuple):
        for item in value:
            _gather(item, found)
    elif kind not in _PLAIN and isinstance(value, Mapping):  # to ask for what is abstract is slow
        for item in value.values():
            _gather(item, found)


def is_name(text: str) -> bool:
    """Whether a reference can begin with this name."""
    return _NAME.fullmatch(text) is not None


def malformed(value: Any) -> bool:
    """Whether a text looks like a reference and is none: it would be taken as it is written, which nobody means."""
    if not isinstance(value, str) or "$" not in value or is_reference(value):
        return False
    rest = _INSIDE.sub("", value)
    return "${" in rest or (rest.startswith("$") and value.startswith("$"))


def is_reference(value: Any) -> bool:
    """Whether a value is one whole reference, with nothing written beside it."""
    return isinstance(value, str) and _WHOLE.fullmatch(value) is not None


def root(reference: str) -> str:
    """The first name of a reference: ``card`` of ``card.activities[1]``."""
    found = _PART.match(reference)
    return found[0] if found else reference


def path_of(reference: str) -> list[str]:
    """Return the parts of a reference: ``card``, ``activities``, ``1`` of ``card.activities[1]``."""
    return _PART.findall(reference)


def card_role(reference: str) -> str | None:
    """The slot a reference is about: ``vitale`` of ``cards.vitale.serial``; None for any other reference."""
    first, *rest = _PART.findall(reference)
    return rest[0] if first == "cards" and rest else None


def resolve(value: Any, scope: Mapping[str, Any]) -> Any:
    """``value`` with every reference replaced. Raises BadReferenceError for one that leads nowhere."""
    if isinstance(value, str):
        if "$" not in value:
            return value
        if whole := _WHOLE.fullmatch(value):
            return _look_up(whole[1] or whole[2], scope)
        return _INSIDE.sub(lambda match: _text(_look_up(match[1], scope)) if match[1] else "$", value)
    if isinstance(value, dict | Mapping):  # dict first, as above
        return {key: resolve(item, scope) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item, scope) for item in value]
    return value


def substitute(value: Any, name: str, values: Mapping[str, Any]) -> Any:
    """``value`` with the references that begin with ``name`` replaced; all others stay as they are written.

    Raises BadReferenceError for one that leads nowhere.
    """
    if isinstance(value, str):
        if "$" not in value:
            return value
        if whole := _WHOLE.fullmatch(value):
            reference = whole[1] or whole[2]
            return _look_up(reference, {name: values}) if root(reference) == name else value

        def replaced(match: re.Match[str]) -> str:
            ours = match[1] is not None and root(match[1]) == name
            return _text(_look_up(match[1], {name: values})) if ours else match[0]

        return _INSIDE.sub(replaced, value)
    if isinstance(value, dict | Mapping):
        return {key: substitute(item, name, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [substitute(item, name, values) for item in value]
    return value


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _look_up(reference: str, scope: Mapping[str, Any]) -> Any:
    value: Any = scope
    for part in _PART.findall(reference):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, Mapping) and part.isdigit() and int(part) in value:
            # Exercise situations are known by their numbers, which may have holes.
            value = value[int(part)]
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes) and part.isdigit():
            if int(part) >= len(value):
                raise BadReferenceError(reference, part, [str(index) for index in range(len(value))])
            value = value[int(part)]
        else:
            known = [str(key) for key in value] if isinstance(value, Mapping) else []
            raise BadReferenceError(reference, part, known)
    return value
