"""The wheel, built once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from installing import ROOT, run


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git holds, and what is new beside it: nothing that only lies about in the checkout."""
    folder = tmp_path_factory.mktemp("source")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        here = ROOT / name
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if here.is_symlink() or here.is_file():
            shutil.copy2(here, folder / name, follow_symlinks=False)
    return folder


@pytest.fixture(scope="session")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of the checkout, and the wheel made from that sdist."""
    out = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", out], source)
    (packed,) = out.glob("*.tar.gz")
    shutil.unpack_archive(packed, out)
    run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out],
        out / packed.name.removesuffix(".tar.gz"),
    )
    return out
