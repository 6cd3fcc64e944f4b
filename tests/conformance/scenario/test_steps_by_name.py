"""A step is found by its name, and only the domains that may have it are imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bifente.conformance.domain import Domain, domains
from bifente.conformance.scenario.steps import steps

IMPORTED_AFTER = """
import sys
from bifente.conformance.scenario.steps import steps
assert steps()[sys.argv[1]].name == sys.argv[1]
print(*sorted({name.split(".")[3] for name in sys.modules if ".domains." in name and ".steps" in name}))
"""


@pytest.mark.parametrize(("name", "others"), [("insert-card", {"fse", "dmp", "psc"}), ("fse-make", {"dmp", "psc"})])
def test_a_name_does_not_import_the_domains_of_others(name: str, others: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED_AFTER, name], capture_output=True, text=True, check=True, timeout=600
    )
    imported = set(done.stdout.split())
    assert imported
    assert not imported & others


def test_an_unknown_name_is_sought_everywhere() -> None:
    assert "no-such-step" not in steps()
    with pytest.raises(KeyError):
        steps()["no-such-step"]


@pytest.mark.parametrize("domain", domains(), ids=lambda domain: domain.name)
def test_a_prefix_is_that_of_most_names_of_its_domain(domain: Domain) -> None:
    names = [name for name, kind in steps().items() if kind.__module__.startswith(domain.steps)]
    assert sum(name.startswith(domain.prefix) for name in names) > len(names) / 2
