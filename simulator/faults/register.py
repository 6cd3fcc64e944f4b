"""One catalogue of faults: the rows of every room that is installed, found by entry points."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from bifente.ground.extensions import ExtensionError, Reference, folder_of, installed
from bifente.ground.shipped import texts
from bifente.simulator.fault import Aim, Around, Fault, FaultError, FaultRoom, Injector, MissingPartError, Undo
from bifente.simulator.faults.rows import parse

GROUP = "bifente.faults"
"""The entry point group. The name of an entry is the room's own; its value leads to a ``FaultRoom``."""


class CatalogueError(FaultError, ExtensionError):
    """The rows that a room brings cannot be used. One sentence: the room, and what is wrong."""


@cache
def rooms() -> Mapping[str, FaultRoom]:
    """Return every room that is installed, by name. Raise ExtensionError for one that cannot be used."""
    return {room.name: room for room in installed(GROUP, FaultRoom, "room of faults")}


@cache
def catalogue() -> Mapping[str, Fault]:
    """Return every fault by its id, room by room. Raise CatalogueError for rows that are wrong."""
    found: dict[str, Fault] = {}
    for room in rooms().values():
        try:
            rows = parse(_read(room), room)
        except FaultError as error:
            raise CatalogueError(f"the room of faults {room.name!r}: {error}") from error
        for identifier, one in rows.items():
            if identifier in found:
                raise CatalogueError(f"two faults bear the id {identifier!r}: {found[identifier].room} and {room.name}")
            found[identifier] = one
    return found


def fault(identifier: str) -> Fault:
    """Return a fault by its id. Raise FaultError."""
    try:
        return catalogue()[identifier]
    except KeyError:
        raise FaultError(f"no fault is named {identifier!r}") from None


def inject(one: Fault, around: Around, aim: Aim | None = None) -> Undo:
    """Make a fault by its room's injector; the function given back takes it away. Raise FaultError."""
    room = rooms()[one.room]
    if aim is not None and one.mechanism not in room.aimed:
        raise FaultError(f"{one.id} strikes no command: it cannot be told which, nor at what byte")
    make = Reference[Injector](room.injector).get()
    try:
        return make(one, around, aim)
    except MissingPartError as missing:
        raise FaultError(f"{one.id} needs {missing}") from None


def _read(room: FaultRoom) -> object:
    """The rows as texts: codes are hexadecimal, none may turn into a number on the way.

    The file is found beside the package without importing it: a list of faults waits for no service.
    """
    package, _colon, file = room.rows.partition(":")
    try:
        return texts((folder_of(package) / file).read_text(encoding="utf-8"))
    except (ImportError, OSError) as error:
        raise FaultError(f"{room.rows} cannot be read: {error}") from error
