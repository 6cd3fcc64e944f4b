"""Whether the files that a run read are still those it read: found where it says they were, and hashed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bifente.ground.files import read_file
from bifente.ground.text import Text
from bifente.reports.events import Input, RunStarted
from bifente.reports.verifying.checks import CheckedPart, VerifiedCheck

OF_THE_BENCH = "bifente:"
"""What begins the path of a file that came with the bench."""

_MOST = 4 * 1024 * 1024
"""Above that a file is none that a run reads."""
_TOTAL = 512 * 1024 * 1024
_NAMED = 3
_PART = CheckedPart.INPUTS


@dataclass(slots=True)
class _Sources:
    """Reads no more than a bound in all, whatever a journal names: a file that is beyond counts as not here."""

    here: Path
    bench: Path
    left: int = _TOTAL
    same: int = 0
    changed: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def look(self, one: Input) -> None:
        content = self._content(one.path)
        if content is None:
            self.absent.append(one.path)
        elif hashlib.sha256(content).hexdigest() == one.sha256:
            self.same += 1
        else:
            self.changed.append(one.path)

    def _content(self, named: str) -> bytes | None:
        root, path = self.here, named
        if named.startswith(OF_THE_BENCH):
            root, path = self.bench, named.removeprefix(OF_THE_BENCH)
        if ".." in PurePosixPath(path).parts or self.left <= 0:
            return None
        try:
            content = read_file(root / path, _MOST)
        except (OSError, ValueError):
            return None
        self.left -= len(content)
        return content


def check_inputs(start: RunStarted, *, here: Path, bench: Path, needed: bool) -> VerifiedCheck:
    """Return what came of the files named in `start`: relative to `here`, or to `bench` for those of the bench.

    One that changed or is not here makes the check fail where they are `needed`; else it is told.
    """
    if not start.inputs:
        return VerifiedCheck(part=_PART, holds=None, text=Text("le relevé n'en nomme pas", "the record names none"))
    sources = _Sources(here, bench)
    for one in start.inputs:
        sources.look(one)
    parts = [Text(f"{sources.same} inchangé(s)", f"{sources.same} unchanged")]
    for names, said in (
        (sources.changed, Text("changé(s)", "changed")),
        (sources.absent, Text("introuvable(s) ici", "not here")),
    ):
        if names:
            some = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
            parts.append(Text.of("{} {} ({})", str(len(names)), said, some))
    text = Text(" ; ".join(part.fr for part in parts), "; ".join(part.en for part in parts))
    other = [*sources.changed, *sources.absent]
    if not other:
        return VerifiedCheck(part=_PART, holds=True, text=text)
    return VerifiedCheck(part=_PART, holds=False if needed else None, place=other[0], text=text)
