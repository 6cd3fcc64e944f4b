"""Several readers on one workstation: their profiles together, each slot under its reader's name.

A reader is given a name; the role of a slot is then READER-SLOT: ``accueil-cps``, ``cabinet-vitale``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, PrivateAttr

from bifente.conformance.bench.profiles import ReaderProfile, SlotModel
from bifente.conformance.model import Title
from bifente.ground.clock import Clock
from bifente.ground.fidelity import Fidelity
from bifente.simulator.readers import Reader

S = TypeVar("S", bound=BaseModel)

_NUMBER = re.compile(r"^(.*?) ?(\d+)$")
_LITE = re.compile(r"^(?P<stem>.*) (?P<reader>[0-9A-F]{2}) (?P<slot>[0-9A-F]{2})$")


def label_of(readers: Mapping[str, str]) -> str:
    """Return how a set of readers is called: ``accueil=readers/fei cabinet=readers/f600``."""
    return " ".join(f"{name}={profile}" for name, profile in readers.items())


def readers_of(label: str) -> Mapping[str, str]:
    """Return the readers that such a label names; nothing if it is the name of one profile."""
    pairs = [part.partition("=") for part in label.split(" ")]
    return {name: profile for name, equals, profile in pairs if equals}


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the readers: its profile, its slots by their own roles, and the PC/SC names they have here."""

    profile: ReaderProfile
    roles: Mapping[str, str]
    names: tuple[str, ...]


class SeveralReaders(ReaderProfile):
    """Profiles taken as one: the features of all, the sections of the first that has them."""

    _parts: tuple[_Part, ...] = PrivateAttr(default=())

    @property
    def capabilities(self) -> frozenset[str]:
        """What one of the devices offers."""
        return frozenset(name for part in self._parts for name in part.profile.capabilities)

    def section(self, kind: type[S]) -> S | None:
        """Return the section of this kind of the first device that has one."""
        return next((found for part in self._parts if (found := part.profile.section(kind)) is not None), None)

    def roles_of(self, kind: type[BaseModel]) -> Mapping[str, str]:
        """Return the slots of the device that has a section, by their roles in its own profile."""
        return next((part.roles for part in self._parts if part.profile.section(kind) is not None), {})

    def reader(self, clock: Clock) -> Reader:
        """Return the devices together, all slots empty."""
        taken: set[str] = set()
        devices = [
            device for part in self._parts for device in _renamed(part.profile.reader(clock), part.names, taken, clock)
        ]
        return Reader.together(self.device, devices)


def together(profiles: Mapping[str, ReaderProfile]) -> SeveralReaders:
    """Return the profiles of several readers, by the names of the readers, as one."""
    taken: set[str] = set()
    parts = []
    slots: list[SlotModel] = []
    for reader, profile in profiles.items():
        names = tuple(_free(slot.name, taken) for slot in profile.slots)
        roles = {slot.role: f"{reader}-{slot.role}" for slot in profile.slots}
        parts.append(_Part(profile, roles, names))
        for slot, name in zip(profile.slots, names, strict=True):
            more = {"capabilities": slot.capabilities, "protocols": slot.protocols}
            slots.append(SlotModel.model_validate({"role": roles[slot.role], "name": name, **more}))
    title = ", ".join(f"{reader} : {profile.title.fr}" for reader, profile in profiles.items())
    english = ", ".join(f"{reader}: {profile.title.en}" for reader, profile in profiles.items())
    made = SeveralReaders.model_validate(
        {
            "profile": "readers/together",
            "title": Title(fr=title, en=english),
            "fidelity": Fidelity.weakest(profile.fidelity for profile in profiles.values()),
            "source": "; ".join(dict.fromkeys(profile.source for profile in profiles.values())),
            "device": next(iter(profiles.values())).device,
            "slots": slots,
        }
    )
    made._parts = tuple(parts)
    return made


def _free(name: str, taken: set[str]) -> str:
    """The name, or the next number of it that no other slot has: a system tells two devices of a kind apart so."""
    while name in taken:
        name = _next(name)
    taken.add(name)
    return name


def _next(name: str) -> str:
    if (lite := _LITE.fullmatch(name)) is not None:
        return f"{lite['stem']} {int(lite['reader'], 16) + 1:02X} {lite['slot']}"
    if (numbered := _NUMBER.fullmatch(name)) is not None:
        return f"{numbered[1]} {int(numbered[2]) + 1}"
    return f"{name} 1"


def _renamed(reader: Reader, names: tuple[str, ...], taken: set[str], clock: Clock) -> Iterator[Reader]:
    """The devices of a reader, each under a name that no other device has, its slots under these PC/SC names."""
    left = iter(names)
    for part in reader.devices:
        name = _free(part.name, taken)
        made = Reader.of(
            name, [next(left) for _slot in part.slots], clock, pin_pad=part.pin_pad, identity=part.identity
        )
        for slot, own in zip(made.slots, part.slots, strict=True):
            slot.pace, slot.antenna = own.pace, own.antenna
        yield made
