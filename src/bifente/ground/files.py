"""Files that somebody else names: opened only if they are files, so that a pipe or a device holds nobody up."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_file(path: Path) -> BinaryIO:
    """Open a regular file for reading, at once. Raise OSError for whatever else bears the name, and as ``open`` does.

    Opening a FIFO that nobody writes to waits for ever, and reading a terminal or a device may.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        kind = os.fstat(number).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "is no regular file", str(path))
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_file(path: Path, limit: int) -> bytes:
    """Return what a regular file holds, ``limit`` bytes and one more at most: the reader sees that it is too large.

    Raise OSError as ``open_file`` does.
    """
    with open_file(path) as file:
        return file.read(limit + 1)
