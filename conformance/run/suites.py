"""The suites that come with the bench."""

from __future__ import annotations

from pathlib import Path

from bifente.conformance.options import TargetKind

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
"""The suites that come with the bench."""
_OF_MODULES = SCENARIOS / "pkcs11"


def default_paths(target: TargetKind | None = None) -> tuple[Path, ...]:
    """The suites that come with the bench; of a target, those whose steps it can do."""
    if target is None:
        return (SCENARIOS,)
    if target is TargetKind.PKCS11:
        return (_OF_MODULES,)
    # The folders of stages alone hold no suite.
    folders = (folder for folder in sorted(SCENARIOS.iterdir()) if folder.is_dir() and folder != _OF_MODULES)
    return tuple(folder for folder in folders if any(not file.name.startswith("_") for file in folder.glob("*.yaml")))
