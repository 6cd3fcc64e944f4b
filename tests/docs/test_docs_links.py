"""Every link of the documentation leads somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_pages import ROOT, MarkdownPage

PAGES = [MarkdownPage(path) for path in sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})]


def lost(page: MarkdownPage) -> list[str]:
    """The links of a page that lead nowhere."""
    return [
        f"{file.name}#{anchor}"
        for file, anchor in page.targets
        if not file.exists() or (anchor and anchor not in MarkdownPage(file).anchors)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: MarkdownPage) -> None:
    assert lost(page) == []


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ("[a](Gone.md)", ["Gone.md#"]),
        ("[a](Other.md#nulle-part)", ["Other.md#nulle-part"]),
        ("[a](#nowhere)", ["Page.md#nowhere"]),
        ("![a](gone.png)", ["gone.png#"]),
        ("[a](Other.md#ce-quil-fait-à-lécran)", []),
        ("[a](#a-title)", []),
        ("[a](https://example.org/gone)", []),
        ("```\n[a](Gone.md)\n```", []),
    ],
)
def test_a_link_that_leads_nowhere_is_found(link: str, wrong: list[str], tmp_path: Path) -> None:
    (tmp_path / "Other.md").write_text("# Ce qu'il fait, à l'écran\n", encoding="utf-8")
    page = tmp_path / "Page.md"
    page.write_text(f"# A `title`\n\n{link}\n", encoding="utf-8")
    assert lost(MarkdownPage(page)) == wrong
