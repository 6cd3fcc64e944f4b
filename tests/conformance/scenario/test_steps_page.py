"""The page of steps is what the steps say of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifente.conformance.scenario.reference import steps_page
from bifente.conformance.scenario.steps import steps

PAGE = Path(__file__).parents[3] / "docs" / "steps.md"
SILENT = {"fse", "vitale", "wireless"}
"""Domains whose arguments do not yet each have a sentence."""


def test_the_page_is_the_generator_s() -> None:
    """Write it anew with ``bifente schema steps > docs/steps.md``."""
    assert PAGE.read_text(encoding="utf-8") == steps_page() + "\n"


TOLD = [name for name, step in steps().items() if step.__module__.split(".domains.")[-1].split(".")[0] not in SILENT]


@pytest.mark.parametrize("name", TOLD)
def test_every_argument_has_a_sentence(name: str) -> None:
    arguments = steps()[name].model_json_schema().get("properties", {})
    assert [argument for argument, about in arguments.items() if not about.get("description")] == []
