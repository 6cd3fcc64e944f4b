from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifente.simulator.pcsc.discovery import Installation, find_installation
from bifente.simulator.pcsc.errors import PcscdError
from bifente.simulator.pcsc.private_pcscd import try_namespaces


@pytest.fixture(scope="session")
def installation() -> Installation:
    """pcscd and vpcd, or a skip that says what is missing."""
    try:
        found = find_installation()
    except PcscdError as error:
        pytest.skip(f"needs a real pcscd: {error}")
    refused = try_namespaces()
    if refused is not None:
        pytest.skip(f"needs namespaces: {refused}")
    if importlib.util.find_spec("smartcard") is None:
        pytest.skip("needs pyscard, the PC/SC client of these tests")
    return found


@pytest.fixture(scope="session")
def pyscard() -> None:
    """The PC/SC client of these tests, or a skip."""
    if importlib.util.find_spec("smartcard") is None:
        pytest.skip("needs pyscard, the PC/SC client of these tests")


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="bifente-") as folder:
        yield Path(folder)
