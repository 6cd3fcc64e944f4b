"""What an inventory may look at of a machine: files, links, commands that answer. All bounded, none writes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bifente.ground.files import read_file

_LARGEST = 256 * 1024
_MOST_ENTRIES = 4096
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What a command said; ``said`` is None where it said nothing, and ``why`` tells why."""

    said: str | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine at hand, or in a test a folder that looks like one."""

    root: Path = Path("/")
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def path(self, place: str) -> Path:
        """Return where a place is: below the root."""
        return self.root / place.lstrip("/")

    def there(self, place: str) -> bool:
        """Whether something is there, as far as this user may see."""
        try:
            return self.path(place).exists()
        except OSError:
            return False

    def data(self, place: str, most: int = _LARGEST) -> bytes | None:
        """Return what a regular file holds, so much at most; None if it cannot be read."""
        try:
            return read_file(self.path(place), most)[:most]
        except (OSError, ValueError):
            return None

    def text(self, place: str) -> str:
        """Return the text of a file; empty if it cannot be read."""
        return (self.data(place) or b"").decode("utf-8", "replace")

    def entries(self, place: str, pattern: str = "*") -> Iterator[str]:
        """Yield the places that fit a pattern below a folder, in order, so many at most."""
        folder = self.path(place)
        try:
            found = sorted(islice(folder.glob(pattern), _MOST_ENTRIES))
        except OSError:
            return
        yield from ("/" + str(one.relative_to(self.root)) for one in found)

    def link(self, place: str) -> str:
        """Return where a link leads; empty if it is none or this user may not know."""
        try:
            return str(self.path(place).readlink())
        except OSError:
            return ""

    def writable(self, place: str) -> bool:
        """Whether this user may write there; nothing is written to see."""
        return os.access(self.path(place), os.W_OK)

    def ask(self, *command: str, patience: float = _PATIENCE) -> CommandAnswer:
        """Run a command that only tells something, and return what it said."""
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=patience, check=False, stdin=subprocess.DEVNULL, env=self._quiet()
            )
        except subprocess.TimeoutExpired:
            return CommandAnswer(None, f"{command[0]} ne répond pas en {patience:.0f} s")
        except OSError as error:
            return CommandAnswer(None, f"{command[0]} : {error.strerror}")
        said = done.stdout[:_LARGEST].decode("utf-8", "replace")
        return (
            CommandAnswer(said)
            if done.returncode == 0
            else CommandAnswer(None, f"{command[0]} : code {done.returncode}")
        )

    def first(self, commands: Sequence[Sequence[str]]) -> CommandAnswer:
        """Return the first answer that one of several commands gives."""
        answer = CommandAnswer(None)
        for command in commands:
            if (answer := self.ask(*command)).said is not None:
                break
        return answer

    def _quiet(self) -> dict[str, str]:
        return {**self.environ, "LC_ALL": "C.UTF-8"}
