"""References to what is known of a card (``$card.code``), checked when a suite is read rather than when it runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bifente.conformance.bench.cards import Workshop, facts
from bifente.conformance.bench.scene import main_role
from bifente.conformance.loading import InputError, Problem, nearest
from bifente.conformance.model import CardChoice
from bifente.conformance.scenario.plan import PlannedScenario, PlannedStep
from bifente.conformance.scenario.references import CARDS, path_of, references
from bifente.simulator.cards.host import NotOnThisCardError

_Where = tuple[PlannedStep, str, str]
"""A step, the slot whose card it speaks of, and the reference."""


class CardReferences:
    """Knows which facts the cards of each family have, and makes a card only where a reference asks for another."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._known: dict[str, set[str]] = {}

    def check(self, scenario: PlannedScenario) -> None:
        """Raise InputError with every reference that leads nowhere on the cards of a scenario, at its place."""
        problems = [problem for where in _written(scenario) for problem in self._wrong(scenario, *where)]
        if problems:
            raise InputError(list(dict.fromkeys(problems)))

    def _wrong(self, scenario: PlannedScenario, step: PlannedStep, role: str, reference: str) -> Iterator[Problem]:
        if any(one.kind.moves_cards or one.kind.cards(one.raw) for one in scenario.steps):
            return  # which card is in the slot by then, only running the scenario tells
        choice = scenario.bench.cards.get(role)
        first, *_rest = path_of(reference)
        if choice is None or not _rest:
            return
        fact = _rest[0] if first == CARDS[0] else _rest[1] if len(_rest) > 1 else None
        if fact is None or fact in self._known.get(family := self._workshop.family(choice), ()):
            return
        try:
            known = self._facts(choice)
        except (InputError, NotOnThisCardError):
            return  # told where the card itself is looked at
        self._known.setdefault(family, set()).update(known)
        if fact in known:
            return
        line, column = step.document.place(step.at)
        card = f"the card of the slot {role} ({choice.label})"
        message = f"${reference} leads nowhere: {card} has no {fact!r}"
        yield Problem(str(step.document.path), line, column, message, nearest(fact, known))

    def _facts(self, choice: CardChoice) -> dict[str, object]:
        return dict(facts(self._workshop.personalised(choice, datetime.now(UTC).date())))


def _written(scenario: PlannedScenario) -> Iterator[_Where]:
    main = main_role(scenario.bench.cards)
    for step in scenario.steps:
        # An artefact and a binding are written by the same hand as the rest.
        said = (step.raw, step.expect, step.should, step.bindings)
        for reference in dict.fromkeys(references(said)):
            path = path_of(reference)
            if path[0] == CARDS[0]:
                yield step, main, reference
            elif path[0] == CARDS[1] and len(path) > 1:
                yield step, path[1], reference
