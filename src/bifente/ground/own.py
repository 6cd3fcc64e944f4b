"""A user's own folders: what lies in them is known by its name, as what comes with the bench is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ENVIRONMENT = "BIFENTE_OWN"
"""Names the folders, as PATH does."""
CARDS, READERS = "cards", "readers"
"""Where a folder has its card templates and its reader profiles."""


def own_folders() -> tuple[Path, ...]:
    """Return the folders that the environment names."""
    return tuple(Path(name) for name in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if name)


def own_files(kind: str) -> Iterator[tuple[str, Path]]:
    """Give the YAML files of one kind in these folders, each with its name: its path without the suffix."""
    for folder in own_folders():
        root = folder / kind
        for path in sorted(root.rglob("*.yaml")):
            if path.is_file():
                yield path.relative_to(root).with_suffix("").as_posix(), path
