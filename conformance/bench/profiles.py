"""Reader profiles: a device as YAML, under ``vendor_profiles/readers``, in a domain's package or any file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, model_validator

from bifente.conformance.domain import DomainError, domains
from bifente.conformance.features import CONTACTLESS, PIN_PAD, SECOND_SLOT, Feature, features
from bifente.conformance.loading import Document, InputError, load_document, nearest, validate
from bifente.conformance.model import Identifier, Model, Title
from bifente.conformance.sections import extended, section, sections_of_profile
from bifente.ground.clock import Clock
from bifente.ground.extensions import folder_of
from bifente.ground.fidelity import Fidelity
from bifente.ground.own import READERS, own_files
from bifente.ground.text import Text
from bifente.simulator.readers import PinPad, Reader, ReaderIdentity
from bifente.simulator.readers.pace import Pace

S = TypeVar("S", bound=BaseModel)

_VERSION = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}")

ROOT = Path(__file__).resolve().parents[2] / "vendor_profiles"
"""Where the profiles that come with the bench lie."""


class System(StrEnum):
    """Operating systems, as they name readers differently."""

    WINDOWS = "windows"
    MACOS = "macos"
    LINUX = "linux"


class ProtocolName(StrEnum):
    """Transmission protocols."""

    T0 = "T0"
    T1 = "T1"


ReaderName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=121,
        pattern=r"^[!-~]+( [!-~]+)*$",
        description="printable ASCII (pyscard fails on other names), at most what pcscd takes",
    ),
]


class SlotModel(Model):
    """A slot: the role scenarios call it by, and its PC/SC names as each operating system gives them.

    ``name`` is its name in process where no operating system's is known. ``device`` is the single reader it belongs to,
    where the profile is several of them on one workstation.
    """

    role: Identifier
    names: dict[System, ReaderName] = Field(default_factory=dict, description="PC/SC names, those known")
    plain_name: ReaderName | None = Field(default=None, alias="name", description="name in process if none is known")
    capabilities: list[Feature] = Field(min_length=1)
    protocols: list[ProtocolName] = Field(default_factory=list, description="those known")
    device: ReaderName | None = Field(default=None, description="the single reader it is, among several")

    @model_validator(mode="after")
    def _named(self) -> SlotModel:
        if not self.names and self.plain_name is None:
            raise ValueError("a slot needs a name, or names by operating system")
        return self

    @property
    def name(self) -> str:
        """Its name in process: that of Windows, where the field works, else of the first system known."""
        return self.plain_name or next(self.names[system] for system in System if system in self.names)


class UsbModel(Model):
    """What the device tells on the bus."""

    vendor: str = Field(pattern=r"^[0-9A-F]{4}$")
    product: str = Field(pattern=r"^[0-9A-F]{4}$")


class PinPadModel(Model):
    """A PIN pad that PC/SC part 10 reaches, and what that rests on."""

    fidelity: Fidelity
    source: str
    display: list[Title] = Field(
        default_factory=list, max_length=255, description="what its display shows, by the index of the message"
    )

    @property
    def texts(self) -> tuple[Text, ...]:
        """Return the texts of the display."""
        return tuple(one.text for one in self.display)


class SpeedModel(Model):
    """How fast its line to the card is, and what that rests on. Without it the bench spares the wait."""

    clock_khz: int = Field(alias="clock-khz", ge=1000, le=20_000, description="clock it gives the card, e.g. 3571")
    fi: int = Field(default=372, ge=372, le=2048, description="Fi: ticks of the clock a bit takes, times Di")
    di: int = Field(default=1, ge=1, le=64, description="Di: what Fi is divided by")
    etu: int = Field(default=12, ge=10, le=266, description="bit times a byte takes, guard time included")
    fidelity: Fidelity
    source: str

    @property
    def pace(self) -> Pace:
        """Return it as slots keep it."""
        return Pace(self.clock_khz, self.fi, self.di, self.etu)


class ReaderProfile(Model):
    """A reader profile. What is not known of a device is absent."""

    profile: str = Field(pattern=r"^readers/[a-z0-9-]+$")
    title: Title
    fidelity: Fidelity
    source: str = Field(description="where the names and facts come from")
    device: ReaderName = Field(max_length=100, description="PC/SC name stem of the device")
    pnp_name: str | None = Field(default=None, alias="pnp-name", description="name in the Windows device manager")
    usb: UsbModel | None = None
    firmware: list[str] = Field(default_factory=list, description="versions seen, the newest last")
    vendor: ReaderName | None = Field(default=None, description="maker's name, as the device tells it (SCardGetAttrib)")
    serial: ReaderName | None = Field(default=None, description="serial number, as the device tells it")
    pss: bool | None = Field(
        default=None,
        description="whether it speaks the protocol of the homologated readers on a serial line; left out: not known",
    )
    extended_length: bool | None = Field(default=None, alias="extended-length", description="extended-length APDUs")
    pin_pad: PinPadModel | None = Field(default=None, alias="pin-pad")
    speed: SpeedModel | None = None
    slots: list[SlotModel] = Field(min_length=1, max_length=16)

    @model_validator(mode="after")
    def _distinct(self) -> ReaderProfile:
        for what, values in (
            ("role", [slot.role for slot in self.slots]),
            ("name", [slot.name for slot in self.slots]),
            *(
                (f"{system} name", [one.names[system] for one in self.slots if system in one.names])
                for system in System
            ),
        ):
            if twice := next((value for value in values if values.count(value) > 1), None):
                raise ValueError(f"two slots have the {what} {twice!r}")
        if any(slot.device for slot in self.slots) and not all(slot.device for slot in self.slots):
            raise ValueError("either every slot names its device, or none does")
        return self

    @property
    def capabilities(self) -> frozenset[str]:
        """The features that the device offers to scenarios."""
        own = frozenset(capability for slot in self.slots for capability in slot.capabilities)
        more = {SECOND_SLOT: len(self.slots) > 1, PIN_PAD: self.pin_pad is not None}
        sections = {name for name in features() if getattr(self, name.replace("-", "_"), None) is not None}
        return own | {name for name, there in more.items() if there} | sections

    def section(self, kind: type[S]) -> S | None:
        """Return the section of this kind that a domain brought to profiles, None if this one has none."""
        return section(self, kind)

    def roles_of(self, kind: type[BaseModel]) -> Mapping[str, str]:
        """Return the slots of the device that has a section: all of them, each under its own role."""
        return {slot.role: slot.role for slot in self.slots} if self.section(kind) is not None else {}

    @property
    def identity(self) -> ReaderIdentity:
        """Return what the device tells of itself; what is not known is absent."""
        newest = self.firmware[-1] if self.firmware else ""
        version = newest if _VERSION.fullmatch(newest) else None
        return ReaderIdentity(self.vendor, self.serial, version, self.usb is not None)

    def reader(self, clock: Clock) -> Reader:
        """The device, all slots empty."""
        made = self._made(clock)
        for slot, model in zip(made.slots, self.slots, strict=True):
            slot.pace = self.speed.pace if self.speed is not None else None
            slot.antenna = CONTACTLESS in model.capabilities
        return made

    def _made(self, clock: Clock) -> Reader:
        pin_pad = PinPad(self.pin_pad.texts) if self.pin_pad is not None else None
        told = self.identity
        if self.slots[0].device is None:
            return Reader.of(self.device, [slot.name for slot in self.slots], clock, pin_pad=pin_pad, identity=told)
        devices = [(slot.device or "", slot.name) for slot in self.slots]
        stems = dict.fromkeys(stem for stem, _name in devices)
        parts = [
            Reader.of(stem, [name for own, name in devices if own == stem], clock, pin_pad=pin_pad, identity=told)
            for stem in stems
        ]
        return Reader.together(self.device, parts)


def profile_model() -> type[ReaderProfile]:
    """Return the model of a profile, with the sections that domains bring. Raise DomainError."""
    return extended(ReaderProfile, sections_of_profile)


@lru_cache(maxsize=64)
def load_profile(name: str) -> tuple[ReaderProfile, Document]:
    """A profile by its name (``readers/generic-bislot``) or its file. Raises InputError."""
    if name.endswith((".yaml", ".yml")):
        document = load_document(Path(name))
    elif name in (known := _shelf()):
        document = load_document(known[name])
    else:
        raise InputError.at(name, "is no known profile", cure=nearest(name, known))
    profile = validate(profile_model(), document.data, document)
    assert profile is not None  # noqa: S101 - nothing was ignored
    return profile, document


def known_profiles() -> Iterator[str]:
    """Yield the names of the profiles that come with the bench and with installed domains. Raise DomainError."""
    yield from _shelf()


@cache
def _shelf() -> Mapping[str, Path]:
    """Return the file of each profile by its name: ours first, then those of domains. Raise DomainError."""
    found = dict(_in_folder(ROOT))
    for domain in domains():
        for package in domain.profiles:
            try:
                brought = _in_folder(folder_of(package))
            except ImportError as error:
                raise DomainError(f"the domain {domain.name!r}: {package}: {error}") from error
            if not brought:
                raise DomainError(f"the domain {domain.name!r}: {package} has no reader profile, readers/*.yaml")
            for name, file in brought.items():
                if name in found:
                    raise DomainError(f"two packages bring the profile {name!r}: {found[name]} and {file}: rename one")
                found[name] = file
    for name, file in own_files(READERS):
        if (known := f"{READERS}/{name}") in found:
            raise DomainError(f"{file}: a profile {known!r} is already at {found[known]}: rename one")
        found[known] = file
    return found


def _in_folder(root: Path) -> Mapping[str, Path]:
    files = sorted((root / "readers").glob("*.yaml"))
    return {file.relative_to(root).with_suffix("").as_posix(): file for file in files}
