"""A workstation from a YAML file: every mistake told with its place and its cure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bifente.conformance.domains.support.journeys import Journey
from bifente.conformance.loading import Document, load_document, nearest
from bifente.ground.files import read_file
from bifente.simulator.workstation import Poste, PosteFact, poste_facts

FILES = ("galss.ini", "sesam.ini")
"""Configuration files that a workstation file may name."""
_OTHERS = ("poste", "unseen", "files", "slots", "told")
_LARGEST = 256 * 1024
_WORDS = {True: "yes", False: "no"}


@dataclass(frozen=True, slots=True)
class SupportCase:
    """A workstation, and what its user says of it: journeys that work (an empty text) or fail, with the words read."""

    poste: Poste
    told: Mapping[Journey, Told]


@dataclass(frozen=True, slots=True)
class Told:
    """What a user says of a journey. ``text`` is what is read when it fails, empty where that is not told."""

    works: bool
    text: str = ""


def load_poste(path: Path) -> Poste:
    """Read a workstation. Raise InputError with the place of the first mistake."""
    return load_case(path).poste


def load_case(path: Path) -> SupportCase:
    """Read a workstation and what its user says. Raise InputError with the place of the first mistake."""
    document = load_document(path)
    return SupportCase(_poste(document, path), dict(_told(document)))


def _told(document: Document) -> Iterator[tuple[Journey, Told]]:
    for name, said in _mapping(document, document.data, "told").items():
        if name not in tuple(Journey):
            raise document.error(
                ("told", name), f"{name!r} is no journey", nearest(name, [one.value for one in Journey])
            )
        if said in ("works", "marche"):
            yield Journey(name), Told(works=True)
        elif isinstance(said, str) and said:
            yield Journey(name), Told(works=False, text="" if said in ("fails", "échoue") else said)
        else:
            raise document.error(("told", name), "works, fails, or the words that are read are expected")


def _poste(document: Document, path: Path) -> Poste:
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("poste"), str):
        raise document.error((), "the key 'poste' is missing: the name of the workstation", "poste: cabinet-martin")
    facts = dict(_facts(document, data))
    unseen = _mapping(document, data, "unseen")
    for key in unseen:
        if key not in poste_facts():
            raise document.error(("unseen", key), f"{key!r} is no fact", nearest(key, poste_facts()))
    for key in facts:
        if key in unseen:
            raise document.error(("unseen", key), f"{key!r} has a value and is unseen as well", "keep one")
    return Poste(
        facts,
        {key: str(why) for key, why in unseen.items()},
        dict(_files(document, path.parent)),
        {str(name): str(card or "") for name, card in _mapping(document, data, "slots").items()},
        str(data["poste"]),
    )


def _facts(document: Document, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    groups: dict[str, dict[str, PosteFact]] = {}
    for key, fact in poste_facts().items():
        groups.setdefault(fact.group, {})[key] = fact
    for group in data:
        if group in _OTHERS:
            continue
        if group not in groups:
            raise document.error((group,), f"unknown key {group!r}", nearest(group, [*groups, *_OTHERS]))
        for key, value in _mapping(document, data, group).items():
            if key not in groups[group]:
                raise document.error((group, key), f"unknown key {key!r}", nearest(key, groups[group]))
            written = _WORDS[value] if isinstance(value, bool) else str(value)
            if isinstance(value, dict | list) or value is None:
                raise document.error((group, key), "one word or version is expected")
            if (why := groups[group][key].complaint(written)) is not None:
                choices = groups[group][key].choices
                raise document.error((group, key), why, nearest(written, choices) if choices else "")
            yield key, written


def _mapping(document: Document, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key) or {}
    if not isinstance(found, dict):
        raise document.error((key,), "a mapping of keys to values is expected")
    return found


def _files(document: Document, folder: Path) -> Iterator[tuple[str, bytes]]:
    for name, written in _mapping(document, document.data, "files").items():
        if name not in FILES:
            raise document.error(("files", name), f"unknown file {name!r}", f"known: {', '.join(FILES)}")
        try:
            yield name, read_file(folder / str(written), _LARGEST + 1)[:_LARGEST]
        except FileNotFoundError:
            raise document.error(("files", name), f"no such file: {folder / str(written)}") from None
        except OSError as error:
            raise document.error(("files", name), f"{written} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise document.error(("files", name), f"{written} cannot be read: {error}") from None
