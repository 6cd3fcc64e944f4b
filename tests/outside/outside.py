"""A package of somebody else's: a folder on the path, what is written to it, and commands run beside it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from warm import warm

_BLOCK = re.compile(r"^```\w+\n# (\S+)\n(.*?)^```$", flags=re.M | re.S)


def blocks(guide: Path) -> dict[str, str]:
    """What a guide has one write, by the file's name: every block whose first line is a comment with it."""
    found = _BLOCK.findall(guide.read_text(encoding="utf-8"))
    assert len({name for name, _text in found}) == len(found), "a file is written twice"
    return dict(found)


class Outside:
    """A folder on the path with the package, and commands run beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def install(self, name: str, entry_points: str) -> None:
        """What pip leaves of a package: its name and its entry points."""
        self.write(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        self.write(f"{name}-1.0.dist-info/entry_points.txt", entry_points)

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def bifente(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "LANG": "en_GB.UTF-8", "LC_ALL": "en_GB.UTF-8"}
        return subprocess.run(
            [*warm(), *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
