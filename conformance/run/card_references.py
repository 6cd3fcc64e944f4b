"""References to what is known of a card (``$card.code``), checked when a suite is read rather than when it runs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from bifente.conformance.bench.cards import Workshop, facts
from bifente.conformance.bench.scene import main_role
from bifente.conformance.expectations.circumstances import COMMON_EXPECTATIONS
from bifente.conformance.loading import InputError, Problem, nearest
from bifente.conformance.loading.validation import sentence
from bifente.conformance.model import CardChoice
from bifente.conformance.scenario.plan import PlannedScenario, PlannedStep
from bifente.conformance.scenario.references import CARDS, BadReferenceError, path_of, references, resolve, root
from bifente.conformance.scenario.step import expectable
from bifente.simulator.cards.host import NotOnThisCardError
from bifente.simulator.faults import catalogue

_Where = tuple[PlannedStep, str, str]
"""A step, the slot whose card it speaks of, and the reference."""
_FAULTS = "faults"
_LONGEST = 200
"""Most characters told of a value that does not fit: some are whole tables."""


class CardReferences:
    """Knows which facts the cards of each family have, and makes a card only where a reference asks for another."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._known: dict[str, set[str]] = {}
        self._read: dict[str, Mapping[str, Any] | None] = {}
        self._fitting: set[str] = set()

    def check(self, scenario: PlannedScenario) -> None:
        """Raise InputError with every reference of a scenario that leads nowhere, or to what cannot stand where it is
        written, at its place.
        """
        problems = [problem for where in _written(scenario) for problem in self._wrong(scenario, *where)]
        if not problems and not _moves(scenario):
            problems = [problem for step in scenario.steps for problem in self._unfit(scenario, step)]
        if problems:
            raise InputError(list(dict.fromkeys(problems)))

    def _wrong(self, scenario: PlannedScenario, step: PlannedStep, role: str, reference: str) -> Iterator[Problem]:
        first, *rest = path_of(reference)
        if first == _FAULTS:
            try:
                resolve(f"${{{reference}}}", {_FAULTS: self._faults})
            except BadReferenceError as error:
                yield _problem(step, str(error))
            return
        choice = scenario.bench.cards.get(role)
        rest = rest if first == CARDS[0] else rest[1:]
        if choice is None or not rest:
            return
        moving = [other for one in scenario.steps for other in one.kind.cards(one.raw)]
        if moving or _moves(scenario):
            # Which card is in the slot by then only running the scenario tells; one of them has to know it.
            choices = [*scenario.bench.cards.values(), *moving]
            if not any(self._knows(one, rest, deep=False) for one in choices):
                yield self._lacking(choice, step, role, reference, rest[0])
        elif not self._knows(choice, rest[:1], deep=False):
            yield self._lacking(choice, step, role, reference, rest[0])
        elif not self._knows(choice, rest, deep=True):
            try:
                resolve(f"${{fact.{'.'.join(rest)}}}", {"fact": self._facts(choice)})
            except BadReferenceError as error:
                card = f"on the card of the slot {role} ({choice.label})"
                message = f"${reference} leads nowhere {card}: {error.part!r} is unknown"
                yield _problem(step, message, nearest(error.part, error.known))

    def _lacking(self, choice: CardChoice, step: PlannedStep, role: str, reference: str, fact: str) -> Problem:
        card = f"the card of the slot {role} ({choice.label})"
        message = f"${reference} leads nowhere: {card} has no {fact!r}"
        return _problem(step, message, nearest(fact, self._facts(choice) or ()))

    def _knows(self, choice: CardChoice, path: list[str], *, deep: bool) -> bool:
        """Whether the card has the fact, and all of the path if ``deep``; so too if the card cannot be made."""
        if len(path) == 1 or not deep:
            try:
                family = self._workshop.family(choice)
            except InputError:
                return True  # told where the card itself is looked at
            if path[0] in self._known.get(family, ()):
                return True
            known = self._facts(choice)
            if known is None:
                return True
            self._known.setdefault(family, set()).update(known)
            return path[0] in known
        known = self._facts(choice)
        if known is None:
            return True
        try:
            resolve(f"$fact.{'.'.join(path)}", {"fact": known})
        except BadReferenceError:
            return False
        return True

    def _unfit(self, scenario: PlannedScenario, step: PlannedStep) -> Iterator[Problem]:
        """What a reference leads to has to fit where it is written, as what is written out has to."""
        arguments = step.kind.arguments(step.raw)
        expected = {**step.expect, **step.should}
        roles = scenario.bench.cards
        of_arguments, of_expected = list(references(arguments)), list(references(expected))
        if not of_arguments and not of_expected:
            return
        families = [choice.parameters.get("family", "") or choice.template for choice in roles.values()]
        seen = f"{step.kind.name} {arguments!r} {expected!r} {families}"
        if seen in self._fitting:
            return
        self._fitting.add(seen)
        try:
            if of_arguments and _ours(of_arguments):
                step.kind.model_validate(resolve(arguments, self._scope(scenario)))
            known = {**COMMON_EXPECTATIONS, **expectable(step.kind)}
            for name, value in expected.items():
                written = list(references(value))
                if written and _ours(written):
                    complaint = known[name].complaint(resolve(value, self._scope(scenario)))
                    if complaint:
                        said = textwrap.shorten(complaint, _LONGEST, placeholder=" …")
                        yield _problem(step, f"{step.kind.name}: {name}: ${written[0]} does not fit here: {said}")
        except ValidationError as error:
            yield _problem(step, f"{step.kind.name}: ${of_arguments[0]} does not fit here: {sentence(error)}")
        except BadReferenceError:
            return

    def _scope(self, scenario: PlannedScenario) -> Mapping[str, Any]:
        cards = {role: self._facts(choice) or {} for role, choice in scenario.bench.cards.items()}
        return {CARDS[0]: cards.get(main_role(cards), {}), CARDS[1]: cards, _FAULTS: self._faults}

    @cached_property
    def _faults(self) -> Mapping[str, Any]:
        return {identifier: fault.facts() for identifier, fault in catalogue().items()}

    def _facts(self, choice: CardChoice) -> Mapping[str, Any] | None:
        """What is known of a card; None for one that cannot be made, which is told where the card is looked at."""
        if choice.label not in self._read:
            try:
                made = self._workshop.personalised(choice, datetime.now(UTC).date())
                self._read[choice.label] = facts(made)
            except (InputError, NotOnThisCardError):
                self._read[choice.label] = None
        return self._read[choice.label]


def _moves(scenario: PlannedScenario) -> bool:
    return any(step.kind.moves_cards or step.kind.cards(step.raw) for step in scenario.steps)


def _ours(written: list[str]) -> bool:
    """Whether all of it is known before anything runs."""
    return all(root(reference) in (*CARDS, _FAULTS) for reference in written)


def _problem(step: PlannedStep, message: str, cure: str = "") -> Problem:
    line, column = step.document.place(step.at)
    return Problem(str(step.document.path), line, column, message, cure)


def _written(scenario: PlannedScenario) -> Iterator[_Where]:
    main = main_role(scenario.bench.cards)
    for step in scenario.steps:
        # An artefact and a binding are written by the same hand as the rest.
        said = (step.raw, step.expect, step.should, step.bindings, step.artefact.expect if step.artefact else None)
        for reference in dict.fromkeys(references(said)):
            path = path_of(reference)
            if path[0] in (CARDS[0], _FAULTS):
                yield step, main, reference
            elif path[0] == CARDS[1] and len(path) > 1:
                yield step, path[1], reference
