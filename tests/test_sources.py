"""Every source that the data and the docstrings cite is told in docs/sources.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bifente.conformance.requirements import load_catalogue

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "sources.md"
FOLDERS = ("simulator", "reports", "conformance", "scenarios", "vendor_profiles", "src/bifente/ground", "tests", "docs")
FILES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".yaml", ".md"} and path != Path(__file__).resolve()
)
DATA = [path for path in FILES if path.suffix == ".yaml" and not path.is_relative_to(ROOT / "tests")]

ANCHOR = re.compile(r"\bsources#([a-z0-9-]*)")
PAGE_NAME = re.compile(r"(?<![\w/.-])([a-z][a-z0-9-]*\.md)\b")
REQUIREMENT = re.compile(r"\b[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-[0-9]+\b")
OURS = re.compile(
    r"\b(ours?|modelled|this bench|laboratory|no real devices?|no public text|not read|as long as)\b", re.I
)


def headings(text: str) -> list[str]:
    return re.findall(r"^### ([a-z0-9-]+)$", text, re.MULTILINE)


def keys(text: str) -> set[str]:
    rows = re.findall(r"^\| ([A-Z][A-Z0-9, -]+?) \|", text, re.MULTILINE)
    return {key for row in rows for key in row.split(", ")}


def sources(value: object) -> Iterator[str]:
    """Everything below a key ``source`` or ``sources``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "source" and isinstance(inner, str):
                yield inner
            elif key == "sources" and isinstance(inner, dict):
                yield from inner.values()
            else:
                yield from sources(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from sources(inner)


def unresolved(source: str, names: set[str]) -> list[str]:
    """What of a source leads nowhere: each part of it that is written as a reference, or all of it when none is."""
    catalogue = load_catalogue()
    known = set(catalogue) | {group.set for group, _ in catalogue.by_id.values()} | names
    written = [f"sources#{anchor}" for anchor in ANCHOR.findall(source)]
    written += [word for word in REQUIREMENT.findall(source) if re.match(r"(SEED|SV|CARD|PCSC|PSC|DMP|INS)", word)]
    written += re.findall(r"\b[a-z_]+(?:/[\w.]+)+\.(?:py|yaml)\b", source)
    if all(re.fullmatch(r"[A-Z]{3,4}(-[A-Z]{1,3})?", word) for word in source.split(", ")):
        written += source.split(", ")
    wrong = [word for word in written if word not in known and not (ROOT / word).is_file()]
    return wrong if written or OURS.search(source) else [source]


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names(page: str) -> set[str]:
    return {f"sources#{name}" for name in headings(page)} | keys(page)


def test_every_entry_has_one_place_and_says_how_sure_it_is(page: str) -> None:
    found = headings(page)
    assert len(found) > 40
    assert len(found) == len(set(found))
    for name in found:
        entry = re.split(r"^#{2,3} ", page.split(f"### {name}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
        assert len(entry.split()) > 5, name
        assert "Confidence:" in entry or name.startswith("founding-text-"), name


def test_what_a_file_cites_is_an_entry(names: set[str]) -> None:
    pages = {page.name for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]} | {"summary.md"}
    wrong: dict[str, set[str]] = {}
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        found = {f"sources#{anchor}" for anchor in ANCHOR.findall(text)} - {"sources#name"} - names
        # A page that is named is one of this repository.
        found |= set(PAGE_NAME.findall(text)) - pages if path.suffix != ".md" else set()
        if found:
            wrong[str(path.relative_to(ROOT))] = found
    assert wrong == {}
    assert len(FILES) > 1500


def test_every_source_in_the_data_leads_somewhere(names: set[str]) -> None:
    for path in DATA:
        with path.open(encoding="utf-8") as stream:
            data = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        sections = set(data["sources"]) if isinstance(data, dict) and isinstance(data.get("sources"), dict) else set()
        found = (source for source in sources(data) if source not in sections)
        assert {source: wrong for source in found if (wrong := unresolved(source, names))} == {}, path
    assert len(DATA) > 200


def test_every_entry_is_cited(page: str) -> None:
    cited = {anchor for path in FILES if path != PAGE for anchor in ANCHOR.findall(path.read_text(encoding="utf-8"))}
    assert set(headings(page)) - cited == set()


@pytest.mark.parametrize(
    "source",
    [
        "sources#nowhere",
        "sources#galss-ini; SV-FSE-99",
        "simulator/fse/gone.py",
        "MTX-XYZ",
        "a text somewhere",
        "sources#",
    ],
)
def test_a_source_that_leads_nowhere_is_found(source: str, names: set[str]) -> None:
    assert unresolved(source, names)


@pytest.mark.parametrize(
    "source", ["sources#galss-ini (8001)", "SV-FSE-05", "MTX-API, PWC", "our rule", "simulator/tarification/pricing.py"]
)
def test_a_source_that_leads_somewhere_is_taken(source: str, names: set[str]) -> None:
    assert not unresolved(source, names)
