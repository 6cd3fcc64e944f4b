"""The catalogue searched by the words of a customer, or by a code."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from bifente.simulator.fault import Fault
from bifente.simulator.faults.register import catalogue
from bifente.simulator.readers.codes import PcscCode

_SHORTEST = 3
"""Letters of the shortest word that says something."""


def search(words: str, faults: Iterable[Fault] | None = None) -> list[Fault]:
    """The faults whose symptoms, cause or codes have the words a customer used, the likeliest first.

    A word counts by its beginning, accents and case aside, and for more in a symptom than in a cause. A code (F101,
    8010001D, NO_SERVICE) counts as a word. Nothing that fits gives an empty list.
    """
    asked = list(dict.fromkeys(word for word in _words(words) if len(word) >= _SHORTEST))
    scored = []
    for one in catalogue().values() if faults is None else faults:
        said = _words(" ".join(f"{symptom.fr} {symptom.en}" for symptom in one.symptoms))
        known = _words(f"{one.id} {one.cause.fr} {one.cause.en} {' '.join(_all_codes(one))}")
        score = sum(_worth(word, said, known) for word in asked)
        if score:
            scored.append((score / (1 + len(said) / _LONG), one))
    return [one for _score, one in sorted(scored, key=lambda pair: -pair[0])]


_CODE = 9
"""What a code counts for wherever it stands: it is the surest thing a customer can say."""
_SAID = 3
_LONG = 200
"""Words of a symptom after which it counts for half: a long list of symptoms has every word."""


def _worth(word: str, said: list[str], known: list[str]) -> int:
    if _is_code(word):
        return _CODE if word in said or word in known else 0
    return _SAID if _has(word, said) else int(_has(word, known))


def _is_code(word: str) -> bool:
    """A code is that code or another: half of one is nothing."""
    return any(letter.isdigit() or letter == "_" for letter in word)


def _has(word: str, words: list[str]) -> bool:
    stem = word[: max(_SHORTEST + 1, len(word) - 2)]
    return any(other.startswith(stem) for other in words)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in plain).split()


def _all_codes(one: Fault) -> list[str]:
    codes = one.codes
    numbers = [number for number in (codes.sw, codes.galss, codes.ssv_ps, codes.ssv_vitale) if number is not None]
    pcsc = [codes.pcsc, f"{PcscCode[codes.pcsc].value:08X}"] if codes.pcsc else []
    words = [str(codes.http or ""), codes.word or ""]
    return [*pcsc, *words, *(f"{number:04X} {number}" for number in numbers)]
