"""What the tests of several rooms need: the laboratory's keys and authorities, and the openssl command."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import HealthCheck, settings

from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import ENVIRONMENT, KeyStore, OtherKeys

# Neither is a property of the code: how long an example takes is told by the machine, and by who else uses it.
# Every run draws others; one that is to look longer asks for more of them.
settings.register_profile(
    "bench",
    deadline=None,
    max_examples=int(os.environ.get("BIFENTE_EXAMPLES", "40")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("bench")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the laboratory's keys with pytest's cache, for all workers and what they start: making them is slow."""
    if hasattr(config, "cache"):  # not with -p no:cacheprovider
        os.environ.setdefault(ENVIRONMENT, str(config.cache.mkdir("laboratory") / "keys"))
    # Thousands of tests are made and stay: to look through them for garbage again and again took a third of that time.
    gc.set_threshold(50_000, 20, 50)


def pytest_collection_finish() -> None:
    """Look no more for garbage in what was collected."""
    gc.freeze()


class SharedKeys:
    """Real keys, but all cards share one pair: generating two for each card would be most of the test time."""

    def __init__(self) -> None:
        self._keys = OtherKeys(KeyStore(), "tests")

    def key(self, name: str, size: int = 2048) -> RSAPrivateKey:
        return self._keys.key(name.rsplit("/", 1)[-1] if name.startswith("card/") else name, size)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that take long."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def shared_keys() -> SharedKeys:
    return SharedKeys()


@pytest.fixture(scope="session")
def pki(shared_keys: SharedKeys) -> Pki:
    return Pki(shared_keys)


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
            [program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )

    return run
