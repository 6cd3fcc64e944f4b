"""What a log or a sentence leads to before any word is weighed: codes, sentences of programs, functions."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache

from bifente.ground.shipped import shipped
from bifente.simulator.faults.client_codes import function_leads, named
from bifente.simulator.faults.writing import pieces


def words_of(text: str) -> list[str]:
    """Return the words of a text, without accents, case and signs."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in plain).split()


def leads_of(line: str) -> list[str]:
    """Return the ids of what the codes of a line, then a program's own sentences, lead to: the likeliest first."""
    return list(dict.fromkeys(_leads(line)))


def hints_of(line: str) -> frozenset[str]:
    """Return the ids of what the functions named in a line may speak of: a log names the function that failed."""
    return frozenset(lead for word in pieces(line) for lead in function_leads(word))


def _leads(line: str) -> Iterator[str]:
    for word in pieces(line):
        for code in named(word):
            yield from code.leads
    # A sign is no letter there: C++'s :: and the dot of a file name part two words of a log, an apostrophe too.
    said = f" {' '.join(words_of(line))} "
    for sentence, leads in _phrases():
        if f" {sentence} " in said:
            yield from leads


@cache
def _phrases() -> tuple[tuple[str, tuple[str, ...]], ...]:
    rows = shipped(__package__, "phrases.yaml")["phrases"]
    return tuple((" ".join(words_of(said)), tuple(row["leads"])) for row in rows for said in row["says"])
