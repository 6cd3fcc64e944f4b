"""What a record says of the bench and the machine it ran on."""

from __future__ import annotations

import hashlib
import platform
import secrets
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bifente.ground.clock import Clock
from bifente.ground.files import open_file
from bifente.reports.events import Tool
from bifente.simulator.pcsc.discovery import driver_version, find_installation
from bifente.simulator.pcsc.errors import PcscdError


def run_id(clock: Clock, *words: str) -> str:
    """Return a name for a record made now."""
    return "-".join((f"{clock.now():%Y%m%d-%H%M%S}", *words, secrets.token_hex(3)))


@lru_cache(maxsize=1)
def tool() -> Tool:
    """The bench itself: version, and commit when it runs from a checkout (``+`` if files differ from it)."""
    try:
        number = version("bifente")
    except PackageNotFoundError:
        number = "0"
    root = Path(__file__).resolve().parents[2]
    # An installed bench may lie inside somebody else's checkout, whose commit says nothing of ours.
    ours = (root / ".git").exists()
    commit = _output("git", "-C", str(root), "rev-parse", "--short=12", "HEAD") if ours else ""
    if commit and _output("git", "-C", str(root), "status", "--porcelain"):
        commit += "+"
    return Tool(name="bifente", version=number, commit=commit)


def environment(*, pcsc: bool, module: Path | None = None) -> dict[str, str]:
    """Names and versions of what surrounds the bench; the PC/SC chain and the PKCS#11 module when they take part."""
    found = {
        "os": _os_name(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
    packages = ("cryptography", "pydantic", *(("pyscard",) if pcsc else ()), *(("pykcs11",) if module else ()))
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    if pcsc:
        found |= _pcsc_chain()
    if module is not None:
        found["module"] = f"{module.name}, SHA-256 {_digest(module)}"
    return found


def _digest(file: Path) -> str:
    """The digest of a file by which a reader of the record can tell which module it was."""
    try:
        with open_file(file) as content:
            digest = hashlib.sha256()
            while piece := content.read(1 << 20):
                digest.update(piece)
            return digest.hexdigest()
    except OSError:
        return "unknown"


def _pcsc_chain() -> dict[str, str]:
    try:
        found = find_installation()
    except PcscdError:
        return {"pcscd": "absent or incomplete"}
    return {"pcscd": found.pcscd.version, "vpcd": driver_version(found.driver)}


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
