"""What a rule is, and what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bifente.conformance.observation.story import Moment, Story
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text


@dataclass(frozen=True, slots=True)
class Breach:
    """One time that a rule was broken: what happened, and the events that show it, by their numbers."""

    said: Text
    evidence: tuple[int, ...]


Judge = Callable[[Story], Sequence[Breach] | None]
"""Gives every breach; None where nothing happened that the rule is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: ``name`` is what people quote, ``why`` what it is good for, ``cure`` what an editor does about it."""

    name: str
    title: Text
    why: Text
    cure: Text
    requirements: tuple[str, ...]
    fidelity: Fidelity
    judge: Judge


def breach(fr: str, en: str, *moments: Moment) -> Breach:
    """Return a breach shown by these moments."""
    return Breach(Text(fr, en), tuple(one.seq for one in moments))
