"""The catalogue searched by the words of a customer or of a log, or by a code in any writing."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import log
from typing import TypeAlias

from bifente.ground.shipped import shipped
from bifente.simulator.fault import Fault
from bifente.simulator.faults.client_codes import function_leads, named
from bifente.simulator.faults.everyday import EverydayCause, everyday_causes
from bifente.simulator.faults.register import catalogue
from bifente.simulator.faults.writing import one_writing, pieces

Known: TypeAlias = Fault | EverydayCause
"""What a search may find."""

_SHORTEST = 3
"""Letters of the shortest word that says something."""
_SMALL: frozenset[str] = frozenset(shipped(__package__, "small_words.yaml")["words"].split())
"""Words that every customer says, whatever has failed: they count when nothing else tells two entries apart."""

_CODE = 12.0
"""What a code counts for wherever it stands: it is the surest thing a customer can say."""
_SAID, _KNOWN, _SMALLS = 3.0, 1.0, 0.05
_ALIKE = 0.75
"""How near a word must be to a known one to be taken for it mistyped (difflib's ratio)."""


@dataclass(frozen=True, slots=True)
class _Entry:
    one: Known
    symptoms: tuple[tuple[str, ...], ...]
    """One tuple of words for each clause of a symptom, in each language."""
    rest: tuple[str, ...]

    @property
    def words(self) -> frozenset[str]:
        return frozenset(word for said in (*self.symptoms, self.rest) for word in said)


def search(words: str, faults: Iterable[Fault] | None = None) -> list[Known]:
    """Return what fits the words a customer used, the likeliest first; an empty list for nothing that fits.

    Without ``faults``, the whole catalogue and the everyday causes. A word counts for more the fewer entries have it,
    and in a symptom for more than in a cause; its end, accents, case and a typing error do not matter. A code counts in
    any writing: ``F 101``, ``0x80100068``, ``-2146434968``, ``SCARD_W_RESET_CARD``, ``CKR_PIN_LOCKED``; so does the
    name of a function.
    """
    words = one_writing(words)
    known: list[Known] = [*catalogue().values(), *everyday_causes().values()] if faults is None else list(faults)
    entries = [_entry(one) for one in known]
    asked = list(dict.fromkeys(_asked(words)))
    led = list(dict.fromkeys(_leads(pieces(words))))
    weigh = _weights(entries)
    vocabulary = frozenset(word for entry in entries for word in entry.words)
    meant = [_meant(word, vocabulary) for word in asked]
    scored = []
    for entry in entries:
        score = _score(entry, meant, weigh)
        if entry.one.id in led:
            score += _CODE * (1 + len(led) - led.index(entry.one.id))
        if score > _FLOOR:
            scored.append((score, entry.one))
    return [one for _score, one in sorted(scored, key=lambda pair: -pair[0])]


_FLOOR = 1.0
"""Below it only small words agreed."""


def _leads(words: Sequence[str]) -> Iterator[str]:
    """What codes lead to, then what functions do: a line of a log names the function, and then what it gave."""
    for word in words:
        for code in named(word):
            yield from code.leads
    for word in words:
        yield from function_leads(word)


def _asked(words: str) -> Iterator[str]:
    for word in _words(words):
        if len(word) >= _SHORTEST:
            yield word


def _meant(word: str, vocabulary: frozenset[str]) -> str:
    if _is_code(word) or word in _SMALL or _beginning(word, vocabulary):
        return word
    near = get_close_matches(word, vocabulary, n=1, cutoff=_ALIKE)
    return near[0] if near else word


def _weights(entries: Sequence[_Entry]) -> Callable[[str], float]:
    counts = Counter(word for entry in entries for word in entry.words)

    def weigh(word: str) -> float:
        if word in _SMALL:
            return _SMALLS
        having = sum(count for other, count in counts.items() if _same(word, other))
        return log(1 + len(entries) / having) if having else 0.0

    cached: dict[str, float] = {}

    def remembered(word: str) -> float:
        if word not in cached:
            cached[word] = weigh(word)
        return cached[word]

    return remembered


def _score(entry: _Entry, asked: Sequence[str], weigh: Callable[[str], float]) -> float:
    codes = sum(_CODE for word in asked if _is_code(word) and word in entry.words)
    plain = [word for word in asked if not _is_code(word)]
    best = 0.0
    for said in entry.symptoms:
        fitting = [word for word in plain if _beginning(word, said)]
        telling = [word for word in said if word not in _SMALL and len(word) >= _SHORTEST]
        share = sum(any(_same(word, other) for word in fitting) for other in telling) / max(1, len(telling))
        best = max(best, sum(weigh(word) for word in fitting) * (0.5 + share))
    return codes + _SAID * best + _KNOWN * sum(weigh(word) for word in plain if _beginning(word, entry.rest))


def _is_code(word: str) -> bool:
    """A code is that code or another: half of one is nothing."""
    return any(letter.isdigit() or letter == "_" for letter in word)


def _beginning(word: str, words: Iterable[str]) -> bool:
    return any(_same(word, other) for other in words)


def _same(word: str, other: str) -> bool:
    """Whether two words are one but for their ends: bloquée, bloqués."""
    return other.startswith(word[: max(_SHORTEST + 1, len(word) - 2)]) and abs(len(other) - len(word)) <= 4


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in plain).split()


def _entry(one: Known) -> _Entry:
    symptoms = tuple(
        tuple(_words(clause))
        for symptom in one.symptoms
        for said in (symptom.fr, symptom.en)
        for clause in said.split(",")
    )
    rest = f"{one.id} {one.cause.fr} {one.cause.en} {' '.join(_all_codes(one))}"
    return _Entry(one, symptoms, tuple(_words(rest)))


def _all_codes(one: Known) -> list[str]:
    if isinstance(one, EverydayCause):
        return list(one.said_codes)
    from bifente.simulator.readers.codes import PcscCode  # with it come all readers: a return code need not wait

    codes = one.codes
    numbers = [number for number in (codes.sw, codes.galss, codes.ssv_ps, codes.ssv_vitale) if number is not None]
    pcsc = [codes.pcsc, f"{PcscCode[codes.pcsc].value:08X}"] if codes.pcsc else []
    words = [str(codes.http or ""), codes.word or ""]
    return [*pcsc, *words, *(f"{number:04X} {number}" for number in numbers)]


def unknown_codes(words: str, found: Iterable[Known]) -> tuple[str, ...]:
    """Return the codes among the words that nothing found bears: no source tells of them."""
    words = one_writing(words)
    borne = frozenset(word for one in found for word in _entry(one).words)
    return tuple(word for word in _asked(words) if _is_code(word) and word not in borne and not named(word))
