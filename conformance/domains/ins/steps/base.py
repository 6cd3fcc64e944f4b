"""What the steps about identities share: how one is told, what may be expected of each."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bifente.conformance.bench.facets import Apdu, Personalisation
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.vitale.ssv_code import SsvCodeMatcher, code_in_words
from bifente.conformance.expectations import ChoiceMatcher, Matcher, ValueMatcher
from bifente.conformance.scenario.step import Decoded, Observation, Step, kebab
from bifente.conformance.targets.facets import Facet
from bifente.conformance.targets.pkcs11 import Called
from bifente.simulator.middleware.codes import SsvError
from bifente.simulator.software.identity.status import IdentityError, TrustStatus

if TYPE_CHECKING:
    from bifente.conformance.domains.ins.bench import InsBench
    from bifente.simulator.software.insi.client import InsiCallError

DONE = "done"
STATUS: Mapping[str, Matcher] = {
    "status": ChoiceMatcher(frozenset(one.value for one in TrustStatus)),
    "colour": ValueMatcher(),
}
OUTCOME: Mapping[str, Matcher] = {
    "outcome": ValueMatcher(),
    "reason": ValueMatcher(),
    "code": SsvCodeMatcher(),
    **STATUS,
}
"""``outcome``: done, or the id of what the software refuses; ``code``: what the cards answered, else 0."""


@dataclass(frozen=True, slots=True)
class InsTold:
    """What a step saw, and what the record shows of it."""

    outcome: str = DONE
    values: Mapping[str, Any] = field(default_factory=dict)
    decoded: Decoded = ()


class InsStep(Step, ABC):
    """Something that the software does about an identity; the record keeps it as a call with its meaning."""

    needs = frozenset[type[Facet]]({Apdu, Personalisation})
    success: ClassVar[tuple[str, str] | None] = ("outcome", DONE)

    def run(self, act: Act) -> Observation:
        """Do it. Raise ImpossibleStepError where nothing was opened yet to do it with."""
        # Here, not above: it brings XML and a service along, which no other scenario needs.
        from bifente.conformance.domains.ins.bench import InsBench
        from bifente.simulator.software.insi.client import InsiCallError

        ins, start = act.scene.part(InsBench), time.perf_counter()
        try:
            told = self.do(act, ins)
        except (IdentityError, SsvError, InsiCallError) as error:
            told = refused(error)
        seconds = time.perf_counter() - start
        act.bench.settle()
        status = ins.patient.status if ins.patient is not None else None
        values: dict[str, Any] = {"outcome": told.outcome, "code": 0, **told.values}
        if status is not None:
            values |= {"status": status.value, "colour": status.colour}
        shown = {} if status is None else {"status": status.word}
        act.scene.told(act.role, Called(self.name, self.arguments_told(), told.outcome, shown, seconds, self.secrets()))
        return Observation(values, told.decoded)

    @abstractmethod
    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Do it. Raise IdentityError, SsvError or InsiCallError: they are what is observed then."""

    def arguments_told(self) -> Mapping[str, str]:
        """Return the arguments in the words of the record."""
        return {kebab(name): _plain(getattr(self, name)) for name in sorted(self.model_fields_set)}


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value.value if hasattr(value, "value") else value)


def refused(error: IdentityError | SsvError | InsiCallError) -> InsTold:
    """Return what a step tells of what the software, the cards or INSi refused."""
    if isinstance(error, SsvError):
        return InsTold("card", {"code": error.code, "reason": error.detail}, (("carte", code_in_words(error.code)),))
    if isinstance(error, IdentityError):
        said = error.refusal.sentence
        reason = said.en + (f" ({error.detail})" if error.detail else "")
        return InsTold(error.refusal.value, {"reason": reason}, (("refus", said),))
    return _call_refused(error)


def _call_refused(error: InsiCallError) -> InsTold:
    decoded = [("INSi", error.reason)]
    if error.remedy is not None:
        decoded.append(("remède", error.remedy))
    return InsTold(
        error.code,
        {
            "http": error.http,
            "subcode": error.subcode,
            "reason": error.reason.en,
            "remedy": error.remedy.en if error.remedy else "",
        },
        tuple(decoded),
    )
