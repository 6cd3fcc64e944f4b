"""Temporary folders that nothing is left of: what a killed process could not take away, the next one does."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_HELD = ".held"
"""In each folder, locked as long as its process lives: a folder of ours whose lock is free belongs to nobody."""


class HeldFolder(tempfile.TemporaryDirectory[str]):
    """A temporary folder of this user alone. Making one takes away those of processes that were killed."""

    def __init__(self, prefix: str) -> None:
        sweep(prefix)
        super().__init__(prefix=prefix)
        begun = Path(self.name, f"{_HELD}.new")
        self._lock = os.open(begun, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        begun.rename(Path(self.name, _HELD))  # seen by others once it is locked, never before

    def cleanup(self) -> None:
        """Take the folder away."""
        super().cleanup()
        with suppress(OSError):
            os.close(self._lock)


def sweep(prefix: str) -> None:
    """Take away the folders of this name that a process of this user left when it was killed."""
    for mark in Path(tempfile.gettempdir()).glob(f"{prefix}*/{_HELD}"):
        with suppress(OSError):
            _take_away(mark)


def _take_away(mark: Path) -> None:
    folder = mark.parent.lstat()
    if not stat.S_ISDIR(folder.st_mode) or folder.st_uid != os.geteuid() or stat.S_IMODE(folder.st_mode) & 0o077:
        return
    lock = os.open(mark, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(mark.parent, ignore_errors=True)
    finally:
        os.close(lock)
