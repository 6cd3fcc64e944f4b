from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conformance_bench import Lab, Ran

from bifente.simulator.pcsc.discovery import find_installation
from bifente.simulator.pcsc.errors import PcscdError
from bifente.simulator.pcsc.private_pcscd import try_namespaces


@pytest.fixture(scope="session")
def _chain() -> None:
    """A real pcscd, vpcd and pyscard, or a skip that says what is missing."""
    try:
        find_installation()
    except PcscdError as error:
        pytest.skip(f"needs a real pcscd: {error}")
    if (refused := try_namespaces()) is not None:
        pytest.skip(f"needs namespaces: {refused}")
    if importlib.util.find_spec("smartcard") is None:
        pytest.skip("needs pyscard: pip install bifente[pcsc]")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """An embedded bench for the whole session."""
    lab = Lab.open()
    yield lab
    lab.pool.close()


@pytest.fixture
def run(lab: Lab, tmp_path: Path) -> Callable[..., Ran]:
    """Runs a suite given as text."""

    def run(text: str, **options: object) -> Ran:
        return lab.run(tmp_path, text, **options)  # type: ignore[arg-type]

    return run
