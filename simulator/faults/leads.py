"""What a log or a sentence leads to before any word is weighed: codes, sentences of programs, functions."""

from __future__ import annotations

import unicodedata
from functools import cache

from bifente.ground.shipped import shipped
from bifente.simulator.faults.client_codes import function_leads, named
from bifente.simulator.faults.writing import pieces


def words_of(text: str) -> list[str]:
    """Return the words of a text, without accents, case and signs."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in plain).split()


def code_leads(line: str) -> list[str]:
    """Return the ids of what the codes of a line lead to: the likeliest first."""
    return list(dict.fromkeys(lead for word in pieces(line) for code in named(word) for lead in code.leads))


def sentence_leads(line: str) -> list[str]:
    """Return the ids of what a program's own sentences in a line lead to: the likeliest first."""
    # A sign is no letter there: C++'s :: and the dot of a file name part two words of a log, an apostrophe too.
    said = f" {' '.join(words_of(line))} "
    return list(dict.fromkeys(lead for sentence, leads in _phrases() if f" {sentence} " in said for lead in leads))


def hints_of(line: str) -> frozenset[str]:
    """Return the ids of what the functions named in a line may speak of: a log names the function that failed."""
    return frozenset(lead for word in pieces(line) for lead in function_leads(word))


@cache
def _phrases() -> tuple[tuple[str, tuple[str, ...]], ...]:
    rows = shipped(__package__, "phrases.yaml")["phrases"]
    return tuple((" ".join(words_of(said)), tuple(row["leads"])) for row in rows for said in row["says"])
