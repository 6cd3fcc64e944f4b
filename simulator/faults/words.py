"""The catalogue searched by the words of a customer or of a log, or by a code in any writing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import log
from typing import Any

from bifente.ground.shipped import shipped
from bifente.simulator.faults.client_codes import named
from bifente.simulator.faults.entries import Known, SaidEntry, said_entry
from bifente.simulator.faults.everyday import everyday_causes
from bifente.simulator.faults.leads import code_leads, hints_of, sentence_leads, words_of
from bifente.simulator.faults.register import catalogue
from bifente.simulator.faults.writing import one_writing

_SHORTEST = 3
"""Letters of the shortest word that says something."""
_EVERYBODY_S: Mapping[str, Any] = shipped(__package__, "small_words.yaml")
_SMALL: frozenset[str] = frozenset(_EVERYBODY_S["words"].split())
"""Words that every customer says, whatever has failed: they count when nothing else tells two entries apart."""
_THINGS: Mapping[str, str] = {word: line.split()[0] for line in _EVERYBODY_S["things"] for word in line.split()}
"""What every customer names: the thing that a word stands for, by the word."""

_CODE = 12.0
"""What a code counts for wherever it stands: it is the surest thing a customer can say."""
_SAID, _KNOWN, _SMALLS = 3.0, 1.0, 0.05
_SERVICES: Mapping[str, str] = {word: line.split()[0] for line in _EVERYBODY_S["services"] for word in line.split()}
"""The services that customers name: the service that a word stands for, by the word."""
_THING = 0.5
"""The most that the name of a thing counts for."""
_ALIKE = 0.8
"""How near a word must be to a known one to be taken for it mistyped (difflib's ratio)."""
_MISTYPED = 5
"""Letters of the shortest word that is taken for another one mistyped."""
_SURE = 0.6
"""The share of a clause, by the weight of its words, that must be said for it to be the customer's own words."""
_NEGATIONS: frozenset[str] = frozenset(_EVERYBODY_S["negations"].split())
"""What turns a clause round: one that has it is not said by a sentence that has none."""
_SURER = 1.25
"""What an entry gains by being said nearly whole."""
_ELSEWHERE = 0.4
"""What is left of an entry that speaks of other services than those the customer names."""
_FLOOR = 1.0
"""Below it only small words agreed."""


@dataclass(frozen=True, slots=True)
class Match:
    """One entry that fits the words of a customer.

    ``sure``: a code, a program's own sentence or nearly all of one of its clauses was said. Else some words agree, and
    no more than that is known.
    """

    one: Known
    score: float
    sure: bool


class WordSearch:
    """Entries made ready to be searched by words.

    A word counts for more the fewer entries have it, and in a symptom for more than in a cause; its end, accents, case
    and a typing error do not matter. A code counts in any writing: ``F 101``, ``0x80100068``, ``-2146434968``,
    ``SCARD_W_RESET_CARD``, ``CKR_PIN_LOCKED``; so do the name of a function and the sentence of a program.
    """

    def __init__(self, entries: Iterable[Known]) -> None:
        """Read the entries; they are not looked at again."""
        self._entries = [said_entry(one) for one in entries]
        self._counts = Counter(word for entry in self._entries for word in entry.words)
        self._by_beginning: dict[str, list[str]] = {}
        for word in self._counts:
            self._by_beginning.setdefault(word[:_SHORTEST], []).append(word)
        self._alike: dict[str, frozenset[str]] = {}

    def matches(self, words: str) -> list[Match]:
        """Return what fits the words of a customer, the likeliest first, and whether each is sure."""
        words = one_writing(words)
        asked = list(dict.fromkeys(_asked(words)))
        by_code, by_sentence, hinted = code_leads(words), sentence_leads(words), hints_of(words)
        services, negated = _services(asked), not _NEGATIONS.isdisjoint(words_of(words))
        meant = [self._meant(word) for word in asked]
        found = []
        for entry in self._entries:
            score, sure = self._score(entry, meant, negated=negated)
            bears = any(_is_code(word) and word in entry.words for word in meant)
            if entry.one.id in hinted:
                score += _CODE
            named = _services(word for said in entry.symptoms for word in said)
            if services and named and not services & named:
                score, sure, bears = score * _ELSEWHERE, False, False
            led = entry.one.id in by_code or entry.one.id in by_sentence
            if score > _FLOOR or led:
                place = _place(entry.one.id, by_code, by_sentence, bears=bears)
                found.append((place, Match(entry.one, score * _SURER if sure else score, sure or led)))
        # What a code or a program's own words lead to comes first, whatever words stand around it.
        return [match for _place, match in sorted(found, key=lambda pair: (pair[0], -pair[1].score))]

    def untold(self, words: str) -> tuple[str, ...]:
        """Return the words that no entry has: what a customer said and nobody has heard of."""
        asked = dict.fromkeys(word for word in _asked(one_writing(words)) if word not in _SMALL and word not in _THINGS)
        return tuple(word for word in asked if not _is_code(word) and not self._same(word))

    def _meant(self, word: str) -> str:
        if _is_code(word) or len(word) < _MISTYPED or word in _SMALL or self._same(word):
            return word
        alike = [other for other in self._counts if other[0] == word[0]]
        near = get_close_matches(word, alike, n=1, cutoff=_ALIKE)
        return near[0] if near else word

    def _same(self, word: str) -> frozenset[str]:
        """The words of the entries that are this one but for their ends."""
        if word not in self._alike:
            near = self._by_beginning.get(word[:_SHORTEST], ())
            self._alike[word] = frozenset(other for other in near if _same(word, other))
        return self._alike[word]

    def _weigh(self, word: str) -> float:
        if word in _SMALL:
            return _SMALLS
        having = sum(self._counts[other] for other in self._same(word))
        weight = log(1 + len(self._entries) / having) if having else 0.0
        return min(weight, _THING) if word in _THINGS else weight

    def _score(self, entry: SaidEntry, asked: Sequence[str], *, negated: bool) -> tuple[float, bool]:
        codes = sum(_CODE for word in asked if _is_code(word) and word in entry.words)
        plain = [word for word in asked if not _is_code(word) and not self._same(word).isdisjoint(entry.words)]
        things = {_THINGS[word] for word in asked if word in _THINGS}
        best, sure = 0.0, codes > 0
        for said in entry.symptoms:
            fitting = [word for word in plain if not self._same(word).isdisjoint(said)]
            if not fitting:
                continue
            telling = [word for word in said if word not in _SMALL and len(word) >= _SHORTEST]
            told = [word for word in telling if any(word in self._same(one) for one in fitting)]
            best = max(best, sum(map(self._weigh, fitting)) * (0.5 + len(told) / max(1, len(telling))))
            named = [word for word in telling if word in told or _THINGS.get(word) in things]
            whole = sum(map(self._weigh, named)) >= _SURE * sum(map(self._weigh, telling))
            fits = negated or _NEGATIONS.isdisjoint(said)
            fits &= any(word in _THINGS for word in named) or not any(word in _THINGS for word in telling)
            sure |= whole and fits and any(word not in _THINGS for word in told)
        rest = sum(self._weigh(word) for word in plain if not self._same(word).isdisjoint(entry.rest))
        return codes + _SAID * best + _KNOWN * rest, sure


def search(words: str, entries: Iterable[Known] | None = None) -> list[Known]:
    """Return what fits the words a customer used, the likeliest first; an empty list for nothing that fits.

    Without ``entries``, the whole catalogue and the everyday causes.
    """
    known: Iterable[Known] = [*catalogue().values(), *everyday_causes().values()] if entries is None else entries
    return [match.one for match in WordSearch(known).matches(words)]


def unknown_codes(words: str, found: Iterable[Known]) -> tuple[str, ...]:
    """Return the codes among the words that nothing found bears: no source tells of them."""
    words = one_writing(words)
    borne = frozenset(word for one in found for word in said_entry(one).words)
    return tuple(word for word in _asked(words) if _is_code(word) and word not in borne and not named(word))


def _place(identifier: str, by_code: Sequence[str], by_sentence: Sequence[str], *, bears: bool) -> tuple[int, int]:
    if identifier in by_code:
        return 0, by_code.index(identifier)
    if bears:
        return 0, len(by_code)
    return (1, by_sentence.index(identifier)) if identifier in by_sentence else (2, 0)


def _services(words: Iterable[str]) -> frozenset[str]:
    return frozenset(_SERVICES[word] for word in words if word in _SERVICES)


def _asked(words: str) -> Iterator[str]:
    return (word for word in words_of(words) if len(word) >= _SHORTEST)


def _is_code(word: str) -> bool:
    """A code is that code or another: half of one is nothing."""
    return any(letter.isdigit() or letter == "_" for letter in word)


def _same(word: str, other: str) -> bool:
    """Whether two words are one but for their ends: bloquée, bloqués."""
    return other.startswith(word[: max(_SHORTEST + 1, len(word) - 2)]) and abs(len(other) - len(word)) <= 4
