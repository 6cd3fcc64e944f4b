"""The library made on demand by the machine's own C compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bifente.simulator.middleware.ssv.shared.shapes import header

SOURCE = Path(__file__).with_name("ssv.c")
LIBRARY, HEADER = "libssvlab.so", "ssv.h"


class NoCompilerError(Exception):
    """No C compiler is here, or it refuses; the text says what it said."""


def build(folder: Path) -> Path:
    """Write the header, compile the library into a folder, and return its path. Raise NoCompilerError, OSError."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompilerError("no C compiler: apt-get install gcc libc6-dev")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEADER).write_text(header(), encoding="utf-8")
    library = folder / LIBRARY
    options = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-pthread", f"-I{folder}"]
    command = [compiler, *options, str(SOURCE), "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoCompilerError(done.stderr.strip())
    return library
