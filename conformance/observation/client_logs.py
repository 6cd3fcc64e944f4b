"""What stands in a software's own logs that should not: tokens, codes, cookies and secrets of services it called."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bifente.ground.text import Text

REQUIREMENT = "PSC-60"
_SHORTEST = 12
"""Of what is looked for: a shorter word turns up where it is none."""
_LONGEST = 64 << 20
_MOST_FILES = 2_000
_WORD = re.compile(rb"[A-Za-z0-9_.~+/-]{%d,}" % _SHORTEST)


@dataclass(frozen=True, slots=True)
class LoggedSecret:
    """A file, and the first of its lines where something secret stands, never what."""

    path: Path
    line: int
    times: int

    @property
    def text(self) -> Text:
        """Say it, with the requirement and the cure."""
        return Text(
            f"{self.path}:{self.line} : un jeton, un code ou un secret est dans un journal du logiciel (×{self.times}, "
            f"{REQUIREMENT}) ; journaliser l'évènement, jamais ce qui ouvre une session",
            f"{self.path}:{self.line}: a token, a code or a secret stands in a log of the software (×{self.times}, "
            f"{REQUIREMENT}); log the event, never what opens a session",
        )


def logged_secrets(paths: Iterable[Path], secrets: Collection[str]) -> Iterator[LoggedSecret]:
    """Yield each file below these paths that holds one of these secrets as a word of its own. No link is followed."""
    wanted = {one.encode() for one in secrets if len(one) >= _SHORTEST}
    for path in _files(paths):
        first, times = 0, 0
        with suppress(OSError), path.open("rb") as file:
            for number, line in enumerate(file.read(_LONGEST).splitlines(), 1):
                # A path and a sentence go on with characters that a token may have too.
                found = sum(
                    word in wanted or any(part in wanted for part in re.split(rb"[/+]|\.$", word))
                    for word in _WORD.findall(line)
                )
                if found:
                    first, times = first or number, times + found
        if times:
            yield LoggedSecret(path, first, times)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    seen = 0
    for path in paths:
        below = sorted(path.rglob("*")) if path.is_dir() and not path.is_symlink() else [path]
        for one in below:
            if one.is_file() and not one.is_symlink() and (seen := seen + 1) <= _MOST_FILES:
                yield one
