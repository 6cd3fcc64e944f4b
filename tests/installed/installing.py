"""Commands in a clean environment, and a venv that has this one's dependencies."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 600
OUR_PLUGINS = (
    "_hypothesis",
    "hypothesis",
    "pytest_benchmark",
    "pytest_timeout",
    "pytest_xdist",
    "schemathesis",
    "xdist",
)
"""What our own tests load into every pytest: no editor has it from us, and it takes longer than their tests."""


def run(command: Sequence[str | Path], folder: Path, code: int = 0) -> str:
    """What a command says in a clean environment, where the checkout is on no path."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def link_dependencies(home: Path, without: tuple[str, ...] = ()) -> None:
    """Give a venv each package of this one by a link, but not its bifente, nor those ``without``."""
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    kept_out = ("bifente", "_bifente", "__pycache__", "_editable", *OUR_PLUGINS, *without)
    # A .pth would bring the editable installation of the checkout along.
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(kept_out) and entry.suffix != ".pth":
            (site / entry.name).symlink_to(entry)
