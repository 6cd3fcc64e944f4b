from __future__ import annotations

import pytest

from bifente.conformance.bench.cards import Workshop


@pytest.fixture(scope="session")
def workshop() -> Workshop:
    return Workshop.default(None)
