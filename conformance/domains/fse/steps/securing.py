"""Signatures by the cards, and the check of a secured sheet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.fse.sheet_words import rejection_words
from bifente.conformance.domains.fse.steps.base import (
    CODE,
    DONE,
    REFUSED,
    SIGNED,
    FseStep,
    StepTold,
    refused_by_card,
)
from bifente.conformance.domains.vitale.ssv_code import code_in_words
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Code, Observes
from bifente.ground.text import Text
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import SecuringMode, Signer
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.software.billing.securing.desk import lacking

if TYPE_CHECKING:
    from bifente.conformance.domains.fse.bench import FseBench


class _SigningStep(FseStep, ABC):
    """A step that signs a sheet, by default the last one made; it succeeds with the code 0."""

    shorthand: ClassVar[str] = "code"
    success = ("code", "0")
    observes: ClassVar[Observes] = SIGNED

    code: Code = Field(description="holder code of the professional's card")
    sheet: int | None = Field(default=None, ge=1, description="its number, by default that of the last one")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Sign it."""
        try:
            number = fse.software.sheet(self.sheet).number
        except FseError as error:
            return StepTold({"code": SsvCode.BAD_INPUT, "refusal": None, "reason": str(error)}, REFUSED)
        try:
            self.sign(fse, number)
        except SsvError as error:
            return refused_by_card(error, **_signed(fse, number))
        except FseError as error:
            return StepTold(
                {"code": SsvCode.BAD_INPUT, "refusal": None, "reason": str(error), **_signed(fse, number)}, REFUSED
            )
        seen = _signed(fse, number)
        told = tuple(("contrôle", problem) for problem in seen["problems"])
        return StepTold({"code": SsvCode.OK, "refusal": None, "reason": None, **seen}, code_in_words(0), {}, told)

    @abstractmethod
    def sign(self, fse: FseBench, number: int) -> None:
        """Sign it. Raises SsvError, FseError."""


def _signed(fse: FseBench, number: int) -> dict[str, Any]:
    """How a sheet stands: its signatures, what a relying party has against it, its state at the practice."""
    secured = fse.software.secured.get(number)
    problems = [] if secured is None else fse.relying_party.verifier.verify(secured, fse.days.now)
    return {
        "number": number,
        "insured": secured is not None and secured.insured is not None,
        "professional": secured is not None and secured.professional is not None,
        "problems": [problem.code for problem in problems],
        "state": fse.software.office.store.sheet(number).state.value,
    }


class Secure(_SigningStep):
    """Have a sheet signed by every card that its mode wants, the insured's first; ``paper`` as the mode wants it."""

    name: ClassVar[str] = "fse-secure"
    title: ClassVar[Text] = Text("Sécuriser la feuille", "Secure the sheet")

    paper: bool | None = Field(default=None, description="a form signed on paper goes along (degraded, no Vitale)")

    def sign(self, fse: FseBench, number: int) -> None:
        """Sign it."""
        wanted = fse.software.sheet(number).mode is SecuringMode.DEGRADED
        fse.software.sign(number, self.code, paper=wanted if self.paper is None else self.paper)


class SignAsInsured(_SigningStep):
    """The insured's signature of a desynchronised sheet; the professional's may be there already, or come later."""

    name: ClassVar[str] = "fse-sign-as-insured"
    title: ClassVar[Text] = Text("Signer par la Vitale", "Sign with the Vitale")

    def sign(self, fse: FseBench, number: int) -> None:
        """Sign it."""
        fse.software.sign(number, self.code, whose=Signer.INSURED)


class SignAsProfessional(_SigningStep):
    """The professional's signature of a desynchronised sheet; the insured's may be there already, or come later."""

    name: ClassVar[str] = "fse-sign-as-professional"
    title: ClassVar[Text] = Text("Signer par la CPS", "Sign with the CPS")

    def sign(self, fse: FseBench, number: int) -> None:
        """Sign it."""
        fse.software.sign(number, self.code, whose=Signer.PROFESSIONAL)


class SecureAll(FseStep):
    """Secure every sheet that waits for it, the code presented once; the first refusal ends it, what was done stays.

    ``blocked-after``: after so many sheets somebody presents wrong codes until no try is left.
    """

    name: ClassVar[str] = "fse-secure-all"
    title: ClassVar[Text] = Text("Sécuriser les feuilles en série", "Secure the sheets in series")
    shorthand: ClassVar[str] = "code"
    success = ("code", "0")
    observes: ClassVar[Observes] = {**CODE, "done": ValueMatcher(), "left": ValueMatcher()}

    code: Code = Field(description="holder code of the professional's card")
    blocked_after: int | None = Field(
        default=None, ge=0, le=99, description="after so many sheets the card is blocked by wrong codes"
    )

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Secure them."""
        batch = fse.software.sign_all(self.code, fse.blocking_after(self.blocked_after))
        left = sum(number not in fse.software.secured for number in fse.software.made)
        if batch.refusal is not None:
            return refused_by_card(batch.refusal, done=len(batch.done), left=left)
        values = {"code": SsvCode.OK, "refusal": None, "reason": None, "done": len(batch.done), "left": left}
        return StepTold(values, code_in_words(0), {"done": str(len(batch.done))})


class Verify(FseStep):
    """Check a secured sheet as a relying party does; changed on purpose before, with one byte at ``byte`` percent."""

    name: ClassVar[str] = "fse-verify"
    title: ClassVar[Text] = Text("Vérifier la feuille sécurisée", "Verify the secured sheet")
    shorthand: ClassVar[str] = "sheet"
    observes: ClassVar[Observes] = {"problems": ValueMatcher(), "lacking": ValueMatcher(), "readable": ValueMatcher()}

    sheet: int | None = Field(default=None, ge=1, description="its number, by default that of the last one")
    byte: int | None = Field(default=None, ge=0, le=100, description="where one byte is changed, in percent")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Check it."""
        from bifente.conformance.domains.fse.bench.changes import one_byte

        number = fse.software.sheet(self.sheet).number
        if (secured := fse.software.secured.get(number)) is None:
            return StepTold({"problems": ["unsigned"], "lacking": [], "readable": True}, REFUSED)
        wanted = sorted(signer.value for signer in lacking(secured))
        if self.byte is not None:
            try:
                secured = one_byte(secured, self.byte)
            except FseError as error:
                return StepTold({"problems": [], "lacking": wanted, "readable": False}, REFUSED, {"reason": str(error)})
        found = fse.relying_party.verifier.verify(secured, fse.days.now)
        problems = [problem.code for problem in found]
        told = tuple(("refus", rejection_words(problem)) for problem in found)
        return StepTold(
            {"problems": problems, "lacking": wanted, "readable": True}, REFUSED if problems else DONE, {}, told
        )
