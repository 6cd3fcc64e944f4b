"""The front end that stands for every body of a scenario: set up, troubled, heard."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bifente.conformance.domains.fse.bench.reference import TemplateReference
from bifente.conformance.domains.fse.bench.relying_party import RelyingParty
from bifente.ground.clock import Clock
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Arl, Rsp
from bifente.simulator.services.frontal.frontal import Frontal
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.serving.mail.recording import RecordedReception
from bifente.simulator.serving.recording import Hear


class FrontEndBench:
    """Made when it is first asked: from then on its parameters stay, its troubles may change.

    ``chance`` draws; ``hear`` is told every file that comes and every return that goes.
    """

    def __init__(self, party: RelyingParty, clock: Clock, chance: random.Random, hear: Hear) -> None:
        self._party = party
        self._clock = clock
        self._chance = chance
        self._hear = hear
        self.reference = TemplateReference(party)
        self._parameters = FrontalParameters(reference=self.reference)
        self.signs_returns = False
        self._frontal: Frontal | None = None

    @property
    def frontal(self) -> Frontal:
        """The service, which believes the authorities as they are when it is first asked."""
        if self._frontal is None:
            party = self._party
            self._frontal = Frontal(
                self._clock,
                party.anchors,
                party.body.key,
                party.body.certificate,
                self._parameters,
                self._chance,
                revocations=party.revocations,
                signing_key=party.signature.key if self.signs_returns else None,
            )
        return self._frontal

    @property
    def _reception(self) -> RecordedReception:
        return RecordedReception(self.frontal, self._clock, self._hear)

    def set_up(self, given: Mapping[str, Any]) -> None:
        """Other parameters. Raises FseError once it is in use."""
        if self._frontal is not None:
            raise FseError("front end", "it is in use", "set it up before the first file is sent")
        self._parameters = replace(self._parameters, **given)

    def trouble(self, name: str | None) -> None:
        """One trouble, or none."""
        self.frontal.suffer(*([name] if name is not None else ()))

    def take(self, data: bytes, name: str) -> list[bytes]:
        """A file that arrives, with what the authorities publish at that moment; gives the ARLs."""
        self.frontal.renew(self._party.revocations)
        return self._reception(data, name)

    def owed(self, *, settle: bool) -> list[bytes]:
        """The returns whose time has come: late ARLs and, where it is to ``settle``, what it says of payments."""
        answers: list[Arl | Rsp] = [*self.frontal.due(), *(self.frontal.settle() if settle else ())]
        return [self._reception.owed(self.frontal.encode(answer)) for answer in answers]

    def answered(self) -> list[str]:
        """Every reason of rejection that it gave so far, each once, whoever it answered."""
        arls = [one for one in self.frontal.returns() if isinstance(one, Arl)]
        return list(dict.fromkeys(rejection.code for arl in arls for rejection in arl.rejections))
