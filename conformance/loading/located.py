"""Files that a file names, found from where it lies: ``cards/mine.yaml`` in a suite is beside that suite."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from bifente.conformance.loading.document import Document

_FILE = re.compile(r"[^\s$]+\.ya?ml")


def beside(name: str, folder: Path) -> str:
    """Return the path of a YAML file as it is found from a folder; any other name as it is."""
    return str(folder / name) if _FILE.fullmatch(name) else name


def located(document: Document, *, apart_from: frozenset[str] = frozenset()) -> Document:
    """Return a document in which the files it names are found from its own folder, but under some keys of its own."""
    folder = document.path.parent
    if folder == Path() or not isinstance(document.data, dict):
        return document
    data = {key: value if key in apart_from else _found(value, folder) for key, value in document.data.items()}
    return replace(document, data=data)


def _found(value: Any, folder: Path) -> Any:
    if isinstance(value, str):
        return beside(value, folder) if value.endswith(("yaml", "yml")) else value
    if isinstance(value, dict):
        return {key: _found(item, folder) for key, item in value.items()}
    return [_found(item, folder) for item in value] if isinstance(value, list) else value
