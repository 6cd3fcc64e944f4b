"""A practice software as a profile: how it reaches each function, and what it tells its user when one fails."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from bifente.conformance.bench.profiles import ROOT
from bifente.conformance.domains.support.journeys import Journey, JourneyFailure
from bifente.conformance.loading import InputError, load_document, nearest, validate
from bifente.conformance.model import Model, Title
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text
from bifente.simulator.workstation import Confidence, Poste
from bifente.simulator.workstation.rules import FactCondition, condition

_FOLDER = ROOT / "software"


class ProcessModel(Model):
    """The program that does the work, where the facts of a workstation are so."""

    when: dict[str, str] = Field(default_factory=dict, description="facts, e.g. {os: macos, os-version: '<10.15'}")
    bits: Literal[32, 64]
    confidence: Confidence
    why: Title

    @cached_property
    def conditions(self) -> tuple[FactCondition, ...]:
        """The facts, checked."""
        return tuple(condition(key, written) for key, written in self.when.items())

    @model_validator(mode="after")
    def _sound(self) -> ProcessModel:
        try:
            _ = self.conditions
        except KeyError as error:
            raise ValueError(f"{error} is no fact of a workstation") from None
        return self


class ShownText(Model):
    """What a user reads when a journey stops: the first row that fits. A row that names nothing fits everything."""

    journeys: list[Journey] = Field(default_factory=list, description="none named: any")
    components: list[str] = Field(default_factory=list, description="the component that failed; none named: any")
    codes: list[str] = Field(default_factory=list, description="the code that it gave; none named: any")
    text: Title
    confidence: Confidence
    source: str

    def fits(self, journey: Journey, failure: JourneyFailure) -> bool:
        """Whether it is what is shown."""
        return (
            (not self.journeys or journey in self.journeys)
            and (not self.components or failure.component in self.components)
            and (not self.codes or failure.code in self.codes)
        )


class SoftwareProfile(Model):
    """A software profile. ``links`` are components of its own on the way to the reader."""

    profile: str = Field(pattern=r"^software/[a-z0-9-]+$")
    title: Title
    fidelity: Fidelity
    source: str
    processes: list[ProcessModel] = Field(min_length=1, description="the first that fits is the one at work")
    links: list[str] = Field(default_factory=list)
    association: bool = Field(default=False, description="whether the DMP needs the card associated first")
    connector: bool = Field(default=False, description="whether DmpConnect-JS reads the cards for it")
    engine: bool = Field(default=False, description="whether OpenSSL's PKCS#11 engine opens its way to the DMP")
    texts: list[ShownText] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> SoftwareProfile:
        last = self.texts[-1]
        if last.journeys or last.components or last.codes:
            raise ValueError("the last text must fit everything: journeys, components and codes left out")
        if self.processes[-1].when:
            raise ValueError("the last process must fit everywhere: 'when' left out")
        return self

    def process(self, poste: Poste) -> ProcessModel:
        """Return the program at work on a workstation."""
        return next(one for one in self.processes if all(fact.meets(poste) for fact in one.conditions))

    def shown(self, journey: Journey, failure: JourneyFailure) -> ShownText:
        """Return the text that is shown."""
        return next(one for one in self.texts if one.fits(journey, failure))

    def said(self, journey: Journey, failure: JourneyFailure) -> Text:
        """Return what the user reads; ``{code}`` and ``{component}`` are filled in."""
        given: Mapping[str, str] = {"code": failure.code, "component": failure.component}
        text = self.shown(journey, failure).text
        return Text(text.fr.format_map(given), text.en.format_map(given))


@cache
def software_profiles() -> Mapping[str, SoftwareProfile]:
    """Return those that come with the bench, by name."""
    found = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        profile = _loaded(path)
        found[profile.profile] = profile
    return found


def software_profile(name: str) -> SoftwareProfile:
    """Return a profile by its name, or by the path of its file. Raise InputError."""
    if name.endswith((".yaml", ".yml")):
        return _loaded(Path(name))
    known = software_profiles()
    if name not in known:
        raise InputError.at(name, "is no known software profile", cure=nearest(name, known))
    return known[name]


def _loaded(path: Path) -> SoftwareProfile:
    document = load_document(path)
    profile = validate(SoftwareProfile, document.data, document)
    assert profile is not None  # noqa: S101 - nothing was ignored
    return profile


__all__ = ["ShownText", "SoftwareProfile", "software_profile", "software_profiles"]
