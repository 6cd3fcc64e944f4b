"""Whether the reports beside a journal are those that it gives: rendered again, and compared piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from bifente.ground.files import open_file
from bifente.ground.text import LANGS, Lang, Text
from bifente.reports.events import Tool
from bifente.reports.journal import FILE_NAME
from bifente.reports.model import Run
from bifente.reports.render import FORMATS, Format, RenderError
from bifente.reports.verifying.checks import CheckedPart, VerifiedCheck
from bifente.reports.verifying.said import contradiction

_LANGUAGES = {"fr": Text("en français", "in French"), "en": Text("en anglais", "in English")}
_PART = CheckedPart.REPORTS


class _Difference(Struct, frozen=True):
    offset: int
    line: int


def forms_beside(journal: Path, known: Mapping[str, Format]) -> tuple[Format, ...]:
    """Return the forms of report, out of those `known`, of which there is one beside `journal`."""
    if journal.name != FILE_NAME:
        return ()
    return tuple(form for form in known.values() if (journal.parent / form.file).exists())


def check_reports(journal: Path, there: Sequence[Format], run: Run | None, ours: Tool) -> Iterator[VerifiedCheck]:
    """Yield what came of each report that is `there` beside `journal`; `ours` is the bench that checks.

    `run` is what the journal tells, None where it does not hold or is too large: then no report can be compared.
    """
    if not there:
        yield VerifiedCheck(
            part=_PART, holds=None, text=Text("aucun à côté du journal", "there is none beside the journal")
        )
    for form in there:
        if run is None:
            why = Text("non comparé : le journal ne le permet pas", "not compared: the journal does not allow it")
            yield VerifiedCheck(part=_PART, file=form.file, holds=None, text=why)
        else:
            yield _check(journal.parent / form.file, form, run, ours)


def _check(path: Path, form: Format, run: Run, ours: Tool) -> VerifiedCheck:
    spoken = run.start.lang
    furthest = _Difference(-1, 0)
    for lang in (spoken, *(one for one in LANGS if one != spoken)):
        try:
            with open_file(path) as file:
                found = first_difference(_pieces(form, run, lang), file)
        except OSError as error:
            said = Text.same(error.strerror or str(error))
            return _fails(form, None, Text.of("{}{}", Text("ne peut être lu : ", "cannot be read: "), said))
        except RenderError as error:
            return VerifiedCheck(part=_PART, file=form.file, holds=None, text=Text.same(str(error)))
        except Exception as error:
            # What no bench wrote may be what no writer foresees: it is told, and gives no report.
            said = Text.same(type(error).__name__)
            return _fails(form, None, Text.of("{} ({})", _UNRENDERED, said))
        if found is None:
            return VerifiedCheck(part=_PART, file=form.file, holds=True, text=_same(lang, spoken))
        furthest = max(furthest, found, key=lambda one: one.offset)
    if run.start.tool != ours:
        return _by_another(path, form, run, ours)
    why = Text("n'est pas ce que ce journal donne", "is not what this journal gives")
    return _fails(form, furthest.line, why)


_UNRENDERED = Text("ce journal ne peut donner ce rapport", "this journal cannot give this report")


def _same(lang: Lang, spoken: Lang) -> Text:
    said = Text("est ce que ce journal donne", "is what this journal gives")
    return said if lang == spoken else Text.of("{}, {}", said, _LANGUAGES[lang])


def _by_another(path: Path, form: Format, run: Run, ours: Tool) -> VerifiedCheck:
    """What a report may be that an other build wrote: no byte of it is known, but what it says of each verdict is."""
    if form is FORMATS["json"] and (why := contradiction(path, run)) is not None:
        return _fails(form, None, why)
    theirs, this = _named(run.start.tool), _named(ours)
    why = Text(
        f"n'est pas ce que ce banc ({this}) en donne ; le relevé est de {theirs} : à vérifier par cette version",
        f"is not what this bench ({this}) makes of it; the record is by {theirs}: let that version verify",
    )
    return VerifiedCheck(part=_PART, file=form.file, holds=None, text=why)


def _named(tool: Tool) -> str:
    return f"{tool.name} {tool.version}{f' ({tool.commit})' if tool.commit else ''}"


def _fails(form: Format, line: int | None, text: Text) -> VerifiedCheck:
    place = form.file if line is None else f"{form.file}:{line}"
    return VerifiedCheck(part=_PART, file=form.file, holds=False, place=place, text=text)


def _pieces(form: Format, run: Run, lang: Lang) -> Iterable[str]:
    pieces = form.pieces(run, lang)
    return (pieces,) if isinstance(pieces, str) else pieces


def first_difference(pieces: Iterable[str], file: BinaryIO) -> _Difference | None:
    """Return where a file is other than the pieces of a document; None where it is the same to its last byte."""
    offset, line = 0, 1
    for piece in pieces:
        due = piece.encode()
        there = file.read(len(due))
        if there != due:
            same = next((at for at, pair in enumerate(zip(due, there, strict=False)) if pair[0] != pair[1]), len(there))
            return _Difference(offset + same, line + due.count(b"\n", 0, same))
        offset += len(due)
        line += due.count(b"\n")
    return _Difference(offset, line) if file.read(1) else None
