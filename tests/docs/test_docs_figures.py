"""The figures of both READMEs are those of the data, and a page that lists journeys has all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml
from docs_pages import ROOT, MarkdownPage

from bifente.conformance.domains.support.journeys import Journey
from bifente.conformance.observation.rules.all import RULES
from bifente.conformance.requirements import load_catalogue
from bifente.simulator.faults import catalogue
from bifente.simulator.software.reference.desk import FAULTS
from bifente.simulator.workstation.rules import poste_rules

README = MarkdownPage(ROOT / "README.md")
README_EN = MarkdownPage(ROOT / "README.en.md")
INVOICES = ROOT / "tests" / "tarification" / "worked_invoices.yaml"


def vitale_templates() -> int:
    return len(list((ROOT / "simulator" / "cards" / "vitale" / "templates").glob("*.yaml")))


@pytest.mark.parametrize(
    ("french", "english", "count"),
    [
        ("{} exigences", "{} requirements", lambda: len(load_catalogue())),
        ("Pannes : {}", "Faults: {}", lambda: len(catalogue())),
        ("Modèles de Vitale : {}", "Vitale templates: {}", vitale_templates),
        ("{} règles, protocole", "{} rules, driver", lambda: len(RULES)),
        ("{} fautes plantées", "{} planted faults", lambda: len(FAULTS)),
        ("{} factures", "{} invoices", lambda: len(yaml.safe_load(INVOICES.read_text(encoding="utf-8"))["invoices"])),
        ("quelque {} règles", "some {} rules", lambda: round(len(poste_rules()), -1)),
    ],
)
def test_the_readme_counts_what_is_there(french: str, english: str, count: Callable[[], int]) -> None:
    assert french.format(count()) in README.text
    assert english.format(count()) in README_EN.text


@pytest.mark.parametrize("page", ["support.md", "bisecting.md"])
def test_the_page_names_every_journey(page: str) -> None:
    for language in ("", "en"):
        assert set(Journey) <= MarkdownPage(ROOT / "docs" / language / page).spans
