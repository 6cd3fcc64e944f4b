"""What is wrong with an input, where it stands, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bifente.ground.french import in_lang
from bifente.ground.text import Lang


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: ``line`` and ``column`` count from 1 (0 when the file as a whole is at fault)."""

    file: str
    line: int
    column: int
    message: str
    cure: str = ""

    def __str__(self) -> str:
        return self.say("en")

    def say(self, lang: Lang) -> str:
        """Return the whole in a language: the place, what is wrong, the cure."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        cure = f" ({in_lang(self.cure, lang)})" if self.cure else ""
        return f"{place}: {in_lang(self.message, lang)}{cure}"


class InputError(Exception):
    """Bad input from the user: one or more problems, each with its place. Commands turn it into exit code 2."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

    def say(self, lang: Lang) -> str:
        """Return every problem in a language, one a line."""
        return "\n".join(problem.say(lang) for problem in self.problems)

    @classmethod
    def at(cls, file: str, message: str, *, line: int = 0, column: int = 0, cure: str = "") -> InputError:
        """An error with a single problem."""
        return cls([Problem(file, line, column, message, cure)])


def nearest(word: str, known: Iterable[str]) -> str:
    """The cure for a misspelt word: the near one, else the list of what is known (sorted, at most a dozen)."""
    names = sorted(known)
    if not names:
        return "none is known here"
    if (near := _near(word, names)) is not None:
        return f"did you mean {near!r}?"
    return "known: " + ", ".join(names[:12]) + (", …" if len(names) > 12 else "")


def near_word(word: str, known: Mapping[str, str]) -> str | None:
    """What the near one of some words stands for; None rather than far."""
    found = _near(word, sorted(known))
    return known[found] if found is not None else None


_NEAR = 0.7


def _near(word: str, names: Sequence[str]) -> str | None:
    """The name that was meant: like the word, or the word with letters swapped, or begun by it. None rather than far.

    Of names in folders (``readers/fei``) the folder is no likeness.
    """
    folder, _slash, last = word.rpartition("/")
    same = [name for name in names if name.rpartition("/")[0] == folder] or list(names)
    bare = {name.rpartition("/")[2]: name for name in reversed(same)}
    if close := difflib.get_close_matches(last, bare, n=1, cutoff=_NEAR):
        return bare[close[0]]
    swapped = [name for part, name in bare.items() if len(last) > 2 and sorted(part) == sorted(last)]
    begun = [name for part, name in bare.items() if len(last) > 2 and part.startswith(last)]
    if of_a_matrix := [name for name in begun if name.rpartition("/")[2].startswith(f"{last}[")]:
        return min(of_a_matrix)
    if folder and not (swapped or begun):
        whole = difflib.get_close_matches(word, names, n=1, cutoff=0.85)
        return whole[0] if whole else None
    return next(iter([*swapped, *(begun if len(begun) == 1 else ())]), None)
