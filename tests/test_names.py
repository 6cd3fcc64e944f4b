"""A public class name means one thing in the package: whoever reads it need not ask of which room."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("simulator", "conformance", "reports", "src/bifente/ground")
EXCEPTIONS: Mapping[str, str] = {}
"""Names that mean two things all the same, each with the reason why no other word would do."""


def twice(folders: Sequence[Path]) -> Mapping[str, list[str]]:
    """The public classes that two modules define, with these modules."""
    found: dict[str, list[str]] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found.setdefault(node.name, []).append(str(path))
    return {name: paths for name, paths in found.items() if len(paths) > 1}


def test_a_public_class_name_means_one_thing() -> None:
    assert twice([ROOT / part for part in PARTS]).keys() == EXCEPTIONS.keys()
    assert all(EXCEPTIONS.values())


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("class Call: ...", "class Call(int): ...", ["Call"]),
        ("class Call: ...", "from one import Call", []),
        ("class _Call: ...", "class _Call: ...", []),
        ("class Call: ...", "class Outer:\n    class Call: ...", []),
    ],
)
def test_what_counts_as_meaning_two_things(tmp_path: Path, one: str, other: str, found: list[str]) -> None:
    (tmp_path / "one.py").write_text(one)
    (tmp_path / "other.py").write_text(other)
    assert list(twice([tmp_path])) == found
