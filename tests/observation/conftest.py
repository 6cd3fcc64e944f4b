from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from channel_tools import Up, up

from bifente.simulator.middleware.ssv.shared.build import build

CARDS = ("--card", "cps=medecin-generaliste", "--card", "vitale=vitale/ald")


@pytest.fixture(scope="module")
def stood(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One live bench for a module."""
    with up(tmp_path_factory.mktemp("up"), *CARDS) as bench:
        yield bench


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SSV functions as a shared library, built once."""
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        pytest.skip("needs a C compiler (apt-get install gcc)")
    return build(tmp_path_factory.mktemp("ssv"))
