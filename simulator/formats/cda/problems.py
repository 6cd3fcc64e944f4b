"""What is wrong with a clinical document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CdaProblem:
    """One thing that is wrong, with its line (0 where there is none); ``schema``: the official schema judged."""

    line: int
    what: str
    schema: bool = False

    def __str__(self) -> str:
        by = "CDA_extended.xsd" if self.schema else "structure"
        return f"line {self.line}: {self.what} ({by})" if self.line else f"{self.what} ({by})"


class CdaError(ValueError):
    """A document that is not taken, with every problem that was found, the first ten in its text."""

    def __init__(self, problems: Iterable[CdaProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(one) for one in self.problems[:10]))
