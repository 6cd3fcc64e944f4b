"""One matcher for each kind of observed value.

A matcher says what it accepts in YAML (``complaint``, ``schema``), whether an observation meets it (``meets``), and how
both read in a report (``show``, ``show_observed``). An expectation that no observation could fail is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from bifente.simulator.iso7816 import tlv


class Matcher(Protocol):
    """How one key of ``expect`` is read and judged."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the expectation."""
        ...

    def complaint(self, expected: Any) -> str | None:
        """Why ``expected`` cannot be used, or None if it can."""
        ...

    def meets(self, expected: Any, observed: Any) -> bool:
        """Whether ``observed`` is what ``expected`` asks for."""
        ...

    def show(self, expected: Any) -> str:
        """The expectation in words."""
        ...

    def show_observed(self, observed: Any) -> str:
        """The observation in words."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A matcher that tells what is missing."""

    def show_against(self, expected: Any, observed: Any) -> str:
        """The observation in words, as far as it was asked for, and what is missing of that."""
        ...


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex(" ").upper() or "(no data)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value) or "(none)"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return str(value)


@dataclass(frozen=True, slots=True)
class StatusMatcher:
    """A status word: ``9000``, ``63Cx`` (x is any digit), or a list of which one must fit."""

    @property
    def schema(self) -> dict[str, Any]:
        """Four digits, or a list of them."""
        one = {"type": ["string", "integer"], "pattern": "^[0-9A-Fa-fxX]{4}$"}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}

    def complaint(self, expected: Any) -> str | None:
        """Four hexadecimal digits each, at least one of them fixed."""
        for word in _listed(expected):
            if not re.fullmatch(r"[0-9A-Fa-fxX]{4}", str(word)):
                return f"{word!r} is no status word: four hexadecimal digits, x for any digit (9000, 63Cx)"
            if str(word).lower() == "xxxx":
                return "xxxx would fit any answer: expect something that can fail"
        return None if _listed(expected) else "an empty list of status words fits nothing"

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` is an int."""
        word = f"{observed:04X}"
        return any(
            all(want in ("X", got) for want, got in zip(str(one).upper(), word, strict=True))
            for one in _listed(expected)
        )

    def show(self, expected: Any) -> str:
        """``9000`` or ``9000 or 6282``."""
        return " or ".join(str(word).upper().replace("X", "x") for word in _listed(expected))

    def show_observed(self, observed: Any) -> str:
        """Four digits."""
        return f"{observed:04X}"


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


_BYTES_KEYS = {"length", "starts", "contains", "equals", "differs-from"}


@dataclass(frozen=True, slots=True)
class BytesMatcher:
    """Bytes: hexadecimal with ``..`` for any byte and a final ``*`` for any end, or a mapping of conditions.

    Conditions: ``length`` (bytes), ``starts``, ``contains``, ``equals``, ``differs-from`` (hexadecimal or a captured
    value).
    """

    @property
    def schema(self) -> dict[str, Any]:
        """A pattern, or a mapping of conditions."""
        pattern = {"type": ["string", "integer"]}
        properties: dict[str, Any] = dict.fromkeys(sorted(_BYTES_KEYS - {"length"}), pattern)
        properties["length"] = {"type": "integer", "minimum": 0}
        conditions = {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}
        return {"anyOf": [pattern, conditions]}

    def complaint(self, expected: Any) -> str | None:
        """Says which part is not hexadecimal, which condition is unknown, or what could not fail."""
        if not isinstance(expected, Mapping):
            return _pattern_complaint(expected)
        if unknown := set(expected) - _BYTES_KEYS:
            return f"unknown condition {sorted(unknown)[0]!r}; known: {', '.join(sorted(_BYTES_KEYS))}"
        if not expected:
            return "no condition is given"
        for key, value in expected.items():
            if complaint := _condition_complaint(key, value):
                return f"{key}: {complaint}"
        return None

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` is bytes."""
        if not isinstance(expected, Mapping):
            return _fits(expected, observed)
        tests: Mapping[str, Callable[[Any], bool]] = {
            "length": lambda value: len(observed) == value,
            "starts": lambda value: _fits(f"{_as_hex(value)}*", observed),
            "contains": lambda value: bytes.fromhex(_as_hex(value)) in observed,
            "equals": lambda value: _fits(value, observed),
            "differs-from": lambda value: not _fits(value, observed),
        }
        return all(tests[key](value) for key, value in expected.items())

    def show(self, expected: Any) -> str:
        """The pattern or the conditions."""
        if isinstance(expected, Mapping):
            return ", ".join(f"{key} {_shorten(_as_text(value))}" for key, value in expected.items())
        return _shorten(_as_text(expected)) or "(no data)"

    def show_observed(self, observed: Any) -> str:
        """Spaced upper-case hexadecimal, the middle left out when long."""
        return f"{_shorten(_plain(observed))}" + (f" ({len(observed)} bytes)" if observed else "")


_PATTERN = re.compile(r"(\s*([0-9A-Fa-f]{2}|\.\.))*\s*\*?")
_DIGITS = re.compile(r"(\s*[0-9A-Fa-f]{2})*\s*")


def _pattern_complaint(pattern: Any) -> str | None:
    if isinstance(pattern, bytes):
        return None
    if isinstance(pattern, bool) or not isinstance(pattern, str | int) or not _PATTERN.fullmatch(str(pattern)):
        return f"{pattern!r} is not hexadecimal (pairs of digits, .. for any byte, a final * for any end)"
    return "* alone fits any data: expect something that can fail" if str(pattern).strip() == "*" else None


def _condition_complaint(key: str, value: Any) -> str | None:
    if key == "length":
        return None if type(value) is int and value >= 0 else f"{value!r} is no number of bytes"
    if complaint := _pattern_complaint(value):
        return complaint
    if key == "contains" and not isinstance(value, bytes) and not _DIGITS.fullmatch(str(value)):
        return f"{value!r} has to be plain pairs of hexadecimal digits"
    if key in ("starts", "contains") and not _as_hex(value).strip():
        return "nothing is asked for: any data would fit"
    return None


def _as_hex(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _as_text(value: Any) -> str:
    return value.hex(" ").upper() if isinstance(value, bytes) else str(value)


def _shorten(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:80]} … {text[-30:]}"


def _fits(pattern: Any, observed: bytes) -> bool:
    if isinstance(pattern, bytes):
        return pattern == observed
    text = re.sub(r"\s", "", str(pattern))
    open_end = text.endswith("*")
    pairs = re.findall(r"[0-9A-Fa-f]{2}|\.\.", text)
    if len(observed) < len(pairs) or (len(observed) > len(pairs) and not open_end):
        return False
    return all(pair == ".." or int(pair, 16) == byte for pair, byte in zip(pairs, observed, strict=False))


_VALUE_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "present": lambda want, got: want is (got is not None),
    "pattern": lambda want, got: re.fullmatch(str(want), str(got)) is not None,
    "one-of": lambda want, got: any(_same(item, got) for item in want),
    "not": lambda want, got: not _same(want, got),
    "at-least": lambda want, got: got >= want,
    "at-most": lambda want, got: got <= want,
    "contains": lambda want, got: (
        any(_same(want, item) for item in got) if isinstance(got, list | tuple) else str(want) in str(got)
    ),
}


def _same(expected: Any, observed: Any) -> bool:
    if isinstance(expected, bool) or isinstance(observed, bool):
        return expected is observed
    if isinstance(expected, list | tuple):
        return (
            isinstance(observed, list | tuple)
            and len(expected) == len(observed)
            and all(_same(want, got) for want, got in zip(expected, observed, strict=True))
        )
    return str(expected) == str(observed)


@dataclass(frozen=True, slots=True)
class ValueMatcher:
    """A word, a number, a truth value or a list; or a test: pattern, one-of, not, at-least, at-most, contains, present.

    ``contains`` looks for a part of a text, or for one whole item of a list; ``present: false`` is met where none was
    observed.
    """

    @property
    def schema(self) -> dict[str, Any]:
        """A plain value, or a mapping of tests."""
        plain = {"type": ["string", "integer", "boolean", "array"]}
        tests = {
            "type": "object",
            "properties": {key: {} for key in _VALUE_TESTS},
            "additionalProperties": False,
            "minProperties": 1,
        }
        return {"anyOf": [plain, tests]}

    def complaint(self, expected: Any) -> str | None:
        """Says which test is unknown or which pattern is no regular expression."""
        if not isinstance(expected, Mapping):
            return "nothing is expected" if expected is None else None
        if unknown := set(expected) - set(_VALUE_TESTS):
            return f"unknown test {sorted(unknown)[0]!r}; known: {', '.join(sorted(_VALUE_TESTS))}"
        if not expected:
            return "no test is given"
        try:
            re.compile(str(expected.get("pattern", "")))
        except re.error as error:
            return f"pattern is no regular expression: {error}"
        choices = expected.get("one-of", [None])
        if not isinstance(choices, list) or not choices:
            return "one-of takes a list of at least one value"
        for bound in ("at-least", "at-most"):
            if type(expected.get(bound, 0)) is not int:
                return f"{bound} takes a number"
        if expected.get("contains") in ("", None) and "contains" in expected:
            return "contains: nothing is asked for, any text would fit"
        if isinstance(expected.get("not"), Mapping):
            return "not takes a value, no test: whatever is seen differs from a test"
        if not isinstance(expected.get("present", True), bool):
            return "present takes true or false"
        if expected.get("present") is False and len(expected) > 1:
            return "present: false leaves nothing for another test to look at"
        return None

    def meets(self, expected: Any, observed: Any) -> bool:
        """Numbers and words compare by their text, so that ``02`` and ``"02"`` are the same."""
        if observed is None:
            return isinstance(expected, Mapping) and expected.get("present") is False
        if not isinstance(expected, Mapping):
            return _same(expected, observed)
        if ({"at-least", "at-most"} & set(expected)) and not isinstance(observed, int):
            return False
        return all(_VALUE_TESTS[key](value, observed) for key, value in expected.items())

    def show(self, expected: Any) -> str:
        """The value, or the tests in words."""
        return _plain(expected)

    def show_observed(self, observed: Any) -> str:
        """The value."""
        return "(absent)" if observed is None else _plain(observed)


@dataclass(frozen=True, slots=True)
class ChoiceMatcher:
    """One word out of a closed set, or a list of them of which one must fit."""

    words: frozenset[str]

    @property
    def schema(self) -> dict[str, Any]:
        """An enumeration."""
        one = {"enum": sorted(self.words)}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}

    def complaint(self, expected: Any) -> str | None:
        """Says which words are known."""
        words = _listed(expected)
        if not words:
            return "an empty list fits nothing"
        unknown = [word for word in words if not isinstance(word, str) or word not in self.words]
        return f"{unknown[0]!r} is unknown; known: {', '.join(sorted(self.words))}" if unknown else None

    def meets(self, expected: Any, observed: Any) -> bool:
        """Exact."""
        return observed in _listed(expected)

    def show(self, expected: Any) -> str:
        """``A`` or ``A or B``."""
        return " or ".join(_listed(expected))

    def show_observed(self, observed: Any) -> str:
        """The word."""
        return "(none)" if observed is None else str(observed)


_PATH = re.compile(r"[0-9A-Fa-f]{2,8}(/[0-9A-Fa-f]{2,8})*")


@dataclass(frozen=True, slots=True)
class TlvMatcher:
    """Decoded BER-TLV: tag paths such as ``62/80`` to a bytes expectation, or to ``absent``."""

    value: BytesMatcher = BytesMatcher()

    @property
    def schema(self) -> dict[str, Any]:
        """A mapping whose keys are tag paths."""
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^{_PATH.pattern}$"},
            "additionalProperties": self.value.schema,
            "minProperties": 1,
        }

    def complaint(self, expected: Any) -> str | None:
        """Says which path or value is malformed."""
        if not isinstance(expected, Mapping) or not expected:
            return "a mapping of tag paths to values is needed, e.g. {62/80: 000C}"
        for path, value in expected.items():
            if not _PATH.fullmatch(str(path)):
                return f"{path!r} is no tag path: hexadecimal tags joined by / (62/80)"
            if value != "absent" and (complaint := self.value.complaint(value)):
                return f"{path}: {complaint}"
        return None

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` is bytes; bytes that are no BER-TLV meet nothing."""
        try:
            objects = tlv.parse(observed)
        except tlv.TlvError:
            return False
        return all(self._one(objects, path, value) for path, value in expected.items())

    def _one(self, objects: Iterable[tlv.Tlv], path: str, value: Any) -> bool:
        found = tlv.find(objects, *(int(tag, 16) for tag in str(path).split("/")))
        if value == "absent":
            return found is None
        return found is not None and self.value.meets(value, found.value)

    def show(self, expected: Any) -> str:
        """``62/80 = 000C``."""
        return ", ".join(
            f"{path} {'absent' if value == 'absent' else '= ' + self.value.show(value)}"
            for path, value in expected.items()
        )

    def show_observed(self, observed: Any) -> str:
        """The raw bytes: the decoded form stands beside the exchange."""
        return BytesMatcher().show_observed(observed)
