"""What records show of a test: which scenarios were played by the product itself, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bifente.conformance.dossier.product import Product
from bifente.conformance.loading import InputError
from bifente.conformance.observation.verdicts import SUITE
from bifente.conformance.requirements import TestCode
from bifente.ground.text import Text
from bifente.reports.journal import FILE_NAME
from bifente.reports.model import Run, ScenarioResult, fold_journal
from bifente.reports.verdict import Verdict

_STARTS = "start-software"
"""The step by which a scenario has the software under test act. Without it the bench's own software plays."""

_MOST = 2_000


class ProofState(StrEnum):
    """How a test stands, as far as the bench can say."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    TO_DO = "to-do"
    OUT = "not-applicable"

    @property
    def label(self) -> Text:
        """The words for it."""
        return _LABELS[self]


_LABELS = {
    ProofState.PASSED: Text("réussi sur le banc", "passed on the bench"),
    ProofState.PARTIAL: Text("en partie", "in part"),
    ProofState.FAILED: Text("échoué", "failed"),
    ProofState.INCONCLUSIVE: Text("non concluant", "inconclusive"),
    ProofState.TO_DO: Text("à faire", "to do"),
    ProofState.OUT: Text("sans objet", "does not apply"),
}


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record; ``why_out`` says why it counts for nothing here, if it does not."""

    folder: Path
    run: Run
    why_out: Text | None = None

    @property
    def id(self) -> str:
        """Its own name."""
        return self.run.start.run_id


@dataclass(frozen=True, slots=True)
class ProductProof:
    """A scenario that the product played, in the latest record that has it."""

    record: KeptRecord
    scenario: ScenarioResult


@dataclass(frozen=True, slots=True)
class TestStanding:
    """How one test stands: why it does not apply, or what there is of it and what lacks."""

    test: TestCode
    state: ProofState
    why_not: str = ""
    proofs: tuple[ProductProof, ...] = ()
    lacking: tuple[str, ...] = ()
    """Requirements of the test that no scenario has shown."""


def find_records(paths: Iterable[Path], product: Product, out: Path) -> list[KeptRecord]:
    """Return the records below these paths, the oldest first; those kept in ``out`` already are no others.

    Raise InputError, JournalError.
    """
    found: dict[str, KeptRecord] = {}
    for path in paths:
        journals = [path] if path.is_file() else sorted(path.rglob(FILE_NAME))[:_MOST]
        if not journals:
            raise InputError.at(str(path), f"holds no record ({FILE_NAME})", cure="bifente observe --out, run --out")
        for journal in journals:
            if journal.resolve().is_relative_to(out.resolve()):
                continue
            run = fold_journal(journal)
            found[run.start.run_id] = KeptRecord(journal.parent, run, _why_out(run, product))
    return sorted(found.values(), key=lambda one: one.run.start.time)


def proofs_of(records: Sequence[KeptRecord]) -> list[ProductProof]:
    """Return what the product played: of a scenario that several records have, the latest."""
    found: dict[str, ProductProof] = {}
    for record in records:
        if not record.why_out:
            for scenario in record.run.scenarios:
                if _played(scenario):
                    found[scenario.id] = ProductProof(record, scenario)
    return list(found.values())


def standing_of(test: TestCode, why_not: str, proofs: Sequence[ProductProof]) -> TestStanding:
    """Return how a test stands, from the scenarios that cite it or what it rests on."""
    if why_not:
        return TestStanding(test, ProofState.OUT, why_not)
    wanted = {test.code, *test.requirements}
    mine = tuple(one for one in proofs if wanted & set(one.scenario.start.requirements) and _said(one))
    good = [one for one in mine if one.scenario.verdict.good]
    shown = {cited for one in good for cited in one.scenario.start.requirements}
    whole = test.code in shown
    lacking = () if whole else tuple(cited for cited in test.requirements if cited not in shown)
    verdicts = {one.scenario.verdict for one in mine}
    if Verdict.FAILED in verdicts:
        state = ProofState.FAILED
    elif any(one.bad for one in verdicts):
        state = ProofState.INCONCLUSIVE
    elif good and not lacking:
        state = ProofState.PASSED
    else:
        state = ProofState.PARTIAL if good else ProofState.TO_DO
    return TestStanding(test, state, "", mine, lacking)


def _said(proof: ProductProof) -> bool:
    return proof.scenario.verdict not in (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE)


def _played(scenario: ScenarioResult) -> bool:
    return scenario.start.suite == SUITE or any(step.name == _STARTS for step in scenario.outcomes)


def _why_out(run: Run, product: Product) -> Text | None:
    """A record of something else proves nothing of this product."""
    told = run.start.product
    if told is None:
        return Text(
            "relevé du banc lui-même : aucun logiciel à l'essai n'y est nommé",
            "a record of the bench itself: it names no software under test",
        )
    if " ".join(told.split()).casefold() != " ".join(product.name.split()).casefold():
        cure = f'--product "{product.name}"'
        return Text(
            f"relevé de « {told} », et non de « {product.name} » ({cure})",
            f"a record of {told!r}, and not of {product.name!r} ({cure})",
        )
    return None
