"""YAML to plain data, with the place of every key and value.

The dialect is strict on purpose: no tags, no duplicate keys, only ``true`` and ``false`` are booleans, and only a
decimal integer without leading zero is a number, so that a code ``0000``, a hexadecimal ``0102`` or ``0x41``, and a
version ``1.10`` all mean what they look like.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from sys import intern
from typing import Any

import yaml

from bifente.conformance.loading.problems import InputError, near_word
from bifente.ground.files import read_file

MAX_BYTES = 2 * 1024 * 1024
"""Largest file read, in bytes."""
MAX_NODES = 200_000
"""Most values in one file once aliases are followed: a bound against alias bombs."""
MAX_DEPTH = 40
"""Deepest nesting."""

Location = tuple[str | int, ...]
"""A path inside a document: mapping keys and list indexes."""

# The same dialect, ten times faster where PyYAML was built with libyaml. Events are read one by one: libyaml's own
# tree builder recurses in C, and a file of brackets would bring the whole process down.
_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_WORD = 64
"""Most characters of a text that is kept once however often it is written."""
_COLUMNS = MAX_BYTES + 2
"""A place is one number, line times this and column, both from 1: a large suite has a hundred thousand."""

Places = int | tuple[int, tuple[str, ...] | None, tuple["Places", ...]]
"""Where a value stands and, of a mapping or a list, where each of its parts does: those of a mapping by its keys."""
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its data, where each part stands (ask ``place``), and its SHA-256."""

    path: Path
    data: Any
    places: Places
    sha256: str

    def place(self, location: Location) -> tuple[int, int]:
        """Line and column of a part, or of the nearest enclosing part that is known."""
        *_around, places = self._way(location)
        return divmod(places[0] if isinstance(places, tuple) else places, _COLUMNS)

    def holds(self, location: Location) -> bool:
        """Whether there is such a part."""
        return sum(1 for _places in self._way(location)) > len(location)

    def _way(self, location: Location) -> Iterator[Places]:
        """From the whole to a part, as far as there are such parts."""
        places: Places | None = self.places
        for step in location:
            if places is None:
                return
            yield places
            places = _part(places, step)
        if places is not None:
            yield places

    def forget_data(self) -> None:
        """Let the data go, once nobody asks for it any more; where each part stands is kept."""
        object.__setattr__(self, "data", None)

    def error(self, location: Location, message: str, cure: str = "") -> InputError:
        """An error at a part of this document."""
        line, column = self.place(location)
        return InputError.at(str(self.path), message, line=line, column=column, cure=cure)


def load_document(path: Path) -> Document:
    """Read one YAML file. Raises InputError for a missing, unreadable, too large or malformed file."""
    name = str(path)
    try:
        raw = read_file(path, MAX_BYTES)
    except FileNotFoundError:
        raise InputError.at(name, "no such file", cure=_near_file(path)) from None
    except (OSError, ValueError) as error:
        # ValueError: a name with a zero byte, which no file has.
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise InputError.at(name, f"cannot be read: {reason}") from None
    return parse_document(path, raw)


def parse_document(path: Path, raw: bytes) -> Document:
    """Read YAML that is in memory; ``path`` is what messages call it. Raises InputError if too large or malformed.

    Of what is too large, more than ``MAX_BYTES`` is enough.
    """
    name = str(path)
    if len(raw) > MAX_BYTES:
        raise InputError.at(name, f"is larger than {MAX_BYTES // 1024} KiB, the most a scenario or profile may be")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError.at(name, f"is not UTF-8 text (byte {error.start})", cure="save the file as UTF-8") from None
    try:
        composer = _Composer(name, text)
        data, places = _Reader(name).read(composer.root())
        composer.end()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = _place(mark) if mark else (0, 0)
        message, cure = f"is not valid YAML: {error.problem or error.context}", _INDENTATION
        if _character(text, line, column) == "\t":
            message, cure = "is not valid YAML: a tab stands where only spaces may", "indent with spaces"
        raise InputError.at(name, message, line=line, column=column, cure=cure) from None
    except yaml.reader.ReaderError as error:
        line, column = _place_of_character(text, error.character)
        message = f"holds the character U+{_code_point(error.character):04X}, which YAML does not allow"
        raise InputError.at(name, message, line=line, column=column, cure="remove it") from None
    return Document(path, data, places, hashlib.sha256(raw).hexdigest())


_INDENTATION = "check the indentation: spaces only, and the items of one list in the same column"


