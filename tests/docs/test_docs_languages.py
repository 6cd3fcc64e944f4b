"""What a user reads is there in French and in English, and both say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs_pages import ROOT, MarkdownPage

DOCS = ROOT / "docs"
# Who adds to the bench reads English.
ENGLISH_ALONE = {
    "adding-a-card-family.md",
    "adding-a-domain.md",
    "architecture.md",
    "facts.md",
    "sources.md",
}
PAIRS = [
    (MarkdownPage(ROOT / "README.md"), MarkdownPage(ROOT / "README.en.md")),
    *((MarkdownPage(DOCS / page.name), MarkdownPage(page)) for page in sorted((DOCS / "en").glob("*.md"))),
]
FRENCH = re.compile(r"\b(?:le|la|les|une|des|est|et|qui|dans|ne|pas|par)\b", re.I)
ENGLISH = re.compile(r"\b(?:the|is|are|and|which|in|not|by|of|with|that)\b", re.I)


def apart(french: MarkdownPage, english: MarkdownPage) -> dict[str, object]:
    """What one page says and the other does not."""
    figures = {
        **(french.figures - english.figures),
        **{f"-{n}": c for n, c in (english.figures - french.figures).items()},
    }
    code = [(a, b) for a, b in zip(french.code, english.code, strict=False) if a != b]
    found = {
        "headings": (french.outline, english.outline) if french.outline != english.outline else None,
        "code blocks": code or len(french.code) - len(english.code),
        "code in sentences": french.spans ^ english.spans,
        "rows": [] if french.rows == english.rows else [french.rows, english.rows],
        "figures": figures,
    }
    return {about: difference for about, difference in found.items() if difference}


def test_every_page_for_users_is_in_both_languages() -> None:
    pages = {page.name for page in DOCS.glob("*.md")}
    assert pages >= ENGLISH_ALONE
    assert {page.name for page in (DOCS / "en").glob("*.md")} == pages - ENGLISH_ALONE


@pytest.mark.parametrize(("french", "english"), PAIRS, ids=[english.path.name for _, english in PAIRS])
def test_both_say_the_same(french: MarkdownPage, english: MarkdownPage) -> None:
    assert apart(french, english) == {}


@pytest.mark.parametrize(("french", "english"), PAIRS, ids=[english.path.name for _, english in PAIRS])
def test_each_is_in_its_language_and_leads_to_the_other(french: MarkdownPage, english: MarkdownPage) -> None:
    for page, other, wanted, foreign in ((french, english, FRENCH, ENGLISH), (english, french, ENGLISH, FRENCH)):
        assert len(wanted.findall(page.prose)) > 5 * len(foreign.findall(page.prose)), page.path.name
        assert other.path in [file for file, _ in page.targets[:1]], "the first link leads to the other language"


FR = "# Un\n\nIl coûte 1 234,5 s et `x`. [a](B7.md)\n\n| a | b |\n| - | - |\n\n```sh\nma-suite --x   # le jour 3\n```\n"


def pair(tmp_path: Path, english: str) -> dict[str, object]:
    for name, text in (("Fr.md", FR), ("En.md", english)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return apart(MarkdownPage(tmp_path / "Fr.md"), MarkdownPage(tmp_path / "En.md"))


EN = "# One\n\nIt costs 1,234.5 s and `x`. [a](B8.md)\n\n| a | b |\n| - | - |\n\n```sh\nmy-suite --x   # day 4\n```\n"


def test_the_way_of_writing_a_number_is_no_difference(tmp_path: Path) -> None:
    assert pair(tmp_path, EN) == {}


@pytest.mark.parametrize(
    ("said", "instead", "about"),
    [
        ("# One", "## One", "headings"),
        ("--x", "--y", "code blocks"),
        ("```sh", "```text", "code blocks"),
        ("```sh\nmy-suite --x   # day 4\n```\n", "", "code blocks"),
        ("`x`", "`y`", "code in sentences"),
        ("| a | b |\n", "| a | b |\n| c | d |\n", "rows"),
        ("| a | b |\n", "| a |\n", "rows"),
        ("1,234.5", "1,234.6", "figures"),
        ("1,234.5 s and", "1,234.5 s, or 2, and", "figures"),
    ],
)
def test_what_differs_is_found(said: str, instead: str, about: str, tmp_path: Path) -> None:
    assert list(pair(tmp_path, EN.replace(said, instead))) == [about]
