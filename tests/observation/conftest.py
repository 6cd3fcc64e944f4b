from __future__ import annotations

from collections.abc import Iterator

import pytest
from channel_tools import Up, up

CARDS = ("--card", "cps=medecin-generaliste", "--card", "vitale=vitale/ald")


@pytest.fixture(scope="module")
def stood(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One live bench for a module."""
    with up(tmp_path_factory.mktemp("up"), *CARDS) as bench:
        yield bench
