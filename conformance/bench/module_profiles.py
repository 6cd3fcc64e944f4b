"""PKCS#11 modules as YAML under ``vendor_profiles/modules``: what one is not made for, with the reason in words.

A module is recognised by what it says of itself (C_GetInfo). One that no profile recognises lacks nothing: everything
applies to it.
"""

from __future__ import annotations

from functools import cache

from pydantic import Field

from bifente.conformance.bench.profiles import ROOT
from bifente.conformance.loading import load_document, validate
from bifente.conformance.model import Model, ModuleAbility, Title
from bifente.conformance.targets.pkcs11 import ModuleInfo
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text


class Recognised(Model):
    """How C_GetInfo describes the module: each text begins so."""

    manufacturer: str = Field(min_length=1, max_length=32)
    description: str = Field(min_length=1, max_length=32)


class ModuleProfile(Model):
    """A module profile."""

    profile: str = Field(pattern=r"^modules/[a-z0-9-]+$")
    title: Title
    fidelity: Fidelity
    source: str = Field(description="where what it lacks was seen or read")
    recognised: Recognised
    lacks: dict[ModuleAbility, Title] = Field(
        default_factory=dict, description="what it is not made for, and why, as the report says it"
    )

    def is_that_of(self, info: ModuleInfo) -> bool:
        """Whether a module is the one described."""
        wanted = self.recognised
        return info.manufacturer.startswith(wanted.manufacturer) and info.description.startswith(wanted.description)

    def lacking(self, ability: ModuleAbility) -> Text | None:
        """Why the module is not made for it, or None if it is."""
        reason = self.lacks.get(ability)
        return reason.text if reason is not None else None


@cache
def module_profiles() -> tuple[ModuleProfile, ...]:
    """Those that come with the bench."""
    found = []
    for path in sorted((ROOT / "modules").glob("*.yaml")):
        document = load_document(path)
        profile = validate(ModuleProfile, document.data, document)
        assert profile is not None  # noqa: S101 - nothing was ignored
        found.append(profile)
    return tuple(found)


def profile_of(info: ModuleInfo) -> ModuleProfile | None:
    """The profile of a module; None for one that nobody has described."""
    return next((profile for profile in module_profiles() if profile.is_that_of(info)), None)
