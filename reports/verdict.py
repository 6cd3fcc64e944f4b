"""The seven verdicts, how they add up, and what other report formats call them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias

from bifente.ground.text import Text

JUnitOutcome: TypeAlias = Literal["passed", "failure", "error", "skipped"]
"""What JUnit XML can say of a test case; `passed` is the absence of a child element."""

CtrfStatus: TypeAlias = Literal["passed", "failed", "skipped", "pending", "other"]
"""The status words of the Common Test Report Format."""


class Verdict(StrEnum):
    """The outcome of a step, a scenario or a requirement."""

    PASSED = "passed"
    PASSED_WITH_REMARK = "passed-with-remark"
    FAILED = "failed"
    BLOCKED = "blocked"
    NOT_APPLICABLE = "not-applicable"
    NOT_RUN = "not-run"
    BENCH_ERROR = "bench-error"

    @property
    def label(self) -> Text:
        """The words shown to a reader."""
        return _TRAITS[self].label

    @property
    def meaning(self) -> Text:
        """One sentence for the legend of a report."""
        return _TRAITS[self].meaning

    @property
    def symbol(self) -> str:
        """One character that tells the verdicts apart on a page without colour."""
        return _TRAITS[self].symbol

    @property
    def junit(self) -> JUnitOutcome:
        """What JUnit XML calls it. A bench error is an error: neither a pass nor a failure of the product."""
        return _TRAITS[self].junit

    @property
    def ctrf(self) -> CtrfStatus:
        """What CTRF calls it. A bench error is `other`: neither passed nor failed."""
        return _TRAITS[self].ctrf

    @property
    def good(self) -> bool:
        """True when the product did what was expected, with or without a remark."""
        return self in (Verdict.PASSED, Verdict.PASSED_WITH_REMARK)

    @property
    def bad(self) -> bool:
        """True when somebody has to look: failed, blocked or bench error."""
        return self in (Verdict.FAILED, Verdict.BLOCKED, Verdict.BENCH_ERROR)

    @classmethod
    def aggregate(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """Return the verdict of a whole from those of its parts: the worst wins, `not-applicable` is neutral.

        Parts that are all not applicable make a whole that is not applicable; no part at all was not run.
        """
        found = set(verdicts)
        if not found:
            return cls.NOT_RUN
        return next((verdict for verdict in WORST_FIRST if verdict in found), cls.NOT_APPLICABLE)

    def say(self, lang: Literal["fr", "en"]) -> str:
        """Return symbol and label together, e.g. `✓ passed`."""
        return f"{self.symbol} {self.label.get(lang)}"


WORST_FIRST: tuple[Verdict, ...] = (
    Verdict.BENCH_ERROR,
    Verdict.FAILED,
    Verdict.BLOCKED,
    Verdict.NOT_RUN,
    Verdict.PASSED_WITH_REMARK,
    Verdict.PASSED,
    Verdict.NOT_APPLICABLE,
)
"""The order of aggregation, and the order in which a report shows what deserves attention."""


class Met(Protocol):
    """What came of one expectation."""

    @property
    def ok(self) -> bool:
        """Whether it was met, or its deviation is tolerated."""

    @property
    def remark(self) -> bool:
        """Whether a deviation was tolerated."""


def verdict_of(judged: Iterable[Met]) -> Verdict:
    """Return the verdict of a step: failed by one expectation not met, passed with remark by one that is a remark."""
    verdict = Verdict.PASSED
    for one in judged:
        if not one.ok:
            return Verdict.FAILED
        if one.remark:
            verdict = Verdict.PASSED_WITH_REMARK
    return verdict


def verdict_of_phases(setup: Iterable[Verdict], steps: Iterable[Verdict], teardown: Iterable[Verdict]) -> Verdict:
    """Return the verdict of a scenario from those of the steps of its phases.

    An error of ours anywhere is a bench error; a setup that went wrong blocks; then the worst of setup and steps, not
    applicable where one step, of whatever phase, is not and none is bad. A teardown that did not succeed is a remark.
    """
    before, after = (*setup,), (*teardown,)
    judged = (*before, *steps)
    everything = {*judged, *after}
    if Verdict.BENCH_ERROR in everything:
        return Verdict.BENCH_ERROR
    if any(verdict.bad for verdict in before):
        return Verdict.BLOCKED
    verdict = Verdict.aggregate(judged)
    if Verdict.NOT_APPLICABLE in everything and not verdict.bad:
        return Verdict.NOT_APPLICABLE
    if verdict.good and not all(one.good for one in after):
        return Verdict.PASSED_WITH_REMARK
    return verdict


@dataclass(frozen=True, slots=True)
class _Traits:
    symbol: str
    label: Text
    meaning: Text
    junit: JUnitOutcome
    ctrf: CtrfStatus


_TRAITS: dict[Verdict, _Traits] = {
    Verdict.PASSED: _Traits(
        "✓",
        Text("réussi", "passed"),
        Text("tout ce qui était attendu a été observé", "all that was expected was observed"),
        "passed",
        "passed",
    ),
    Verdict.PASSED_WITH_REMARK: _Traits(
        "≈",
        Text("réussi avec remarque", "passed with remark"),
        Text("conforme, avec un écart toléré à connaître", "conformant, with a tolerated deviation worth knowing"),
        "passed",
        "passed",
    ),
    Verdict.FAILED: _Traits(
        "✗",
        Text("échoué", "failed"),
        Text("une observation contredit l'attendu", "an observation contradicts what was expected"),
        "failure",
        "failed",
    ),
    Verdict.BLOCKED: _Traits(
        "■",
        Text("bloqué", "blocked"),
        Text("une précondition a échoué : rien n'est prouvé", "a precondition failed: nothing is proven"),
        "skipped",
        "skipped",
    ),
    Verdict.NOT_APPLICABLE: _Traits(
        "–",
        Text("sans objet", "not applicable"),
        Text("le profil dit que l'essai ne le concerne pas", "the profile says the test does not concern it"),
        "skipped",
        "skipped",
    ),
    Verdict.NOT_RUN: _Traits(
        "○",
        Text("non exécuté", "not run"),
        Text("l'essai n'a pas eu lieu ; la raison est donnée", "the test did not take place; the reason is given"),
        "skipped",
        "pending",
    ),
    Verdict.BENCH_ERROR: _Traits(
        "⚠",
        Text("erreur du banc", "bench error"),
        Text("le banc s'est trompé : le produit n'est pas jugé", "the bench went wrong: the product is not judged"),
        "error",
        "other",
    ),
}
