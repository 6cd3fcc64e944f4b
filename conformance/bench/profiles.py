"""Reader profiles: a device as YAML under ``vendor_profiles/readers``, or any file of that shape."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from conformance.loading import Document, InputError, load_document, nearest, validate
from conformance.model import Identifier, Model, Title
from conformance.targets.base import Capability
from reports.fidelity import Fidelity
from simulator.clock import Clock
from simulator.readers import Reader

ROOT = Path(__file__).resolve().parents[2] / "vendor_profiles"
"""Where the profiles that come with the bench lie."""


class SlotModel(Model):
    """A slot: the role scenarios call it by, and its PC/SC name when it is in process."""

    role: Identifier
    name: str = Field(min_length=1, max_length=127, description="PC/SC name of the slot")
    capabilities: list[Capability] = Field(min_length=1)


class ReaderProfile(Model):
    """A reader profile."""

    profile: str = Field(pattern=r"^readers/[a-z0-9-]+$")
    title: Title
    fidelity: Fidelity
    source: str = Field(description="where the names and facts come from")
    device: str = Field(min_length=1, max_length=100, description="PC/SC name stem of the device")
    slots: list[SlotModel] = Field(min_length=1, max_length=16)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the device offers to scenarios."""
        own = frozenset(capability for slot in self.slots for capability in slot.capabilities)
        return own | ({Capability.SECOND_SLOT} if len(self.slots) > 1 else frozenset())

    def reader(self, clock: Clock) -> Reader:
        """The device, all slots empty."""
        return Reader.of(self.device, [slot.name for slot in self.slots], clock)


@lru_cache(maxsize=64)
def load_profile(name: str) -> tuple[ReaderProfile, Document]:
    """A profile by its name (``readers/generic-bislot``) or its file. Raises InputError."""
    if name.endswith((".yaml", ".yml")):
        document = load_document(Path(name))
    elif name in (known := tuple(known_profiles())):
        document = load_document(ROOT / f"{name}.yaml")
    else:
        raise InputError.at(name, "is no known profile", cure=nearest(name, known))
    profile = validate(ReaderProfile, document.data, document)
    assert profile is not None  # noqa: S101 - nothing was ignored
    return profile, document


def known_profiles() -> Iterator[str]:
    """The names of the profiles that come with the bench."""
    for path in sorted((ROOT / "readers").glob("*.yaml")):
        yield path.relative_to(ROOT).with_suffix("").as_posix()
