"""What every step of the care sheets shares: how it is done and told, what may be expected, what was refused."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from bifente.conformance.bench.facets import Apdu, Personalisation
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.vitale.ssv_code import SsvCodeMatcher, code_in_words
from bifente.conformance.expectations import ChoiceMatcher, Matcher, ValueMatcher
from bifente.conformance.scenario.step import Decoded, ImpossibleStepError, Observation, Step, kebab
from bifente.conformance.targets.facets import Facet
from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Invoice, SheetState
from bifente.simulator.middleware.codes import SsvError
from bifente.simulator.middleware.return_codes import return_codes
from bifente.simulator.software.billing.securing.refusals import SecuringError

if TYPE_CHECKING:
    from bifente.conformance.domains.fse.bench import FseBench

CODE: Mapping[str, Matcher] = {"code": SsvCodeMatcher(), "refusal": ValueMatcher(), "reason": ValueMatcher()}
"""Of a step that asks something of the cards: the return code, and what was refused beyond it."""
SIGNED: Mapping[str, Matcher] = {
    **CODE,
    "number": ValueMatcher(),
    "insured": ValueMatcher(),
    "professional": ValueMatcher(),
    "problems": ValueMatcher(),
    "state": ChoiceMatcher(frozenset(state.value for state in SheetState)),
}
MADE, BLOCKED, IMPOSSIBLE, DONE, REFUSED = "made", "blocked", "impossible", "done", "refused"
DONE_OR_NOT: Mapping[str, Matcher] = {
    "outcome": ChoiceMatcher(frozenset({DONE, REFUSED})),
    "reason": ValueMatcher(),
}


@dataclass(frozen=True, slots=True)
class StepTold:
    """What a step saw, and how the record tells it: the result in words, the answer, pairs for a reader."""

    values: Mapping[str, Any]
    result: str = DONE
    answer: Mapping[str, str] = field(default_factory=dict)
    decoded: Decoded = ()


class FseStep(Step, ABC):
    """Something that the billing software or the front end does; the record keeps it as a call with its meaning."""

    needs = frozenset[type[Facet]]({Apdu, Personalisation})

    def run(self, act: Act) -> Observation:
        """Do it. Raises ImpossibleStepError where nothing was made yet to do it with."""
        # Here, not above: it brings mail servers, a store and envelopes along, which no other scenario needs.
        from bifente.conformance.domains.fse.bench import FseBench

        start = time.perf_counter()
        try:
            told = self.do(act, act.scene.part(FseBench))
        except FseError as error:
            raise ImpossibleStepError(in_both(error)) from None
        seconds = time.perf_counter() - start
        # A wireless link may have been lost on the way.
        act.bench.settle()
        call = Called(self.name, self.arguments_told(), told.result, told.answer, seconds, self.secrets())
        act.scene.told(act.role, call)
        return Observation(told.values, told.decoded)

    @abstractmethod
    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Do it. Raises FseError for what cannot be done, GuardRefusalError where this bench cannot."""

    def arguments_told(self) -> Mapping[str, str]:
        """The arguments in the words of the record."""
        return {kebab(name): plain(getattr(self, name)) for name in sorted(self.model_fields_set)}


def plain(value: Any) -> str:
    """An argument or a result as the record writes it, lists and models unfolded."""
    if isinstance(value, BaseModel):
        return " ".join(f"{kebab(name)} {plain(getattr(value, name))}" for name in sorted(value.model_fields_set))
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return str(value.value if hasattr(value, "value") else value)


def code_told(code: int) -> Decoded:
    """A return code with what to do about it, for a reader; nothing for 0."""
    known = return_codes().get(code)
    if known is None or not code:
        return ()
    told = [("code", Text.of("{} ({}) : {}", known.hex, code, known.meaning))]
    told += [(word, said) for word, said in (("cause", known.cause), ("remède", known.remedy)) if said]
    return tuple(told)


def refused_by_card(error: SsvError, **values: Any) -> StepTold:
    """What a step tells when the cards, or what holds them, refused."""
    refusal = error.refusal if isinstance(error, SecuringError) else None
    reason = refusal.sentence.en if refusal else error.detail
    observed = {"code": error.code, "refusal": refusal.value if refusal else None, "reason": reason, **values}
    decoded = (*code_told(error.code), *((("refus", refusal.sentence),) if refusal else ()))
    return StepTold(observed, code_in_words(error.code), {"detail": error.detail} if error.detail else {}, decoded)


def refused_by_rules(error: FseError, **values: Any) -> StepTold:
    """What a step tells when the practice refused."""
    return StepTold(
        {"outcome": REFUSED, "reason": str(error), **values}, REFUSED, {"reason": str(error)}, (("refus", str(error)),)
    )


def seen_of(invoice: Invoice) -> dict[str, Any]:
    """What is observed of a sheet. Amounts are in cents."""
    return {
        "total": invoice.total,
        "amo": invoice.amo.asked,
        "amc": invoice.amc.asked,
        "patient": invoice.patient,
        "body": invoice.body,
        "regime": invoice.body[:2],
        "mode": int(invoice.mode),
        "proof": invoice.proof.value,
        "nomenclatures": [act.nomenclature.value for act in invoice.acts],
        "rates": [act.rate for act in invoice.acts],
        "quality": invoice.beneficiary.quality,
        "nir": invoice.beneficiary.nir,
        "phone": invoice.beneficiary.apcv,
        "ald": invoice.beneficiary.ald,
        "c2s": invoice.beneficiary.c2s,
    }
