"""Rooms bring rows and injectors by entry points, anybody's like ours; what is wrong with one is told in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bifente.ground.extensions import ExtensionError
from bifente.ground.text import Text
from bifente.simulator.fault import Aim, Fault, FaultError, FaultRoom, MissingPartError
from bifente.simulator.faults import catalogue, fault, inject, rooms, search

T = TypeVar("T")

ROWS = """
faults:
  - id: kettle-cold
    symptoms: [{fr: "l'eau de la bouilloire reste froide", en: "the water of the kettle stays cold"}]
    strikes: kitchen
    mechanism: {kind: unplugged, socket: "3"}
    expect: {word: brrr, http: "418"}
    cause: {fr: débranchée, en: unplugged}
    remedy: {fr: la brancher, en: plug it in}
    source: ours
    fidelity: modelled
"""
MODULE = """
from bifente.ground.extensions import ExtensionError
from bifente.ground.text import Text
from bifente.simulator.fault import FaultRoom

class Kettle:
    plugged = True

def make(fault, around, aim):
    kettle = around.part(Kettle)
    kettle.plugged = False
    return lambda: setattr(kettle, "plugged", True)

ROOM = FaultRoom(
    name="kitchen", title=Text("Cuisine", "Kitchen"), rows="toy_kitchen:faults.yaml", injector="toy_kitchen:make",
    mechanisms=frozenset({"unplugged"}), places=frozenset({"kitchen"}),
)
NOT_A_ROOM = "kitchen"
"""


class Nothing:
    """A bench that has no part."""

    def part(self, kind: type[T]) -> T:
        raise MissingPartError(f"a {kind.__name__}")


class Having:
    """A bench that has one part."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def part(self, kind: type[T]) -> T:
        assert isinstance(self.thing, kind)
        return self.thing


@pytest.fixture
def forget() -> Iterator[None]:
    def clear() -> None:
        rooms.cache_clear()
        catalogue.cache_clear()
        sys.modules.pop("toy_kitchen", None)

    clear()
    yield
    clear()


@pytest.fixture
def install(forget: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a package with these rows beside ours, under some entries."""
    package = tmp_path / "toy_kitchen"
    package.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(rows: str | None = ROWS, module: str = MODULE, **entries: str) -> None:
        (package / "__init__.py").write_text(module, encoding="utf-8")
        if rows is not None:
            (package / "faults.yaml").write_text(rows, encoding="utf-8")
        ours = [EntryPoint("apcv", "bifente.simulator.faults.ours:APCV", "bifente.faults")]
        theirs = [EntryPoint(name.rstrip("_"), value, "bifente.faults") for name, value in entries.items()]
        monkeypatch.setattr("bifente.ground.extensions.entry_points", lambda group: ours + theirs)

    return install


def test_somebody_else_s_room_is_in_the_catalogue_in_the_search_and_strikes(install: Any) -> None:
    install(kitchen="toy_kitchen:ROOM")
    one = fault("kettle-cold")
    assert (one.room, one.place, one.mechanism, one.parameters) == ("kitchen", "kitchen", "unplugged", {"socket": "3"})
    assert one.facts() == {"http": 418, "word": "brrr"}
    assert [found.id for found in search("bouilloire froide")] == ["kettle-cold"]
    assert [found.id for found in search("418")] == ["kettle-cold"]
    assert "apcv-service-unreachable" in catalogue()
    kettle = sys.modules["toy_kitchen"].Kettle()
    undo = inject(one, Having(kettle))
    assert not kettle.plugged
    undo()
    assert kettle.plugged


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"kitchen": "toy_kitchen:NOT_A_ROOM"},
            "toy_kitchen:NOT_A_ROOM is no bifente.simulator.fault.FaultRoom",
        ),
        ({"kitchen": "toy_kitchen:NOWHERE"}, "'kitchen' .* cannot be imported"),
        ({"kitchen": "toy_bathroom:ROOM"}, "'kitchen' .* cannot be imported: No module named 'toy_bathroom'"),
        ({"garden": "toy_kitchen:ROOM"}, "the room of faults 'garden' calls itself 'kitchen': give both one name"),
        ({"kitchen": "toy_kitchen:ROOM", "kitchen_": "toy_kitchen:ROOM"}, "two installed packages bring a room"),
        ({"kitchen": "toy_kitchen:ROOM", "rows": None}, "'kitchen': toy_kitchen:faults.yaml cannot be read"),
        ({"kitchen": "toy_kitchen:ROOM", "rows": "faults: {}"}, "kitchen: a catalogue of faults is a mapping"),
        (
            {"kitchen": "toy_kitchen:ROOM", "rows": ROWS.replace("kettle-cold", "apcv-service-unreachable")},
            "two faults bear the id 'apcv-service-unreachable': apcv and kitchen",
        ),
        (
            {"kitchen": "toy_kitchen:ROOM", "rows": ROWS.replace("unplugged,", "stolen,")},
            "'stolen' is none of",
        ),
        ({"kitchen": "toy_kitchen:ROOM", "rows": ROWS.replace("kitchen", "cellar")}, "'cellar' is none of kitchen"),
    ],
)
def test_a_room_that_cannot_be_used_is_told(install: Any, given: dict[str, Any], said: str) -> None:
    install(**given)
    with pytest.raises((FaultError, ExtensionError), match=said):
        catalogue()


def test_an_injector_that_cannot_be_imported_is_told_when_it_is_needed(install: Any) -> None:
    install(module=MODULE.replace("toy_kitchen:make", "toy_kitchen:brew"), kitchen="toy_kitchen:ROOM")
    with pytest.raises(ExtensionError, match="toy_kitchen:brew cannot be imported"):
        inject(fault("kettle-cold"), Nothing())


@pytest.mark.parametrize("name", sorted(rooms()))
def test_every_fault_of_ours_says_what_is_missing_where_there_is_nothing(name: str) -> None:
    for one in catalogue().values():
        if one.room == name:
            with pytest.raises(FaultError, match=rf"^{one.id} needs a [A-Z]"):
                inject(one, Nothing())


@pytest.mark.parametrize("name", sorted(rooms()))
def test_only_what_strikes_commands_can_be_aimed(name: str) -> None:
    for one in catalogue().values():
        if one.room == name and one.mechanism not in rooms()[name].aimed:
            with pytest.raises(FaultError, match=f"{one.id} strikes no command"):
                inject(one, Nothing(), Aim(command=2))


def test_both_languages_are_said_of_every_fault() -> None:
    for one in catalogue().values():
        for said in (*one.symptoms, one.cause, one.remedy):
            assert said.fr
            assert said.en
            assert said.fr != said.en


def test_a_room_and_a_row_are_plain_values() -> None:
    room = FaultRoom(
        name="x", title=Text("x", "x"), rows="x:y", injector="x:y", mechanisms=frozenset(), places=frozenset()
    )
    with pytest.raises(AttributeError):
        room.name = "z"  # type: ignore[misc]
    assert {type(one) for one in catalogue().values()} == {Fault}
