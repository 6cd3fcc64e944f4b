"""What is wrong with an input, where it stands, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: ``line`` and ``column`` count from 1 (0 when the file as a whole is at fault)."""

    file: str
    line: int
    column: int
    message: str
    cure: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}" + (f" ({self.cure})" if self.cure else "")


class InputError(Exception):
    """Bad input from the user: one or more problems, each with its place. Commands turn it into exit code 2."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

    @classmethod
    def at(cls, file: str, message: str, *, line: int = 0, column: int = 0, cure: str = "") -> InputError:
        """An error with a single problem."""
        return cls([Problem(file, line, column, message, cure)])


def nearest(word: str, known: Iterable[str]) -> str:
    """The cure for a misspelt word: the near one, else the list of what is known (sorted, at most a dozen)."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    if not names:
        return "none is known here"
    return "known: " + ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
