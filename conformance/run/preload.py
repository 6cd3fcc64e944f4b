"""What a process that runs scenarios imports sooner or later, imported before it is forked.

Each worker would do it in its turn, on both cores at once; here it is done once, while the suites are still being read.
"""

from __future__ import annotations

from contextlib import suppress

from bifente.conformance.domain import domains, referred
from bifente.conformance.scenario.steps import steps

# What is wrong with a domain is told where a suite is read, in words.
with suppress(Exception):
    list(steps())
    for domain in domains():
        if domain.spots is not None:
            referred(domain, domain.spots)
