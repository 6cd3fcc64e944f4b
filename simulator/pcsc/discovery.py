"""Finds pcscd and the vpcd driver on this machine, and says what is missing."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bifente.ground.text import Text
from bifente.simulator.pcsc.errors import Link, PcscdError

DRIVER_NAME = "libifdvpcd.so"
DRIVER_DIRECTORIES = (
    Path("/usr/lib/pcsc/drivers/serial"),
    Path("/usr/lib64/pcsc/drivers/serial"),
    Path("/usr/local/lib/pcsc/drivers/serial"),
)
"""Where packages and sources put the driver; the serial folder of pcscd's own driver folder is tried first."""

_SYSTEM_PATHS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Pcscd:
    """A pcscd binary and what ``pcscd --version`` says of it."""

    path: Path
    version: str
    features: frozenset[str]
    ipc_directory: Path
    usb_driver_directory: Path


@dataclass(frozen=True, slots=True)
class Installation:
    """All that a private pcscd is made of."""

    pcscd: Pcscd
    driver: Path


def parse_version(path: Path, text: str) -> Pcscd:
    """Read the output of ``pcscd --version``; what it does not say gets pcsc-lite's defaults. Never raises."""
    version = re.search(r"version\s+([\w.-]*\w)", text)
    features = re.search(r"^Enabled features:\s*(.*)$", text, re.MULTILINE)
    words = features[1].split() if features else []
    values = dict(word.split("=", 1) for word in words if "=" in word)
    return Pcscd(
        path,
        version[1] if version else "unknown",
        frozenset(word for word in words if "=" not in word),
        Path(values.get("ipcdir", "/run/pcscd")),
        Path(values.get("usbdropdir", "/usr/lib/pcsc/drivers")),
    )


def find_pcscd(search_path: str | None = None) -> Pcscd:
    """The first pcscd of ``search_path`` (default: PATH, then the sbin folders). Raises PcscdError if none answers."""
    if search_path is None:
        search_path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_PATHS))
    found = shutil.which("pcscd", path=search_path)
    if found is None:
        raise PcscdError(
            Link.PCSCD_BINARY,
            Text(f"pcscd est introuvable dans {search_path}.", f"pcscd is not found in {search_path}."),
        )
    try:
        done = subprocess.run([found, "--version"], capture_output=True, timeout=_TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise PcscdError(
            Link.PCSCD_BINARY,
            Text(f"{found} --version échoue : {error}.", f"{found} --version fails: {error}."),
        ) from error
    return parse_version(Path(found), done.stdout.decode(errors="replace"))


def find_driver(directories: tuple[Path, ...]) -> Path:
    """The vpcd driver file in the first of ``directories`` that has one. Raises PcscdError if none has."""
    for directory in directories:
        candidates = sorted(directory.glob(f"{DRIVER_NAME}*"))
        for candidate in candidates:
            if candidate.is_file() and os.access(candidate, os.R_OK):
                return candidate
    tried = ", ".join(map(str, directories))
    raise PcscdError(
        Link.VPCD_DRIVER,
        Text(f"le pilote {DRIVER_NAME} est absent de {tried}.", f"the driver {DRIVER_NAME} is not in {tried}."),
    )


def driver_directories(pcscd: Pcscd) -> tuple[Path, ...]:
    """Where the driver of this pcscd may be, likeliest first."""
    return (pcscd.usb_driver_directory / "serial", *DRIVER_DIRECTORIES)


def find_installation() -> Installation:
    """pcscd and vpcd on this machine. Raises PcscdError naming what is missing and how to install it."""
    pcscd = find_pcscd()
    return Installation(pcscd, find_driver(driver_directories(pcscd)))


def driver_version(driver: Path) -> str:
    """The version of the Debian package the driver comes from, or else the start of its SHA-256."""
    query = shutil.which("dpkg-query")
    if query is not None:
        try:
            command = [query, "--show", "--showformat=${Version}", "vsmartcard-vpcd"]
            done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False)
        except (OSError, subprocess.SubprocessError):
            done = None
        if done is not None and done.returncode == 0 and done.stdout and str(driver).startswith("/usr/lib/"):
            return done.stdout.decode(errors="replace")
    return f"sha256:{hashlib.sha256(driver.read_bytes()).hexdigest()[:16]}"
