"""YAML to plain data, with the place of every key and value.

The dialect is strict on purpose: no tags, no duplicate keys, only ``true`` and ``false`` are booleans, and a number
with a leading zero stays text, so that a code ``0000`` or a hexadecimal ``0102`` means what it looks like.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from conformance.loading.problems import InputError, nearest

MAX_BYTES = 2 * 1024 * 1024
"""Largest file read, in bytes."""
MAX_NODES = 200_000
"""Most values in one file once aliases are followed: a bound against alias bombs."""
MAX_DEPTH = 40
"""Deepest nesting."""

Location = tuple[str | int, ...]
"""A path inside a document: mapping keys and list indexes."""

# The same safe dialect, ten times faster where PyYAML was built with libyaml.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_HEXADECIMAL = re.compile(r"0x[0-9A-Fa-f]{1,16}")
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its data, where each part stands (line and column from 1), and its SHA-256."""

    path: Path
    data: Any
    places: Mapping[Location, tuple[int, int]]
    sha256: str

    def place(self, location: Location) -> tuple[int, int]:
        """Line and column of a part, or of the nearest enclosing part that is known."""
        for end in range(len(location), -1, -1):
            if (found := self.places.get(location[:end])) is not None:
                return found
        return (1, 1)

    def error(self, location: Location, message: str, cure: str = "") -> InputError:
        """An error at a part of this document."""
        line, column = self.place(location)
        return InputError.at(str(self.path), message, line=line, column=column, cure=cure)


def load_document(path: Path) -> Document:
    """Read one YAML file. Raises InputError for a missing, unreadable, too large or malformed file."""
    name = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError.at(name, "no such file", cure=_near_file(path)) from None
    except OSError as error:
        raise InputError.at(name, f"cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise InputError.at(name, f"is larger than {MAX_BYTES // 1024} KiB, the most a scenario or profile may be")
    try:
        root = yaml.compose(raw.decode("utf-8"), Loader=_LOADER)
        data, places = _Reader(name).read(root)
    except UnicodeDecodeError as error:
        raise InputError.at(name, f"is not UTF-8 text (byte {error.start})", cure="save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise InputError.at(
            name,
            f"is not valid YAML: {error.problem or error.context}",
            line=line,
            column=column,
            cure="check the indentation: spaces only, and the items of one list in the same column",
        ) from None
    except yaml.YAMLError as error:
        raise InputError.at(name, f"is not valid YAML: {error}") from None
    except RecursionError:
        raise InputError.at(name, f"is nested deeper than {MAX_DEPTH} levels") from None
    return Document(path, data, places, hashlib.sha256(raw).hexdigest())


def _near_file(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist either"
    return nearest(path.name, (other.name for other in path.parent.glob("*.yaml")))


class _Reader:
    """Turns a composed YAML node tree into plain data and the place of each part."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._places: dict[Location, tuple[int, int]] = {}
        self._nodes = 0

    def read(self, root: yaml.Node | None) -> tuple[Any, dict[Location, tuple[int, int]]]:
        if root is None:
            raise InputError.at(self._name, "is empty")
        return self._value(root, ()), self._places

    def _error(self, node: yaml.Node, message: str, cure: str = "") -> InputError:
        mark = node.start_mark
        return InputError.at(self._name, message, line=mark.line + 1, column=mark.column + 1, cure=cure)

    def _value(self, node: yaml.Node, location: Location) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._error(node, f"holds more than {MAX_NODES} values")
        if len(location) > MAX_DEPTH:
            raise self._error(node, f"is nested deeper than {MAX_DEPTH} levels")
        self._places.setdefault(location, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(child, (*location, index)) for index, child in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, "a key must be a plain word")
            key = key_node.value
            if key in result:
                raise self._error(key_node, f"the key {key!r} stands twice", "keep one")
            # A key's place is worth more than its value's: messages speak of keys.
            self._places[(*location, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            result[key] = self._value(value_node, (*location, key))
        return result

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag not in _PLAIN_TAGS:
            raise self._error(node, f"the tag {node.tag!r} is not allowed", "write the plain value")
        text: str = node.value
        if getattr(node, "style", None):
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
            return int(text, 0)
        if _DECIMAL.fullmatch(text):
            return float(text)
        return text


_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge")
)
