"""The reading functions of the SSV library, as a software of the workstation calls them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from bifente.conformance.bench.facets import Apdu
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.vitale.apcv import ApcvBench
from bifente.conformance.domains.vitale.ssv_code import FieldsMatcher, GroupsMatcher, SsvCodeMatcher, code_in_words
from bifente.conformance.domains.vitale.workstation import SOFTWARE, Way, Workstation
from bifente.conformance.expectations import BytesMatcher, Matcher, ValueMatcher
from bifente.conformance.scenario.step import Code, Observation, Observes, Step
from bifente.conformance.targets.facets import Facet
from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.text import Text
from bifente.simulator.middleware.apcv import ApcvReply, RightsCall
from bifente.simulator.middleware.return_codes import return_codes
from bifente.simulator.middleware.ssv import Answer, Ssv
from bifente.simulator.zones import GROUPS, Group, ZoneError, named

CODE: Mapping[str, Matcher] = {"code": SsvCodeMatcher(), "detail": ValueMatcher()}
"""The return code, and what the library found, in English: only the code is what a software of the field gets."""
ZONE: Mapping[str, Matcher] = {
    **CODE,
    "zone": BytesMatcher(),
    "groups": GroupsMatcher(),
    "fields": FieldsMatcher(),
}
_MASK = "••••"
Digits = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    Field(max_length=64, json_schema_extra={"type": ["string", "integer"]}),
]
"""A moment as a software writes it, right or wrong."""


class UseMiddleware(Step):
    """Choose how the SSV functions reach the cards from now on: full-pcsc (the default) or galss.

    Each way has a library of its own, to be initialised.
    """

    name: ClassVar[str] = "use-middleware"
    title: ClassVar[Text] = Text("Choisir l'accès aux cartes", "Choose the way to the cards")
    shorthand: ClassVar[str] = "way"
    needs = frozenset[type[Facet]]({Apdu})

    way: Way = Field(description="straight by PC/SC, or through the GALSS")

    def run(self, act: Act) -> Observation:
        """Choose it."""
        act.scene.part(Workstation).way = self.way
        return Observation({})


class SsvStep(Step, ABC):
    """A step that calls a function of the library; it succeeds with the code 0. ``application`` tells software apart
    that compete for the cards.
    """

    needs = frozenset[type[Facet]]({Apdu})
    success = ("code", "0")
    observes: ClassVar[Observes] = CODE
    function: ClassVar[str]

    application: str = Field(default=SOFTWARE, description="which software of the workstation calls")

    def run(self, act: Act) -> Observation:
        """RightsCall it; the record keeps the call with its return code in words, and the zone decoded."""
        library = act.scene.part(Workstation).ssv(self.application)
        arguments = self.arguments_told(act)
        start = time.perf_counter()
        answer = self.call(act, library)
        seconds = time.perf_counter() - start
        groups = _groups(answer)
        act.scene.told(act.role, Called(self.function, arguments, code_in_words(answer.code), _told(answer), seconds))
        return Observation(
            {
                "code": answer.code,
                "detail": answer.detail,
                "zone": answer.zone,
                "groups": None if groups is None else [group.id for group in groups],
                "fields": groups,
                **self.more(answer),
            },
            tuple(_decoded(answer, groups)),
        )

    @abstractmethod
    def call(self, act: Act, library: Ssv) -> Answer:
        """The function's answer. Raises GuardRefusalError where a real card must not see it."""

    def arguments_told(self, act: Act) -> Mapping[str, str]:
        """The arguments as the record shows them, codes masked."""
        return {}

    def more(self, answer: Answer) -> Mapping[str, Any]:
        """What else is observed."""
        return {}


class InitLib(SsvStep):
    """SSV_InitLIB: what a software must call first."""

    name: ClassVar[str] = "init-lib"
    title: ClassVar[Text] = Text("Initialiser la bibliothèque SSV", "Initialise the SSV library")
    function: ClassVar[str] = "SSV_InitLIB"

    def call(self, act: Act, library: Ssv) -> Answer:
        """Call it."""
        return library.init_lib()


class TermLib(SsvStep):
    """SSV_TermLIB: the end of the use of the library."""

    name: ClassVar[str] = "term-lib"
    title: ClassVar[Text] = Text("Fermer la bibliothèque SSV", "Close the SSV library")
    function: ClassVar[str] = "SSV_TermLIB"

    def call(self, act: Act, library: Ssv) -> Answer:
        """Call it."""
        return library.term_lib()


class LireConfig(SsvStep):
    """SSV_LireConfig: versions and readers of the workstation (groups 60 to 67, 3600, 3780)."""

    name: ClassVar[str] = "lire-config"
    title: ClassVar[Text] = Text("Lire la configuration du poste", "Read the configuration of the workstation")
    function: ClassVar[str] = "SSV_LireConfig"
    observes: ClassVar[Observes] = ZONE

    def call(self, act: Act, library: Ssv) -> Answer:
        """Call it."""
        return library.lire_config()


class ReaderStep(SsvStep, ABC):
    """A function that names the reader; by default as the workstation calls it."""

    reader: str | None = Field(default=None, description="resource name of the reader")

    def reader_name(self, act: Act) -> str:
        """The resource name given to the function."""
        return act.scene.part(Workstation).resource_names()[1] if self.reader is None else self.reader

    def arguments_told(self, act: Act) -> Mapping[str, str]:
        """The reader."""
        return {"reader": self.reader_name(act)}


