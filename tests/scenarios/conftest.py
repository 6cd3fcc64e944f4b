"""What cards are made in."""

from __future__ import annotations

import pytest

from bifente.conformance.bench.cards import Workshop


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    """A workshop of the module's own: what a mutation spoils stays there. Keys are the laboratory's, made once."""
    return Workshop.default()
