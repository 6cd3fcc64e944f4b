"""A workstation brought to life on a scene: its components stand as its facts and the rules have them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from bifente.conformance.bench.scene import Act, Scene
from bifente.conformance.domains.portal.part import ComponentState
from bifente.conformance.domains.support.effects import make_effect
from bifente.conformance.domains.support.journeys import Journey, JourneyFailure, JourneyStep, Symptom
from bifente.conformance.domains.support.loading import LoadableLibrary
from bifente.conformance.domains.support.software import SoftwareProfile, software_profile
from bifente.conformance.domains.support.stopping import JourneyStoppedError, stopped_by
from bifente.conformance.domains.vitale.workstation import Way, Workstation
from bifente.ground.text import Text
from bifente.simulator.middleware.codes import SsvError
from bifente.simulator.middleware.cryptolib import Cryptolib, CryptolibError, CryptolibTraits
from bifente.simulator.readers import ScardError
from bifente.simulator.workstation import ABSENT, MetRule, Poste, PosteEffect, met_rules

_LIBRARIES = ("cryptolib", "fsv", "mica")
_FIRST, _CHANCE = "before", "chance"
_NO_CODE = "0000"


class RunningPoste:
    """One workstation on one scene. ``without`` are rules that do not hold this time, to see what they explain;
    ``further`` are effects that no rule of it has.
    """

    def __init__(
        self,
        scene: Scene,
        poste: Poste,
        without: Collection[str] = (),
        further: Iterable[PosteEffect] = (),
    ) -> None:
        self.scene, self.poste = scene, poste
        self.software: SoftwareProfile = software_profile(poste.get("software"))
        self.process = self.software.process(poste)
        self.station = scene.part(Workstation)
        self.station.way = Way(poste.get("card-access"))
        self.libraries = {name: LoadableLibrary() for name in _LIBRARIES}
        self.traits = CryptolibTraits()
        self.component = ComponentState.ACTIVE
        self.component_why = ""
        self.certificate_offered = True
        self.local_pages_reached = True
        self.connector_why = ""
        self.line: Mapping[str, str] = {}
        self.clock_ahead = timedelta()
        self.typed: str | None = None
        self.broken_links: dict[str, str] = {
            name: f"{name} is not on this workstation" for name in self.software.links if poste.get(name) == ABSENT
        }
        self.rules: tuple[MetRule, ...] = tuple(one for one in met_rules(poste) if one.rule.id not in without)
        self._pending: dict[str, list[PosteEffect]] = {}
        self._went_well: list[JourneyStep] = []
        self._step: JourneyStep = JourneyStep.START
        for name in ("galss.ini", "sesam.ini"):
            if name in poste.files:
                make_effect(self, PosteEffect("file", {"name": name}))
        for effect in (*(one for met in self.rules for one in met.rule.effects), *further):
            if not self._happens(effect):
                continue
            if _FIRST in effect.parameters:
                self._pending.setdefault(effect.parameters[_FIRST], []).append(effect)
            else:
                make_effect(self, effect)

    def _happens(self, effect: PosteEffect) -> bool:
        """Whether an effect that comes now and then comes this time: drawn under the seed."""
        chance = effect.parameters.get(_CHANCE)
        return chance is None or self.scene.random.random() < float(chance)

    # -- what journeys are made of -------------------------------------------------------------------------------------

    def go(self, journey: Journey) -> Symptom:
        """Run a journey; whatever stops it becomes what its user reads."""
        from bifente.conformance.domains.support.ways import WAYS

        self._went_well, failure = [], None
        try:
            WAYS[journey](self)
        except JourneyStoppedError as stopped:
            failure = stopped.at(self._step)
        return Symptom(journey, self._said(journey, failure), failure, tuple(self._went_well))

    @contextmanager
    def step(self, step: JourneyStep) -> Iterator[None]:
        """One step of a journey: what is to strike then strikes first; what fails in it is told as its failure."""
        self._step = step
        for effect in self._pending.pop(step.value, ()):
            make_effect(self, effect)
        try:
            yield
        except SsvError as error:
            raise stopped_by(error) from error
        except CryptolibError as error:
            raise JourneyStoppedError(_of_token(error.code), error.code, error.detail) from error
        except ScardError as error:
            raise JourneyStoppedError("reader", f"{error.code & 0xFFFFFFFF:08X}", str(error)) from error
        self._went_well.append(step)

    def load(self, name: str, bits: int | None = None) -> None:
        """Load a library into the program of the software, or into one of so many bits. Raise JourneyStoppedError."""
        self.libraries[name].load(name, self.process.bits if bits is None else bits)

    def cryptolib(self) -> Cryptolib:
        """Return the library that was loaded, as its release behaves."""
        return Cryptolib(self.scene.bench.access, self.traits)

    def pass_through_links(self) -> None:
        """Go through the software's own way to the reader. Raise JourneyStoppedError."""
        for name in self.software.links:
            if name in self.broken_links:
                raise JourneyStoppedError(name, "LINK", self.broken_links[name])

    @property
    def code(self) -> str:
        """The holder code that the user types."""
        if self.typed is not None:
            return self.typed
        seated = self.scene.bench.seated.get("cps")
        return str(seated.facts.get("code", _NO_CODE)) if seated is not None else _NO_CODE

    def act(self, role: str = "cps") -> Act:
        """Return what a step of a scenario would touch."""
        return Act(self.scene, role)

    def _said(self, journey: Journey, failure: JourneyFailure | None) -> Text:
        return Text("", "") if failure is None else self.software.said(journey, failure)


def _of_token(code: str) -> str:
    """Whom a return code of the library blames: what the card or its holder did is the card's."""
    return "cps" if code in _OF_THE_CARD else "cryptolib"


_OF_THE_CARD = frozenset({"CKR_PIN_INCORRECT", "CKR_PIN_LOCKED", "CKR_TOKEN_NOT_PRESENT"})
