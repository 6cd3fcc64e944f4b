"""``catalogue.yaml`` read and checked: sets of requirements with their source and confidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, RootModel

from bifente.conformance.loading import Document, InputError, Problem, load_document, validate
from bifente.conformance.model import Model, Sentence
from bifente.ground.fidelity import Fidelity
from bifente.reports import events

CATALOGUE = Path(__file__).with_name("catalogue.yaml")
"""The catalogue that comes with the bench."""


class RequirementModel(Model):
    """One rule, paraphrased from its source."""

    id: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Za-z0-9_-]*$")]
    level: Literal["must", "should", "may", "info"]
    actor: Literal["card", "reader", "middleware", "software", "service", "bench"]
    text: Sentence
    note: Sentence | None = None


class RequirementSet(Model):
    """Rules that share a source."""

    set: Annotated[str, Field(pattern=r"^[A-Z0-9-]+$")]
    title: Sentence
    source: Sentence
    confidence: Literal["documented", "observed", "modelled", "seed"]
    requirements: list[RequirementModel] = Field(min_length=1)


class _File(RootModel[list[RequirementSet]]):
    pass


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All requirements by id, in the order of the file."""

    document: Document
    by_id: Mapping[str, tuple[RequirementSet, RequirementModel]]

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_id)

    def __contains__(self, identifier: object) -> bool:
        return identifier in self.by_id

    def grounds(self, identifiers: Iterable[str]) -> Iterator[Fidelity]:
        """What the known ones of the named requirements rest on; a seed document counts as documented."""
        for identifier in identifiers:
            if identifier in self.by_id:
                confidence = self.by_id[identifier][0].confidence
                yield Fidelity.DOCUMENTED if confidence == "seed" else Fidelity(confidence)

    def cited(self, identifiers: Iterable[str]) -> tuple[events.Requirement, ...]:
        """The named requirements as a record carries them, in the catalogue's order, each once."""
        wanted = set(identifiers)
        return tuple(
            events.Requirement(
                id=rule.id,
                set=group.set,
                set_title=group.title,
                source=group.source,
                confidence=group.confidence,
                level=rule.level,
                actor=rule.actor,
                text=rule.text,
                note=rule.note,
            )
            for rule_id, (group, rule) in self.by_id.items()
            if rule_id in wanted
        )


@lru_cache(maxsize=4)
def load_catalogue(path: Path = CATALOGUE) -> Catalogue:
    """Read a catalogue. Raises InputError: malformed, or one id used twice."""
    document = load_document(path)
    sets = validate(_File, document.data, document)
    assert sets is not None  # noqa: S101 - nothing was ignored
    by_id: dict[str, tuple[RequirementSet, RequirementModel]] = {}
    problems: list[Problem] = []
    for index, group in enumerate(sets.root):
        for number, rule in enumerate(group.requirements):
            if rule.id in by_id:
                line, column = document.place((index, "requirements", number, "id"))
                problems.append(Problem(str(path), line, column, f"the id {rule.id} is used twice"))
            by_id[rule.id] = (group, rule)
    if problems:
        raise InputError(problems)
    return Catalogue(document, by_id)
