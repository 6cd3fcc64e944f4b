"""Every rule of the catalogue in French and in English: both said, the same names, codes and numbers in both."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape

import pytest

from bifente.conformance.requirements import load_catalogue
from bifente.ground.text import LANGS, Lang, Text
from bifente.reports.events import RunStarted, Tool
from bifente.reports.model import fold
from bifente.reports.writers import html

FIXED = re.compile(r"[A-Za-z0-9_#…]*(?:[0-9_#…]|[A-Z]{2}|[a-z][A-Z])[A-Za-z0-9_#…]*")
"""A word that no language changes: it has a digit, a sign, or capitals beyond its first letter."""
SAME = {"OS": "", "ID": "", "ATRs": "ATR", "1er": "1"}
"""What is said otherwise all the same: systems, identity tokens, a plural, the first day of a month."""


def small(words: str) -> re.Pattern[str]:
    """Return what finds these words where they stand alone."""
    return re.compile(rf"(?<![\w'.-])(?:{words})(?![\w'.-])")


OWN: dict[Lang, re.Pattern[str]] = {
    "fr": small("est|sont|avec|pour|une|du|au|aux|et|que|qui|sur|ne|pas"),
    "en": small(
        "the|of|is|are|was|were|and|with|without|by|from|not|never|only|when|it|its|be|which|that|seen|see|also"
    ),
}
"""Small words that a sentence of the other language does not have."""
OTHER: dict[Lang, Lang] = {"fr": "en", "en": "fr"}


def sentences() -> Iterator[tuple[str, Text]]:
    """Everything that the catalogue says, by where it says it."""
    seen: set[str] = set()
    for group, rule in load_catalogue().by_id.values():
        if group.set not in seen:
            seen.add(group.set)
            yield f"{group.set} title", group.title
            yield f"{group.set} source", group.source
        yield rule.id, rule.text
        if rule.note is not None:
            yield f"{rule.id} note", rule.note


def fixed(sentence: str) -> Counter[str]:
    """The words of a sentence that no language changes, how often each."""
    return Counter(word for found in FIXED.findall(sentence) if (word := SAME.get(found, found)))


def test_every_sentence_is_said_in_both_languages() -> None:
    found = dict(sentences())
    assert len(found) > 1_300
    alike = {where: said.fr for where, said in found.items() if said.fr == said.en}
    assert not set(alike) & set(load_catalogue())
    # A note, a title or a source may be a reference or a name: no sentence, which would have a small word.
    assert {where: said for where, said in alike.items() if any(own.search(said) for own in OWN.values())} == {}


@pytest.mark.parametrize("lang", LANGS)
def test_a_sentence_has_no_word_of_the_other_language(lang: Lang) -> None:
    # Sources name works by their titles.
    told = [(where, said.get(lang)) for where, said in sentences() if not where.endswith(" source")]
    assert {where: words for where, said in told if (words := OWN[OTHER[lang]].findall(said))} == {}


def test_names_codes_and_numbers_are_the_same_in_both() -> None:
    told = {where: (fixed(said.en), fixed(said.fr)) for where, said in sentences()}
    assert {where: (en - fr, fr - en) for where, (en, fr) in told.items() if en != fr} == {}


@pytest.mark.parametrize(
    ("en", "fr"),
    [
        ("F001: card absent", "F002 : carte absente"),
        ("6982 without PIN", "698 sans PIN"),
        ("see CARD-CPS3-16", "voir CARD-CPS4-16"),
        ("C_Login and C_Logout", "C_Login et C_logout"),
        ("sources#cps3", "sources#cps4"),
        ("at most 32 handles", "au plus trente-deux descripteurs"),
        ("RPPS 999…", "RPPS 999"),
        ("entryUUID, never uniqueId", "entryUUID, jamais uniqueID"),
    ],
)
def test_a_changed_name_code_or_number_is_found(en: str, fr: str) -> None:
    assert fixed(en) != fixed(fr)


@pytest.mark.parametrize("lang", LANGS)
def test_a_page_holds_no_requirement_of_the_other_language(lang: Lang) -> None:
    catalogue = load_catalogue()
    start = RunStarted(
        run_id="r",
        tool=Tool(name="bifente", version="0"),
        command=(),
        target="embedded",
        seed=1,
        requirements=catalogue.cited(catalogue),
        requirements_total=len(catalogue),
    )
    page = unescape(html.write(fold([start]), lang))
    told = dict(sentences())
    assert {where for where, said in told.items() if said.get(lang) not in page} == set()
    other = {where: said.get(OTHER[lang]) for where, said in told.items() if said.fr != said.en}
    assert {where for where, said in other.items() if said in page} == set()
