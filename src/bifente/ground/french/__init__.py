"""French for what the code says in English: helps, errors, and words of matchers, where they reach a reader.

Most of what the bench tells is a ``Text`` in both languages from where it is born. What is born as one English sentence
(an exception, a help, what a matcher shows) is put into French where it is printed, by the sentences of this folder:
``{}`` stands for what changes, and is itself put into French if it is a sentence. What is not there stays as it is.
They are JSON: a help is told without waiting for anything else to be imported.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bifente.ground.text import Lang, Text

SAID = ("help.json", "errors.json")
"""What commands say."""
EVERYTHING = (*SAID, "reasons.json")
"""With them what stands behind them: why a sheet, a zone, a card, a memory or a file is refused. Looked at last."""
SHOWN = ("report.json",)
"""What matchers show."""
OF_STEPS = ("steps.json",)
"""What the reference page says of steps and their arguments."""
_LONGEST = 4_000
_DEPTH = 4
_HOLE = "{}"
# A place or a name before what is said of it: `suite.yaml:3:5`, `verify-code`, `bench.cards`, `--select`.
_PREFIX = re.compile(r"([^\s:]+(?::\d+){0,2}): (?=\S)")
_APPENDED = re.compile(r"(.+), not ('.*'|\S+)", re.DOTALL)
_CURE = re.compile(r"(.+) \(((?:[^()]|\([^()]*\))+)\)", re.DOTALL)


def in_lang(text: str, lang: Lang) -> str:
    """Return an English sentence of the code in a language."""
    return in_french(text) if lang == "fr" else text


def in_french(text: str) -> str:
    """Return an English sentence of the code in French; as it is where nobody has put it into French."""
    return _french(text, _DEPTH, SAID)


def shown(text: str, lang: Lang) -> str:
    """Return what a matcher shows in a language."""
    return _french(text, _DEPTH, SHOWN) if lang == "fr" else text


def in_both(said: object) -> Text:
    """Return what an error or a sentence of the code says in both languages, in French where it has some."""
    from bifente.ground.text import Text

    return Text(in_french(str(said)), str(said))


def of_a_step(sentence: str, lang: Lang) -> str:
    """Return what a step or an argument says of itself in a language; as it is where nobody has put it into French."""
    return sentences(OF_STEPS).get(sentence, sentence) if lang == "fr" else sentence


def locale_lang() -> Lang:
    """Return the locale's language when it is one of ours, else French."""
    locale = (os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "")[:2]
    return "en" if locale == "en" else "fr"


def known(text: str) -> bool:
    """Whether a sentence, or the template of one, has its French here."""
    return " ".join(text.split()) in sentences(EVERYTHING)


@cache
def sentences(files: tuple[str, ...]) -> Mapping[str, str]:
    """Return every sentence of some files by its English."""
    found: dict[str, str] = {}
    for name in files:
        found |= json.loads(resources.files(__name__).joinpath(name).read_text(encoding="utf-8"))
    return found


@cache
def _exact(files: tuple[str, ...]) -> Mapping[str, str]:
    return {en: fr for en, fr in sentences(files).items() if _HOLE not in en}


class _Template:
    """An English sentence with holes, and its French."""

    __slots__ = ("_begins", "_between", "_ends", "french")

    def __init__(self, english: str, french: str) -> None:
        self._begins, *self._between, self._ends = english.split(_HOLE)
        self.french = french

    def parts(self, text: str) -> list[str] | None:
        """Return what fills the holes, each as short as it can be; None for another sentence.

        No pattern: there are a thousand templates, and a text made for it would have one tried in all its ways.
        """
        at, end = len(self._begins), len(text) - len(self._ends)
        if end < at or not text.startswith(self._begins) or not text.endswith(self._ends):
            return None
        found = []
        for piece in self._between:
            where = text.find(piece, at, end)
            if where < 0:
                return None
            found.append(text[at:where])
            at = where + len(piece)
        return [*found, text[at:end]]


@cache
def _templates(files: tuple[str, ...]) -> tuple[_Template, ...]:
    # What has most words of its own is tried first: `{}: {}` would fit anything.
    ordered = sorted(((en, fr) for en, fr in sentences(files).items() if _HOLE in en), key=lambda row: -len(row[0]))
    return tuple(_Template(en, fr) for en, fr in ordered)


def _french(text: str, depth: int, files: tuple[str, ...]) -> str:
    said = _put(text, depth, files)
    return _put(text, depth, EVERYTHING) if said == text and files == SAID else said


def _put(text: str, depth: int, files: tuple[str, ...]) -> str:
    if (exact := _exact(files).get(" ".join(text.split()))) is not None:
        return exact
    if not depth or len(text) > _LONGEST or " " not in text.strip():
        return text
    for template in _templates(files):
        if (filling := template.parts(text)) is not None:
            return _filled(template.french, [_french(part, depth - 1, files) for part in filling])
    if found := _PREFIX.match(text):
        rest = text[found.end() :]
        said = _french(rest, depth - 1, files)
        return text if said == rest else f"{found[1]}{': ' if ':' in found[1] else ' : '}{said}"
    for shape, french in ((_CURE, "{0} ({1})"), (_APPENDED, "{0}, et non {1}")):
        if found := shape.fullmatch(text):
            parts = [_french(part, depth - 1, files) for part in found.groups()]
            return text if parts == list(found.groups()) else french.format(*parts)
    if "; " in text:
        pieces = text.split("; ")
        french_pieces = [_french(piece, depth - 1, files) for piece in pieces]
        return text if french_pieces == pieces else " ; ".join(french_pieces)
    return text


def _filled(french: str, parts: Sequence[str]) -> str:
    """A sentence with what changes in it. A ``{}`` inside of that stays: each piece is looked at once."""
    pieces = french.split(_HOLE)
    return "".join(piece + part for piece, part in zip_longest(pieces, parts, fillvalue=""))
