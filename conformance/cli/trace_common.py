"""What the commands of ``bifente trace`` share: their group, their arguments, an exchange in words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, fail
from bifente.conformance.loading import InputError
from bifente.conformance.traces.digits import filled
from bifente.conformance.traces.seen import SeenApdu
from bifente.conformance.traces.sources import journal
from bifente.conformance.traces.sources.known import file_of, source_of
from bifente.conformance.traces.suite import described
from bifente.ground.text import Lang, Text
from bifente.reports.masking import BYTE_MARK
from bifente.simulator.iso7816.status import meaning

trace = typer.Typer(help="PC/SC sessions recorded or imported, masked.", no_args_is_help=True, rich_markup_mode=None)

TraceArgument = Annotated[Path, typer.Argument(metavar="TRACE", help="A kept trace, or the folder of a run.")]
SlotOption = Annotated[
    str | None, typer.Option("--slot", help="Which slot, where the trace has several (default: the busiest).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print it for a program.")]
MaskOption = Annotated[
    list[str] | None, typer.Option("--mask", metavar="WORD", help="A name to mask wherever it is; repeatable.")
]


def check_new(path: Path) -> None:
    """Refuse a file that is there already, or whose folder is not."""
    if path.exists():
        raise fail(f"{path}: is there already, and nothing is overwritten; choose another name", Exit.BAD_INPUT)
    if not path.parent.is_dir():
        raise fail(f"{path.parent}: there is no such folder; make it first", Exit.BAD_INPUT)


def kept_file(path: Path) -> Path:
    """Return the journal of a kept trace. Raise InputError for a log, which was not masked."""
    file = file_of(path)
    if source_of(file) is not journal.SOURCE:
        raise InputError.at(
            str(path), "a log, not a kept trace", cure=f"mask it first: bifente trace import {path} -o trace.jsonl"
        )
    return file


def step_line(number: int, seen: SeenApdu, lang: Lang) -> str:
    """Return an exchange on one line, in words."""
    return f"{number:5} {described(filled(seen.command, 0)).get(lang)} -> {answer_words(seen.response).get(lang)}"


def answer_words(response: str) -> Text:
    """Return a response in words: its status word and what that means, how many bytes come before it."""
    if len(response) < 4:
        return Text("pas de réponse", "no response")
    if BYTE_MARK in response[-4:]:
        return Text("mot d'état masqué", "masked status word")
    said = meaning(int(response[-4:], 16))
    size = len(response) // 2 - 2
    fr, en = (f"{size} octets, ", f"{size} bytes, ") if size else ("", "")
    return Text(f"{fr}{response[-4:]} {said.fr}", f"{en}{response[-4:]} {said.en}")
