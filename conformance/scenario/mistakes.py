"""The mistakes of a suite, gathered while it is read: an author mends them in one go."""

from __future__ import annotations

from collections.abc import Iterable

from bifente.conformance.loading import Document, InputError, Problem
from bifente.conformance.loading.document import Location


class Mistakes:
    """Every mistake met so far, in order."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def note(self, document: Document, at: Location, message: str, cure: str = "") -> None:
        """Note one at a place of a document."""
        line, column = document.place(at)
        self._problems.append(Problem(str(document.path), line, column, message, cure))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note those that something else found."""
        self._problems.extend(problems)

    def check(self) -> None:
        """Raises InputError with every mistake, if there is any."""
        if self._problems:
            # A stage used twice, a step on every bench of a matrix: each mistake is told once.
            raise InputError(list(dict.fromkeys(self._problems)))
