"""A small record kept in memory, put on disk as it is or with something of it changed, and verified."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sample

from bifente.ground.text import Lang
from bifente.reports.events import Event, Tool
from bifente.reports.journal import FILE_NAME
from bifente.reports.render import FORMATS, render
from bifente.reports.verifying.checks import Verification, VerifiedCheck
from bifente.reports.verifying.verify import verify

OURS = Tool(name="bifente", version="0.1.0", commit="c958973d0a41")
"""The build that made the sample."""
Lines = list[dict[str, Any]]
Change = Callable[[Lines], Lines]


@cache
def files(kind: str = "full", lang: Lang | None = None) -> dict[str, bytes]:
    """Return the files of a record of the sample, its reports included."""
    events = {"full": sample.full_run, "green": sample.green_run, "cut": sample.cut_run}[kind]()
    with TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        sample.write(path, events)
        render(path, FORMATS, path.parent, lang)
        return {file.name: file.read_bytes() for file in path.parent.iterdir()}


def lines_of(journal: bytes) -> Lines:
    return [json.loads(line) for line in journal.split(b"\n") if line]


def journal_of(lines: Iterable[dict[str, Any]], *, renumber: bool = True) -> bytes:
    kept = [{**line, "seq": number} if renumber else line for number, line in enumerate(lines)]
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in kept).encode()


def first(lines: Lines, event: str, **fields: object) -> int:
    """Return where the first event of a kind with these fields is."""
    return next(
        number
        for number, line in enumerate(lines)
        if line["event"] == event and all(line.get(name) == value for name, value in fields.items())
    )


@dataclass(frozen=True)
class Verified:
    """What came of it, by check."""

    whole: Verification

    def __getitem__(self, name: str) -> VerifiedCheck:
        return next(check for check in self.whole.checks if check.id == name)

    @property
    def failing(self) -> list[str]:
        return [check.id for check in self.whole.checks if check.holds is False]


def verified(folder: Path, kept: dict[str, bytes], *, ours: Tool = OURS, **options: Any) -> Verified:
    """Return what comes of files once they lie in a folder."""
    for name, content in kept.items():
        (folder / name).write_bytes(content)
    options.setdefault("known", FORMATS)
    return Verified(verify(folder / FILE_NAME, ours=ours, here=folder, bench=folder, **options))


def written(folder: Path, events: Iterable[Event]) -> Verified:
    """Return what comes of a journal of these events, alone."""
    sample.write(folder / FILE_NAME, events)
    return verified(folder, {})
