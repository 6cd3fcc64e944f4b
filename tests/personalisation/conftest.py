from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.personalisation.loading import shipped_templates
from bifente.simulator.personalisation.personalise import PersonalisedCard, personalise
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import MemoryKeys

AT = date(2026, 3, 3)


class SharedKeys:
    """Real keys, but all cards share one pair: generating two for each card would be most of the test time."""

    def __init__(self) -> None:
        self._keys = MemoryKeys()

    def key(self, name: str, size: int = 2048) -> RSAPrivateKey:
        return self._keys.key(name.rsplit("/", 1)[-1] if name.startswith("card/") else name, size)


@pytest.fixture(scope="session")
def keys() -> SharedKeys:
    return SharedKeys()


@pytest.fixture(scope="session")
def pki(keys: SharedKeys) -> Pki:
    return Pki(keys)


CardMaker = Callable[..., PersonalisedCard]


@pytest.fixture(scope="session")
def make(keys: SharedKeys, pki: Pki) -> CardMaker:
    def make(template: str = "medecin-generaliste", at: date = AT, **overrides: Any) -> PersonalisedCard:
        return personalise(shipped_templates()[template], keys, at=at, overrides=overrides, pki=pki)

    return make


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the openssl command in a folder of its own, where keyword arguments (bytes) are written as files first."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("the openssl command is not installed")

    def run(*arguments: str, **files: bytes) -> subprocess.CompletedProcess[str]:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        return subprocess.run(
            [program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30
        )

    return run
