"""The client libraries that programs are run with: the machine's own, and those that ``BIFENTE_LIBPCSCLITE`` names.

The variable has folders, separated as in PATH, each with a libpcsclite.so.1 (and libpcsclite_real.so.1) unpacked from a
package. A folder with a loader of its own beside it (ld-linux-*.so.2 and the libc that goes with it) is for a library
that needs a newer libc than the machine has: programs are started by that loader.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

VARIABLE = "BIFENTE_LIBPCSCLITE"


@dataclass(frozen=True, slots=True)
class Library:
    """A release of libpcsclite, and how a program is started with it."""

    folder: Path | None = None

    @property
    def name(self) -> str:
        return "the machine's" if self.folder is None else self.folder.name

    @property
    def environment(self) -> dict[str, str]:
        # A loader hands its libraries to the program alone: what the program starts has the machine's.
        return {} if self.folder is None or self._loader is not None else {"LD_LIBRARY_PATH": str(self.folder)}

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line that starts a program with this library."""
        found = shutil.which(program)
        if found is None:
            pytest.skip(f"needs {program}")
        start = [str(self._loader), "--library-path", str(self.folder)] if self._loader is not None else []
        return [*start, found, *arguments]

    @property
    def _loader(self) -> Path | None:
        return None if self.folder is None else next(iter(sorted(self.folder.glob("ld-linux-*.so.*"))), None)


MACHINE = Library()


def libraries() -> list[Library | None]:
    """The machine's and those named; None stands for those that are not."""
    named = [Path(word) for word in os.environ.get(VARIABLE, "").split(os.pathsep) if word]
    return [MACHINE, *(Library(folder.absolute()) for folder in named)] if named else [MACHINE, None]


def checked(library: Library | None) -> Library:
    """The library, or a skip that says how to name one. Fails for a folder without one."""
    if library is None:
        pytest.skip(f"needs newer releases of libpcsclite: set {VARIABLE} to folders with libpcsclite.so.1")
    if library.folder is not None:
        assert (library.folder / "libpcsclite.so.1").is_file(), f"{VARIABLE}: no libpcsclite.so.1 in {library.folder}"
    return library


def named(library: object) -> str:
    """The id of a parameter."""
    return library.name if isinstance(library, Library) else "newer"
