"""What workers need is there before they are forked."""

from __future__ import annotations

import sys

import pytest

from bifente.conformance.run import preload


@pytest.mark.parametrize(
    "name",
    [
        "bifente.simulator.services.dmp.app",
        "bifente.simulator.software.connect.commands",
        "bifente.conformance.domains.support.letter",
        "bifente.conformance.domains.fse.bench.sessions",
    ],
)
def test_modules_that_are_imported_late_are_there(name: str) -> None:
    assert preload.__name__ in sys.modules
    assert name in sys.modules


def test_packages_of_others_are_left_alone() -> None:
    assert all(package.startswith("bifente.") for package in preload._slices())
