"""The page of steps is what the steps say of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifente.conformance.scenario.reference import steps_page
from bifente.conformance.scenario.steps import steps

PAGE = Path(__file__).parents[3] / "docs" / "steps.md"


def test_the_page_is_the_generator_s() -> None:
    """Write it anew with ``bifente schema steps > docs/steps.md``."""
    assert PAGE.read_text(encoding="utf-8") == steps_page() + "\n"


@pytest.mark.parametrize("name", steps())
def test_every_argument_has_a_sentence(name: str) -> None:
    arguments = steps()[name].model_json_schema().get("properties", {})
    assert [argument for argument, about in arguments.items() if not about.get("description")] == []
