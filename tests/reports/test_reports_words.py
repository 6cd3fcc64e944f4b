from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import bifente.reports as reports
from bifente.ground.text import LANGS
from bifente.reports import words
from bifente.reports.clean import one_line, printable

ROOT = Path(reports.__file__).parent


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("word", words.WORDS)
def test_both_languages_say_the_same(word: str) -> None:
    text = words.WORDS[word]
    assert text.fr
    assert text.en
    assert _holes(text.fr) == _holes(text.en)


def test_no_word_is_kept_for_nobody() -> None:
    sources = "".join(
        path.read_text() for path in ROOT.rglob("*") if path.suffix in (".py", ".j2") and path.name != "words.py"
    )
    sources += Path(words.__file__).read_text().partition("def say")[2]
    families = ("phase_", "level_", "confidence_", "actor_", "judges_", "picture_")
    unused = [
        word for word in words.WORDS if not word.startswith(families) and not re.search(rf"""["']{word}["']""", sources)
    ]
    assert not unused


def test_an_unknown_word_is_an_error_and_not_a_blank() -> None:
    with pytest.raises(KeyError):
        words.say("nothing-like-it", "fr")
    with pytest.raises(KeyError):
        words.say("matrix_intro", "fr", cited=1)


def test_a_catalogue_word_nobody_translated_stays() -> None:
    assert words.translated("level", "must", "fr") == "doit"
    assert words.translated("level", "shall", "fr") == "shall"


@pytest.mark.parametrize(
    ("microseconds", "french", "english"),
    [
        (0, "0 µs", "0 µs"),
        (999, "999 µs", "999 µs"),
        (1_000, "1 ms", "1 ms"),
        (12_440, "12,4 ms", "12.4 ms"),
        (999_499, "999 ms", "999 ms"),
        (999_500, "1 s", "1 s"),
        (3_214_000, "3,21 s", "3.21 s"),
        (59_949_999, "59,9 s", "59.9 s"),
        (59_950_000, "60 s", "60 s"),
        (60_000_000, "1 min 00 s", "1 min 00 s"),
        (125_400_000, "2 min 05 s", "2 min 05 s"),
    ],
)
def test_durations(microseconds: int, french: str, english: str) -> None:
    assert words.duration(microseconds, "fr") == french
    assert words.duration(microseconds, "en") == english


def test_percentages_colons_and_moments_follow_the_language() -> None:
    assert words.percent(12.54, "fr") == "12,5 %"
    assert words.percent(12.54, "en") == "12.5%"
    assert words.labelled("a", "b", "fr") == "a : b"
    assert words.labelled("a", "b", "en") == "a: b"
    assert words.moment("2025-03-01T09:30:00.250Z", "fr") == "2025-03-01 09:30:00 UTC"
    assert [words.moment("", lang) for lang in LANGS] == ["inconnu", "unknown"]


@pytest.mark.parametrize("harmful", ["\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\ud800", "\ufffe", "\r"])
def test_harmful_characters_become_visible(harmful: str) -> None:
    assert printable(f"a{harmful}b") == "a\ufffdb"


def test_ordinary_characters_stay() -> None:
    assert printable("é\t\n€ 👍") == "é\t\n€ 👍"
    assert one_line(" a\n\tb  c ") == "a b c"
