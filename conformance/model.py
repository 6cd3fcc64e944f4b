"""The shape of a suite file, as pydantic models: the loader, the JSON Schema and the messages come from here.

The steps themselves stay raw here: each is checked by the class of its name (``conformance.scenario.steps``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator

from bifente.conformance.features import Feature
from bifente.conformance.sections import extended, sections_of_bench
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import LANGS, Text
from bifente.reports.events import Judged

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="lower-case words joined by -")]
SuiteName = Annotated[
    str, Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", description="lower-case words joined by . and -")
]
Number = Annotated[float, Field(json_schema_extra={"type": ["number", "string"]})]
"""A number with a point: files keep one as text until it is known to be one, so that no digit of a code is lost."""
RawStep = Annotated[dict[str, Any], BeforeValidator(lambda raw: {raw: None} if isinstance(raw, str) else raw)]
"""A step as written; a word alone is a step without arguments (``- insert-card``)."""


class Model(BaseModel):
    """Common rules: no unknown key, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def in_each_language(given: Any) -> Any:
    """Return what was said in one language as said in both; anything else as it is."""
    if isinstance(given, str):
        return {"fr": given, "en": given}
    if isinstance(given, Mapping) and (one := {*given} & {*LANGS}) and len(one) == 1:
        said = given[next(iter(one))]
        return {**dict.fromkeys(LANGS, said), **given}
    return given


def _sentence(given: Any) -> Any:
    if not isinstance(given, str | Mapping | Text):
        raise ValueError("a sentence is a text, or one for each language: {fr: ..., en: ...}")
    return in_each_language(given)


def _said(sentence: Text) -> Text:
    if not (sentence.fr.strip() and sentence.en.strip()):
        raise ValueError("a sentence is not empty")
    return sentence


Sentence = Annotated[Text, BeforeValidator(_sentence), AfterValidator(_said)]
"""A sentence as it travels: written as a text, or as one for each language. Of one language, it stands for both."""


class Title(Model):
    """A title: a text, or one for each language. What is said in one language only stands for both."""

    fr: str
    en: str

    @model_validator(mode="before")
    @classmethod
    def _both(cls, given: Any) -> Any:
        if given is None or isinstance(given, int | float | list):
            raise ValueError("a title is a text, or one for each language: {fr: ..., en: ...}")
        return in_each_language(given)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        """A text, or a mapping with at least one language."""
        made = handler.resolve_ref_schema(handler(core_schema))
        made.pop("required", None)
        text = {"type": "string"}
        form = {**made, "minProperties": 1}
        made.clear()
        made.update({"description": form.pop("description", ""), "anyOf": [text, form]})
        return dict(made)

    @property
    def text(self) -> Text:
        """The title as it travels in events."""
        return Text(self.fr, self.en)


class CardChoice(Model):
    """A card by its template, with parameters of the template given anew (``lifecycle``, ``codes`` ...)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    template: str

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What replaces the template's own parameters."""
        return self.model_extra or {}

    @property
    def label(self) -> str:
        """``infirmier``, or ``infirmier+lifecycle=expired``: what tells the choices of a matrix apart."""
        return "+".join([self.template, *(f"{key}={_compact(value)}" for key, value in self.parameters.items())])


def _compact(value: Any) -> str:
    return ";".join(f"{key}={_compact(item)}" for key, item in value.items()) if isinstance(value, dict) else str(value)


Card = str | CardChoice
Profiles = Annotated[list[str], Field(min_length=1)]
Cards = Annotated[list[Card], Field(min_length=1)]


class ModuleAbility(StrEnum):
    """What a scenario may need a PKCS#11 module to be made for; families of cards are asked for by the cards."""

    FAMILY_CPS3 = "family-cps3"
    FAMILY_CPS4 = "family-cps4"
    ANS_SPECIFICATION = "ans-specification"
    SIGNATURE_KEY = "signature-key"
    WRITE_DATA = "write-data"
    UNBLOCK = "unblock"
    SO_FLAGS = "so-flags"
    CPS2TER_OBJECTS = "cps2ter-objects"
    ENCRYPTION = "encryption"
    RESET_ENDS_SESSION = "reset-ends-session"
    UPDATE_CHECK = "update-check"


class BenchModel(Model):
    """What to assemble. A list is a matrix: the scenario runs once for each of its values."""

    profile: str | Profiles | None = Field(default=None, description="reader profile, e.g. readers/generic-bislot")
    readers: dict[Identifier, str] | None = Field(
        default=None,
        min_length=1,
        description="several readers, each a name and its profile: their slots are then called READER-SLOT",
    )
    cards: dict[Identifier, Card | Cards] | None = Field(default=None, description="slot role to card template")
    day: str | None = Field(
        default=None,
        pattern=r"^(\d{4}-\d\d-\d\d|\$\S+)$",
        description="the day on which the scenario begins, instead of today, e.g. 2027-07-13",
    )


