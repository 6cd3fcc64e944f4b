"""A letter that a support desk can send: sections in plain words, a table of what was tried; as mail text or HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from bifente.ground.text import Lang, Text, held_together

_WIDTH = 76
_BOUND = "\N{NO-BREAK SPACE}"
_MARKS = {True: Text("marche", "works"), False: Text("échoue", "fails")}


@dataclass(frozen=True, slots=True)
class LetterSection:
    """A heading and what stands below it: paragraphs, or steps to take one by one where ``numbered``."""

    heading: Text
    lines: tuple[Text, ...]
    numbered: bool = False
    listed: bool = False
    warning: bool = False


@dataclass(frozen=True, slots=True)
class TriedJourney:
    """One row of the table: a journey and what a user saw of it, in one or two states of the workstation."""

    journey: Text
    seen: tuple[Text, ...]
    works: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class SupportLetter:
    """Everything that is sent. ``columns`` are the states of the workstation that the table compares."""

    subject: Text
    sections: tuple[LetterSection, ...]
    columns: tuple[Text, ...]
    tried: tuple[TriedJourney, ...]
    foot: tuple[Text, ...]


_GREETING = Text("Bonjour,", "Hello,")
_CLOSING = Text("Bien cordialement,\nle support", "Kind regards,\nthe support desk")
_TRIED = Text("Ce qui a été rejoué au banc", "What was played again on the bench")
_SUBJECT = Text("Objet", "Subject")


def letter_text(letter: SupportLetter, lang: Lang) -> str:
    """Return the letter as the text of a mail, no line longer than a terminal is wide."""
    return "\n".join(_lines(letter, lang)).rstrip().replace(_BOUND, " ") + "\n"


def _whole(text: str) -> str:
    """The text with its signs bound to their words, so that no line begins or ends with one."""
    for sign in (":", ";", "!", "?", "»", "→"):
        text = text.replace(f" {sign}", f"{_BOUND}{sign}")
    return text.replace("« ", f"«{_BOUND}").replace("→ ", f"→{_BOUND}")


def _lines(letter: SupportLetter, lang: Lang) -> Iterator[str]:
    colon = " :" if lang == "fr" else ":"
    yield f"{_SUBJECT.get(lang)}{colon} {letter.subject.get(lang)}"
    yield ""
    yield _GREETING.get(lang)
    yield ""
    for section in letter.sections:
        yield section.heading.get(lang).upper()
        for number, line in enumerate(section.lines, 1):
            mark = f"{number}. " if section.numbered else "- " if section.listed else ""
            yield from textwrap.wrap(
                _whole(line.get(lang)),
                _WIDTH,
                initial_indent=mark,
                subsequent_indent=" " * len(mark),
                break_long_words=False,
                break_on_hyphens=False,
            )
        yield ""
    if letter.tried:
        yield _TRIED.get(lang).upper()
        yield from _table(letter, lang)
        yield ""
    yield from _CLOSING.get(lang).split("\n")
    yield ""
    for foot in letter.foot:
        yield from textwrap.wrap(foot.get(lang), _WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(letter: SupportLetter, lang: Lang) -> Iterator[str]:
    if len(letter.columns) > 1:
        for number, column in enumerate(letter.columns, 1):
            yield from textwrap.wrap(
                f"({number}) {column.get(lang)}",
                _WIDTH,
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
    several = len(letter.columns) > 1
    for row in letter.tried:
        cells = [_cell(seen, lang, works=works) for seen, works in zip(row.seen, row.works, strict=True)]
        marked = [f"({number}) {cell}" if several else cell for number, cell in enumerate(cells, 1)]
        head = f"- {row.journey.get(lang)}" + (" : " if lang == "fr" else ": ")
        yield from textwrap.wrap(
            _whole(head + ", ".join(marked)),
            _WIDTH,
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _cell(seen: Text, lang: Lang, *, works: bool) -> str:
    return _MARKS[works].get(lang) + ("" if works else _quoted(seen.get(lang), lang))


def _quoted(text: str, lang: Lang) -> str:
    return f" : « {text} »" if lang == "fr" else f': "{text}"'


def letter_html(letter: SupportLetter, lang: Lang) -> str:
    """Return the letter as one HTML page that prints and needs nothing else."""
    page = _template().render(
        letter=letter, lang=lang, greeting=_GREETING, closing=_CLOSING.get(lang).split("\n"), tried=_TRIED, cell=_cell
    )
    return held_together(page) if lang == "fr" else page


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("letter.html.j2")


def sources_foot(sources: Sequence[str]) -> Text:
    """Return the line that names where the facts come from."""
    named = ", ".join(dict.fromkeys(one.rpartition("#")[2] for one in sources))
    return Text(f"Sources (docs/sources.md de Bifente) : {named}", f"Sources (docs/sources.md of Bifente): {named}")
