"""The apCV of one scenario: its service, the phones, and what each software of the workstation holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.facets import Personalisation
from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.vitale.workstation import Workstation
from bifente.conformance.targets.base import GuardRefusalError, ImpossibleStepError
from bifente.ground.clock import ShiftedClock
from bifente.ground.text import Text
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.middleware.apcv import ApcvContext, ApcvDesk
from bifente.simulator.middleware.resources import Resources
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.services.apcv import ApcvParameters, ApcvService, Phone
from bifente.simulator.serving.calling import Caller, in_process
from bifente.simulator.serving.recording import Hear, recorded
from bifente.simulator.serving.service import Declare


@dataclass(frozen=True, slots=True)
class Software:
    """A software of the workstation as a reading needs it: its library and its way to the professional's card."""

    workstation: Workstation
    application: str

    @property
    def ssv(self) -> Ssv:
        """The library it loaded."""
        return self.workstation.ssv(self.application)

    @property
    def resources(self) -> Resources:
        """How it reaches the cards."""
        return self.workstation.resources(self.application)


class ApcvBench:
    """Everything is made when it is first needed. Keys are made for the scenario and die with it."""

    def __init__(
        self,
        bench: Bench,
        workstation: Workstation,
        random: Callable[[int], bytes],
        hear: Hear,
        declare: Declare,
    ) -> None:
        self._bench = bench
        self._workstation = workstation
        self._random = random
        self._hear = hear
        self._declare = declare
        self._phones: dict[str, Phone] = {}
        self._desks: dict[str, ApcvDesk] = {}
        self._contexts: list[ApcvContext] = []
        self.parameters = ApcvParameters()

    @classmethod
    def of(cls, scene: Scene) -> ApcvBench:
        """Return the apCV of a scene."""
        return cls(scene.bench, scene.part(Workstation), scene.random.randbytes, scene.hear, scene.declare)

    def close(self) -> None:
        """Nothing to close: keys die with the scenario."""

    @cached_property
    def service(self) -> ApcvService:
        """The service that believes the phones."""
        return ApcvService(self._bench.clock, self.parameters, random=self._random, declare=self._declare)

    @cached_property
    def _caller(self) -> Caller:
        """How the software of the workstation reach it."""
        return in_process(recorded(self.service, self._bench.clock, self._hear))

    def set_lives(self, parameters: ApcvParameters) -> None:
        """How long things last from now on: none of it is public, so all of it is a choice."""
        self.parameters = self.service.parameters = parameters
        for phone in self._phones.values():
            phone.parameters = parameters

    def activate(self, name: str, role: str, ahead: int) -> Phone:
        """A phone of the holder of the Vitale in a slot, which need not be inserted.

        Raises ImpossibleStepError if there is no Vitale in that slot, GuardRefusalError if it is real: its rights are
        not known.
        """
        seated = self._bench.seated.get(role)
        vitale = seated.made_as(PersonalisedVitale) if seated is not None else None
        if seated is None or (seated.made is not None and vitale is None):
            raise ImpossibleStepError(
                Text(
                    f"le scénario n'a pas de Vitale dans la fente {role} : personne ne possède le téléphone",
                    f"the scenario has no Vitale in the slot {role!r}: nobody owns the phone",
                )
            )
        if vitale is None:
            raise GuardRefusalError(Personalisation.lacking)
        clock = ShiftedClock(self._bench.clock, timedelta(seconds=ahead))
        phone = Phone(name, clock, self.parameters, self._random)
        self.service.enrol(phone, vitale)
        self._phones[name] = phone
        return phone

    def phone(self, name: str) -> Phone:
        """A phone by its name; one that was never activated is known to nobody."""
        if name not in self._phones:
            self._phones[name] = Phone(name, self._bench.clock, self.parameters, self._random)
        return self._phones[name]

    def desk(self, application: str) -> ApcvDesk:
        """What a software holds."""
        if application not in self._desks:
            self._desks[application] = ApcvDesk(self._caller, self._bench.clock)
        return self._desks[application]

    def software(self, application: str) -> Software:
        """What a software reads with."""
        return Software(self._workstation, application)

    def keep(self, context: ApcvContext) -> None:
        """Remember a context for ``kept``."""
        self._contexts.append(context)

    def kept(self, rank: int, changes: dict[str, str]) -> ApcvContext:
        """The context that was acquired in this rank, from 1, changed. Raises LookupError if there is none."""
        if not 1 <= rank <= len(self._contexts):
            raise LookupError(rank)
        return replace(self._contexts[rank - 1], **changes)
