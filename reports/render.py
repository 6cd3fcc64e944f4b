"""Renders a run in several formats at once: at the end of a run, or later from its journal alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from bifente.ground.text import LANGS, Lang
from bifente.reports.events import Event
from bifente.reports.model import Run, fold, fold_journal
from bifente.reports.writers import ctrf, html, json_writer, junit, markdown

Writer: TypeAlias = Callable[[Run, Lang], Iterable[str]]
"""Turns a run into a document in one language: its text, or the pieces of it where it may be large."""


class RenderError(Exception):
    """A report that cannot be made; the message is one clear sentence."""


@dataclass(frozen=True, slots=True)
class Format:
    """A form of report: the name of its file, and what writes it."""

    file: str
    pieces: Writer

    def write(self, run: Run, lang: Lang) -> str:
        """Return `run` as a whole document in `lang`."""
        return "".join(self.pieces(run, lang))


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "html": Format("report.html", html.pieces),
        "json": Format("report.json", json_writer.pieces),
        "junit": Format("junit.xml", junit.pieces),
        "ctrf": Format("ctrf.json", ctrf.pieces),
        "markdown": Format("summary.md", markdown.pieces),
    }
)
"""Every format that is ours, by the name a command line gives it."""


def load(source: Path | Iterable[Event]) -> Run:
    """Return the run in a journal file, or told by events; raises `JournalError` for a journal that cannot be read."""
    if isinstance(source, Path):
        return fold_journal(source)
    return fold(source)


def render(
    source: Path | Iterable[Event] | Run,
    formats: Iterable[str],
    out_dir: Path,
    lang: Lang | None = None,
    *,
    known: Mapping[str, Format] = FORMATS,
) -> tuple[Path, ...]:
    """Write `source` in each of `formats`, out of those `known`, into `out_dir` (made if needed); return the files.

    `lang` is the language of the run unless given. Raises `RenderError` for an unknown format or language, or a file
    that cannot be written, `JournalError` for a journal that cannot be read. Nothing is written unless all is known.
    """
    wanted = dict.fromkeys(formats)
    if unknown := [name for name in wanted if name not in known]:
        raise RenderError(f"unknown report format {unknown[0]!r}; there are {', '.join(known)}")
    if lang is not None and lang not in LANGS:
        raise RenderError(f"unknown language {lang!r}; there are {', '.join(LANGS)}")
    run = source if isinstance(source, Run) else load(source)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        return tuple(_write(known[name], run, out_dir, lang or run.start.lang) for name in wanted)
    except OSError as error:
        raise RenderError(f"{error.filename or out_dir}: cannot write the report: {error.strerror}") from error


def _write(form: Format, run: Run, out_dir: Path, lang: Lang) -> Path:
    path = out_dir / form.file
    # Through a neighbour: a disk that fills up leaves no half report under the name of a whole one.
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            pieces = form.pieces(run, lang)
            file.writelines((pieces,) if isinstance(pieces, str) else pieces)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path
