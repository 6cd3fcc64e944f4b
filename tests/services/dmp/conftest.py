"""One laboratory a test; its keys are made once."""

from __future__ import annotations

import pytest
from dmp_bench import DmpLab

from bifente.simulator.pki.keystore import KeyStore


@pytest.fixture(scope="session")
def dmp_keys() -> KeyStore:
    return KeyStore()


@pytest.fixture
def lab(dmp_keys: KeyStore) -> DmpLab:
    return DmpLab(dmp_keys)
