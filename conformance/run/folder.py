"""The folder of a record: made for it, and taken away again where a mistake kept the record from beginning."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_OWNER_ALONE = stat.S_IRWXU
_AS_THE_UMASK_SAYS = stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO


class RecordFolder:
    """A folder that is there now, and what of its path was made for it. Raises OSError where it cannot be made.

    One that is ``private`` is its owner's alone, where it is made: what a real card says of its holder may lie in it.
    """

    def __init__(self, path: Path, *, private: bool = False) -> None:
        self.path = path
        self._made = [one for one in (path, *path.parents) if not one.exists()]
        path.mkdir(mode=_OWNER_ALONE if private else _AS_THE_UMASK_SAYS, parents=True, exist_ok=True)

    def withdraw(self, files: Iterable[Path]) -> None:
        """Take away the files that were begun, and what was made for them; nothing that anybody else put there."""
        with suppress(OSError):
            for file in files:
                file.unlink(missing_ok=True)
            for folder in self._made:
                folder.rmdir()