class LireDateLecteur(ReaderStep):
    """SSV_LireDateLecteur: the reader's clock, 14 digits."""

    name: ClassVar[str] = "lire-date-lecteur"
    title: ClassVar[Text] = Text("Lire l'horloge du lecteur", "Read the reader's clock")
    function: ClassVar[str] = "SSV_LireDateLecteur"
    observes: ClassVar[Observes] = {**CODE, "date": ValueMatcher()}

    def call(self, act: Act, library: Ssv) -> Answer:
        """Call it."""
        return library.lire_date_lecteur(self.reader_name(act))

    def more(self, answer: Answer) -> Mapping[str, Any]:
        """The date as text."""
        return {"date": answer.zone.decode("ascii", "replace") or None}


class MajDateLecteur(ReaderStep):
    """SSV_MajDateLecteur: set the reader's clock, 14 digits YYYYMMDDHHMMSS."""

    name: ClassVar[str] = "maj-date-lecteur"
    title: ClassVar[Text] = Text("Mettre l'horloge du lecteur à l'heure", "Set the reader's clock")
    shorthand: ClassVar[str] = "date"
    function: ClassVar[str] = "SSV_MajDateLecteur"

    date: Digits = Field(description="14 digits, YYYYMMDDHHMMSS")

    def call(self, act: Act, library: Ssv) -> Answer:
        """Call it."""
        return library.maj_date_lecteur(self.reader_name(act), self.date)

    def arguments_told(self, act: Act) -> Mapping[str, str]:
        """The reader and the date."""
        return {**super().arguments_told(act), "date": self.date}


class CardsStep(ReaderStep, ABC):
    """A function that reads cards with a holder code; the resource names are those of the workstation unless given."""

    observes: ClassVar[Observes] = ZONE
    shorthand: ClassVar[str] = "code"

    code: Code = Field(description="holder code of the professional's card")
    ps: str | None = Field(default=None, description="resource name of the professional's card")

    def ps_name(self, act: Act) -> str:
        """The resource name given to the function."""
        return act.scene.part(Workstation).resource_names()[0] if self.ps is None else self.ps

    def arguments_told(self, act: Act) -> Mapping[str, str]:
        """The resources; never the code."""
        return {"ps": self.ps_name(act), **super().arguments_told(act), "code": _MASK}


class LireCartePs(CardsStep):
    """SSV_LireCartePS: the holder (group 1) and the situations (group 2) of the professional's card."""

    name: ClassVar[str] = "lire-carte-ps"
    title: ClassVar[Text] = Text("Lire la carte du professionnel", "Read the professional's card")
    function: ClassVar[str] = "SSV_LireCartePS"

    def call(self, act: Act, library: Ssv) -> Answer:
        """Call it."""
        return library.lire_carte_ps(self.ps_name(act), self.reader_name(act), self.code)


class LireDroitsVitale(CardsStep):
    """SSV_LireDroitsVitale: the rights on the Vitale (groups 101 to 111); without a professional's card, F001 and all
    but the coverage (106). ``date`` is the consultation's, YYYYMMDD, by default the bench's day. A phone's context that
    the software held is destroyed first.
    """

    name: ClassVar[str] = "lire-droits-vitale"
    title: ClassVar[Text] = Text("Lire les droits de la Vitale", "Read the rights on the Vitale")
    function: ClassVar[str] = "SSV_LireDroitsVitale"
    observes: ClassVar[Observes] = {**ZONE, "apcv": ValueMatcher()}

    date: Digits | None = Field(default=None, description="day of the consultation, YYYYMMDD; the bench's by default")

    def consultation(self, act: Act) -> str:
        """The date given to the function."""
        return f"{act.bench.now():%Y%m%d}" if self.date is None else self.date

    def call(self, act: Act, library: Ssv) -> Answer:
        """Call it."""
        call = RightsCall(self.ps_name(act), self.reader_name(act), self.code, self.consultation(act))
        return act.scene.part(ApcvBench).desk(self.application).read_card(library, call)

    def more(self, answer: Answer) -> Mapping[str, Any]:
        """Whether it came from a phone."""
        return {"apcv": isinstance(answer, ApcvReply) and answer.apcv}

    def arguments_told(self, act: Act) -> Mapping[str, str]:
        """The resources and the date."""
        return {**super().arguments_told(act), "date": self.consultation(act)}


def _groups(answer: Answer) -> tuple[Group, ...] | None:
    try:
        return answer.groups
    except ZoneError:
        return None


def _told(answer: Answer) -> dict[str, str]:
    told = {"zone": f"{len(answer.zone)} bytes"} if answer.zone else {}
    return {**told, **({"detail": answer.detail} if answer.detail else {})}


def _decoded(answer: Answer, groups: Sequence[Group] | None) -> Iterator[tuple[str | Text, str | Text]]:
    """The return code with what to do about it, then every field that is not empty, in French as the desk reads it."""
    known = return_codes().get(answer.code)
    if known is not None:
        yield "code", Text.of("{} ({}) : {}", known.hex, answer.code, known.meaning)
        if known.cause and known.remedy:
            yield "cause", known.cause
            yield "remède", known.remedy
    for group in groups or ():
        kind = GROUPS.get(group.id)
        labels = {field.name: field.label for field in kind.fields} if kind else {}
        title = Text.of("{} {}", group.id, kind.name) if kind else Text.same(str(group.id))
        for name, value in named(group).items():
            if value:
                yield Text.of("{} · {}", title, labels.get(name, name)), value
