"""Where schemas and samples of others lie: named by the environment, else in a folder beside the checkout.

They have no licence to be copied here, so their tests are skipped, with the reason, where they are not at hand.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ENVIRONMENT = "BIFENTE_EXTERNAL"
_BESIDE = [up / "shared" / "external" for up in Path(__file__).resolve().parents[3:5]]


def folder() -> Path | None:
    """The folder that holds ``cda``, ``cda-examples``, ``dmp`` and ``insi``; None where it is not there."""
    named = [Path(os.environ[ENVIRONMENT])] if ENVIRONMENT in os.environ else _BESIDE
    return next((one for one in named if one.is_dir()), None)


def external(*parts: str) -> Path:
    """A file or folder of others. Skips the test where it is not at hand."""
    root = folder()
    path = root.joinpath(*parts) if root else None
    if path is None or not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not at hand: name the folder of official schemas with {ENVIRONMENT}")
    return path


def listed(pattern: str) -> list[Path]:
    """Files of others, none where they are not at hand."""
    root = folder()
    return sorted(root.glob(pattern)) if root else []


def needs(paths: list[Path]) -> pytest.MarkDecorator:
    """Skip, with the reason, where there is nothing."""
    return pytest.mark.skipif(not paths, reason=f"official files are not at hand: name their folder with {ENVIRONMENT}")