def _near_file(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist either"
    there = sorted(other.name for other in path.parent.glob("*.y*ml"))
    if not there:
        return f"no YAML file is in the folder {path.parent.absolute()}"
    # All of them end alike: that is no likeness.
    if near := near_word(path.stem, {Path(name).stem: name for name in reversed(there)}):
        return f"did you mean {near!r}?"
    return f"there: {', '.join(there[:_SHOWN])}{', …' if len(there) > _SHOWN else ''}"


_SHOWN = 6


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _character(text: str, line: int, column: int) -> str:
    return "".join(text.splitlines()[line - 1 : line])[column - 1 : column]


def _code_point(character: str | int) -> int:
    return ord(character) if isinstance(character, str) else character


def _place_of_character(text: str, character: str | int) -> tuple[int, int]:
    before = text[: max(0, text.find(chr(_code_point(character))))]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@dataclass(slots=True)
class _Node:
    """A scalar (``children`` is None), a list, or a mapping with its keys and values in turn.

    Children are composed as they are read and not kept, but for what has a name and may be read again: a file of many
    steps has a hundred thousand.
    """

    mark: tuple[int, int]
    value: str = ""
    quoted: bool = False
    mapping: bool = False
    children: Iterable[_Node] | None = None


class _Composer:
    """The tree of one document, aliases followed to what they name, no deeper than ``MAX_DEPTH``. Read it in order."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._events = yaml.parse(text, Loader=_PARSER)
        self._anchors: dict[str, _Node] = {}

    def root(self) -> _Node | None:
        """The only document's root; None if there is no document."""
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                return self._node(next(self._events), 0, kept=False)
        return None

    def end(self) -> None:
        """Nothing may come after what was read."""
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                raise _error(self._name, _place(event.start_mark), "holds a second document", "remove the line ---")

    def _node(self, event: Any, depth: int, *, kept: bool) -> _Node:
        if isinstance(event, yaml.AliasEvent):
            # An alias inside what it names finds nothing: a node has its name once it is complete.
            if (found := self._anchors.get(event.anchor or "")) is None:
                raise _error(
                    self._name, _place(event.start_mark), f"the alias *{event.anchor} names nothing written before it"
                )
            return replace(found, mark=_place(event.start_mark))
        if depth > MAX_DEPTH:
            raise _error(self._name, _place(event.start_mark), f"is nested deeper than {MAX_DEPTH} levels")
        if event.tag is not None:
            message = f"the tag {event.tag!r} is not allowed"
            raise _error(
                self._name, _place(event.start_mark), message, "write the plain value, in quotes if it is text"
            )
        node = _Node(_place(event.start_mark))
        if isinstance(event, yaml.ScalarEvent):
            # A suite says the same words a thousand times.
            node.value = intern(event.value) if len(event.value) <= _WORD else event.value
            node.quoted = bool(event.style)  # plain, the C parser says None and the Python one an empty string
        else:
            kept = kept or event.anchor is not None
            children = self._children(depth + 1, kept=kept)
            node.mapping = isinstance(event, yaml.MappingStartEvent)
            node.children = list(children) if kept else children
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _children(self, depth: int, *, kept: bool) -> Iterator[_Node]:
        while not isinstance(event := next(self._events), yaml.CollectionEndEvent):
            yield self._node(event, depth, kept=kept)


class _Reader:
    """Turns a node tree into plain data and the place of each part."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes = 0
        # A suite has the same few kinds of mapping a thousand times.
        self._keys: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, root: _Node | None) -> tuple[Any, Places]:
        if root is None:
            raise InputError.at(self._name, "is empty")
        return self._value(root, place_number(*root.mark), 0)

    def _value(self, node: _Node, place: int, depth: int) -> tuple[Any, Places]:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _error(self._name, node.mark, f"holds more than {MAX_NODES} values")
        if depth > MAX_DEPTH:
            raise _error(self._name, node.mark, f"is nested deeper than {MAX_DEPTH} levels")
        if node.children is None:
            return _scalar(node), place
        if node.mapping:
            data, parts = self._mapping(node.children, depth + 1)
            keys = tuple(data)
            return data, (place, self._keys.setdefault(keys, keys), parts)
        read = [self._value(child, place_number(*child.mark), depth + 1) for child in node.children]
        return [value for value, _places in read], (place, None, tuple(places for _value, places in read))

    def _mapping(self, children: Iterable[_Node], depth: int) -> tuple[dict[str, Any], tuple[Places, ...]]:
        result: dict[str, Any] = {}
        places: list[Places] = []
        nodes = iter(children)
        for key_node in nodes:
            if key_node.children is not None:
                raise _error(self._name, key_node.mark, "a key must be a plain word")
            key: str = key_node.value
            if key in result:
                raise _error(self._name, key_node.mark, f"the key {key!r} stands twice", "keep one")
            # A key's place is worth more than its value's: messages speak of keys.
            result[key], part = self._value(next(nodes), place_number(*key_node.mark), depth)
            places.append(part)
        return result, tuple(places)


def _part(places: Places, step: str | int) -> Places | None:
    if not isinstance(places, tuple):
        return None
    _number, keys, parts = places
    if keys is not None:
        return parts[keys.index(step)] if isinstance(step, str) and step in keys else None
    return parts[step] if isinstance(step, int) and 0 <= step < len(parts) else None


def place_number(line: int, column: int) -> int:
    """Return a place as ``Places`` hold it."""
    return line * _COLUMNS + column


def _error(name: str, place: tuple[int, int], message: str, cure: str = "") -> InputError:
    line, column = place
    return InputError.at(name, message, line=line, column=column, cure=cure)


def _scalar(node: _Node) -> Any:
    text = node.value
    if node.quoted:  # or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text
