"""One sentence in the two languages of the bench."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """The same statement in French and in English; ``str()`` gives the English one."""

    fr: str
    en: str

    def __str__(self) -> str:
        return self.en
