"""The data that comes with the code: YAML files beside the modules that read them."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

# Ten times faster where PyYAML was built with libyaml. That one overflows its stack on text nested without end, which
# is no matter here: these files are ours. What comes from outside has its own bounded parsers.
_VALUES = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXTS = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def shipped(package: str, *path: str) -> Any:
    """The plain data of a YAML file, by its path inside a package. Raises FileNotFoundError."""
    return _read(package, path, _VALUES)


def texts(text: str) -> Any:
    """The plain data of a YAML text, every scalar as it is written: for codes, none of which may become a number."""
    return _plain(text, _TEXTS)


def _read(package: str, path: tuple[str, ...], loader: Any) -> Any:
    return _plain(resources.files(package).joinpath(*path).read_text(encoding="utf-8"), loader)


def _plain(text: str, loader: Any) -> Any:
    return yaml.load(text, Loader=loader)  # noqa: S506 - both loaders build texts, numbers, lists and mappings only
