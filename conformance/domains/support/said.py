"""A customer's sentence held against what a software says: its words, whatever is around them."""

from __future__ import annotations

import re
import unicodedata

from bifente.ground.text import Text

_HOLE = re.compile(r"\{[a-z]+\}")
_SMALL = frozenset(
    {
        *("a", "au", "aux", "ce", "de", "des", "du", "en", "est", "et", "il", "j", "la", "le", "les", "l", "n", "ne"),
        *("on", "ou", "pas", "par", "que", "qui", "sur", "un", "une", "the", "of", "in", "is", "to"),
    }
)


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, without accents, case and signs."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return tuple("".join(letter if letter.isalnum() or letter == "_" else " " for letter in plain).split())


def could_say(text: Text, said: str, *, code_alone: bool = False) -> bool:
    """Whether a customer's sentence may repeat a text whose ``{code}`` is not known yet.

    ``code_alone``: a bare code may be the one that it shows.
    """
    return any(
        _repeats(_HOLE.sub(" ", one), said, holes=bool(_HOLE.search(one)), code_alone=code_alone)
        for one in (text.fr, text.en)
    )


def says(text: Text, said: str) -> bool:
    """Whether a customer's sentence repeats a text: all its words are there, or the sentence is a part of it."""
    return any(_repeats(one, said, holes=False) for one in (text.fr, text.en))


def _repeats(text: str, said: str, *, holes: bool, code_alone: bool = False) -> bool:
    wanted = {one for one in words(text) if one not in _SMALL}
    given = {one for one in words(said) if one not in _SMALL}
    if not wanted or not given:
        return False
    # A text made of one everyday word says nothing by itself: "erreur" is in every sentence.
    whole = wanted <= given and (len(wanted) > 1 or (holes and any(map(_is_code, given))))
    codes = {one for one in given if _is_code(one)}
    part = given <= wanted and (bool(codes) or len(given) > 1)
    return whole or part or (code_alone and holes and given == codes)


def _is_code(word: str) -> bool:
    return any(letter.isdigit() for letter in word)