class Combine(StrEnum):
    """How the values of a matrix meet."""

    ALL = "all"
    PAIRWISE = "pairwise"


class Matrix(Model):
    """Axes of values: the scenario runs for many combinations of them, ``$matrix.<axis>`` is the value at hand.

    The values of an axis named ``fault`` are faults of the catalogue; one that the reader profile cannot have is left
    out of the combinations.
    """

    axes: dict[Identifier, Annotated[list[Any], Field(min_length=1)]] = Field(min_length=1)
    combine: Combine = Field(
        default=Combine.ALL, description="all combinations, or as few as let every pair of values meet"
    )
    without: list[Annotated[dict[Identifier, Any], Field(min_length=1)]] = Field(
        default_factory=list, description="combinations left out: axis to value, or to a list of values"
    )

    @model_validator(mode="after")
    def _known_axes(self) -> Matrix:
        for one in self.without:
            for name in one:
                if name not in self.axes:
                    raise ValueError(f"without names {name!r}, which is no axis of the matrix")
        return self


class Artefact(Model):
    """What a step shows behind vpcd, or behind pcsc-lite, and why it is not what other readers and systems show."""

    expect: dict[str, Any] = Field(min_length=1)
    why: Title
    of: Literal["vpcd", "pcsc-lite"] = Field(
        default="vpcd", description="what shows it: the driver of virtual readers, or pcsc-lite whatever the reader"
    )


class Stage(Model):
    """Steps with a name, used by several scenarios through ``use``."""

    title: Title | None = None
    parameters: list[Identifier] = Field(default_factory=list)
    steps: list[RawStep] = Field(min_length=1)


class Scenario(Model):
    """One scenario: what must hold before, what is done, what must be observed."""

    id: Identifier
    title: Title
    requirements: list[str] = Field(
        default_factory=list, description="ids of the requirement catalogue, if it proves any"
    )
    destructive: bool = Field(
        default=False, description="may use up a try or change the card: never on a real card unless the run allows it"
    )
    fidelity: Fidelity | None = Field(default=None, description="what the simulated behaviour rests on")
    judges: Judged | None = Field(
        default=None, description="who is judged; needed where steps speak PKCS#11, which card, module and host share"
    )
    requires: list[Feature] = Field(default_factory=list, description="what the reader profile must offer")
    requires_module: list[ModuleAbility] = Field(
        default_factory=list, alias="requires-module", description="what the PKCS#11 module must be made for"
    )
    bench: BenchModel | None = None
    matrix: Matrix | None = Field(default=None, description="what it runs for, one combination of values at a time")
    setup: list[RawStep] = Field(default_factory=list, description="preconditions: if one fails the rest is blocked")
    steps: list[RawStep] = Field(min_length=1)
    teardown: list[RawStep] = Field(default_factory=list, description="done whatever happened")


class SuiteModel(Model):
    """A suite file."""

    suite: SuiteName
    title: Title
    fidelity: Fidelity = Field(description="what the simulated behaviour rests on, unless a scenario says otherwise")
    requires: list[Feature] = Field(default_factory=list, description="what its scenarios need of the reader profile")
    bench: BenchModel = Field(default_factory=BenchModel)
    include: list[str] = Field(default_factory=list, description="stage files, relative to this one")
    catalogues: list[str] = Field(
        default_factory=list, description="own requirements and test codes, YAML or CSV, relative to this one"
    )
    stages: dict[Identifier, Stage] = Field(default_factory=dict)
    scenarios: list[Scenario] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_once(self) -> SuiteModel:
        seen: set[str] = set()
        for scenario in self.scenarios:
            if scenario.id in seen:
                raise ValueError(f"two scenarios bear the id {scenario.id!r}")
            seen.add(scenario.id)
        return self

    @model_validator(mode="after")
    def _one_way(self) -> SuiteModel:
        for bench in (self.bench, *(scenario.bench for scenario in self.scenarios)):
            if bench is not None and bench.profile is not None and bench.readers is not None:
                raise ValueError("bench says either profile (one reader) or readers (several), not both")
        return self


def suite_model() -> type[SuiteModel]:
    """Return the model of a suite, its ``bench`` with the sections that domains bring. Raise DomainError."""
    bench: Any = extended(BenchModel, sections_of_bench)
    return _suite_model(bench)


@cache
def _suite_model(bench: Any) -> type[SuiteModel]:
    scenario: Any = create_model(
        Scenario.__name__, __base__=Scenario, __doc__=Scenario.__doc__, bench=(bench | None, None)
    )
    suite: type[SuiteModel] = create_model(
        SuiteModel.__name__,
        __base__=SuiteModel,
        __doc__=SuiteModel.__doc__,
        bench=(bench, Field(default_factory=bench)),
        scenarios=(list[scenario], Field(min_length=1)),
    )
    return suite


class StageFile(Model):
    """A file of stages that suites include."""

    stages: dict[Identifier, Stage]
