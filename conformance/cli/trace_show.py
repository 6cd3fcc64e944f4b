"""``bifente trace import``, ``show``, ``compare``, ``export``: a session recorded elsewhere, masked, then read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bifente.conformance.cli.app import Exit, err, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.cli.trace_common import (
    JsonOption,
    MaskOption,
    SlotOption,
    TraceArgument,
    answer_words,
    check_new,
    kept_file,
    step_line,
    trace,
)
from bifente.conformance.loading import InputError
from bifente.conformance.traces.comparing import DifferenceKind, TraceDifference, differences
from bifente.conformance.traces.digits import filled
from bifente.conformance.traces.gsmtap_file import write_capture
from bifente.conformance.traces.keeping import KeptTrace, import_trace
from bifente.conformance.traces.seen import SeenApdu, SeenAtr
from bifente.conformance.traces.sources import journal
from bifente.conformance.traces.sources.known import SOURCES, file_of, source_of
from bifente.conformance.traces.suite import described
from bifente.conformance.traces.trace import load_trace
from bifente.ground.clock import WallClock
from bifente.ground.text import Lang, Text


@trace.command(name="import")
def import_log(
    log: Annotated[Path, typer.Argument(help="The log as the program wrote it.")],
    kept: Annotated[Path, typer.Option("--out", "-o", help="The file to keep, masked.")],
    kind: Annotated[str | None, typer.Option("--format", help=f"{', '.join(SOURCES)} (default: recognised).")] = None,
    mask: MaskOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Mask a log and keep what passed between software and card; nothing else of it is kept.

    Codes are masked by the commands that carry them, names and numbers by where they stand in a file and by how they
    look; what was masked is then looked for in every line of what is kept. Exit code 1 where something of the log was
    left out.
    """
    language = chosen_lang(lang)
    check_new(kept)
    source = source_of(file_of(log), kind)
    came = import_trace(log, kept, clock=WallClock(), kind=source.name, lang=language, names=mask or ())
    if as_json:
        out.print_json(data=_as_data(source.name, came))
    else:
        out.tell(f"{log} : {source.title.get(language)}" if language == "fr" else f"{log}: {source.title.en}")
        for line in account(came, language):
            out.tell(line)
        out.tell(f"{kept}")
    if came.odd or came.unanswered:
        raise typer.Exit(Exit.FAILED)


def account(kept: KeptTrace, lang: Lang) -> Iterator[str]:
    """Yield what came of keeping a trace, in words."""
    fr = lang == "fr"
    yield f"échanges gardés : {kept.exchanges}" if fr else f"exchanges kept: {kept.exchanges}"
    if kept.unanswered:
        yield (
            f"sans réponse : {kept.unanswered} (le journal s'arrête là, ou la carte n'a pas répondu)"
            if fr
            else f"without a response: {kept.unanswered} (the log ends there, or the card did not answer)"
        )
    for oddity in kept.oddities:
        yield f"  {'ligne ou octet' if fr else 'line or byte'} {oddity.place} : {oddity.what.get(lang)}"
    if kept.odd:
        yield (
            f"passages laissés de côté : {kept.odd} (redemander le journal entier s'il en manque)"
            if fr
            else f"places left out: {kept.odd} (ask for the whole log again if something is missing)"
        )
    yield (
        f"masqué : codes {kept.codes}, textes de la carte {kept.names} ; valeurs cherchées dans tout le fichier : "
        f"{kept.searched}, trouvées : 0"
        if fr
        else f"masked: codes {kept.codes}, texts of the card {kept.names}; values looked for in the whole file: "
        f"{kept.searched}, found: 0"
    )
    if kept.full:
        yield (
            "plus de valeurs différentes qu'on n'en retient : au-delà, le masquage par structure seul"
            if fr
            else "more different values than are remembered: beyond, masking by structure alone"
        )


def _as_data(kind: str, kept: KeptTrace) -> dict[str, Any]:
    return {
        "format": kind,
        "exchanges": kept.exchanges,
        "unanswered": kept.unanswered,
        "left_out": kept.odd,
        "oddities": [{"place": one.place, "what": {"fr": one.what.fr, "en": one.what.en}} for one in kept.oddities],
        "masked": {"codes": kept.codes, "texts": kept.names},
        "searched": kept.searched,
    }


@trace.command()
def show(file: TraceArgument, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Tell a trace step by step: what was asked of the card, what it answered."""
    language = chosen_lang(lang)
    number = 0
    for seen in journal.read(kept_file(file)):
        if isinstance(seen, SeenAtr):
            if not as_json:
                out.tell(f"{'':6}ATR {seen.atr}{_at(seen.slot)}")
        elif isinstance(seen, SeenApdu):
            number += 1
            if as_json:
                typer.echo(json.dumps(_exchange(number, seen), ensure_ascii=False))
            else:
                out.tell(step_line(number, seen, language))
    if not number:
        raise InputError.at(str(file), "no exchange with a card", cure="record while the failing act is done")


def _exchange(number: int, seen: SeenApdu) -> dict[str, Any]:
    words, answer = described(filled(seen.command, 0)), answer_words(seen.response)
    return {
        "number": number,
        "slot": seen.slot,
        "client": seen.client,
        "time": seen.at.isoformat(),
        "command": seen.command,
        "response": seen.response,
        "asked": {"fr": words.fr, "en": words.en},
        "answered": {"fr": answer.fr, "en": answer.en},
        "duration_us": seen.duration_us,
    }


def _at(slot: str | None) -> str:
    return f"  [{slot}]" if slot else ""


@trace.command()
def export(
    file: TraceArgument,
    capture: Annotated[Path, typer.Option("--out", "-o", help="The pcap to write.")],
    lang: LangOption = None,
) -> None:
    """Write a trace as a pcap of GSMTAP packets, for Wireshark; masked bytes are zeros there."""
    language = chosen_lang(lang)
    check_new(capture)
    kept = kept_file(file)
    with capture.open("xb") as written:
        count, left = write_capture(journal.read(kept), written)
    out.tell(f"{capture} : {count} paquets" if language == "fr" else f"{capture}: {count} packets")
    if left:
        err.print(
            f"{left} échanges trop longs pour un paquet" if language == "fr" else f"{left} exchanges too long",
            markup=False,
        )


@trace.command()
def compare(
    first: TraceArgument,
    second: Annotated[Path, typer.Argument(metavar="OTHER", help="The other one.")],
    slot: SlotOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell where two traces differ: asked in one alone, answered otherwise. Exit code 1 where they do."""
    language = chosen_lang(lang)
    found = differences(load_trace(first, slot).exchanges, load_trace(second, slot).exchanges)
    for one in found:
        if as_json:
            typer.echo(json.dumps(_difference(one), ensure_ascii=False))
        else:
            for line in difference_lines(one, language):
                out.tell(line)
    if found:
        raise typer.Exit(Exit.FAILED)
    if not as_json:
        out.tell("aucune différence" if language == "fr" else "no difference")


_KINDS = {
    DifferenceKind.STATUS: Text("autre réponse", "another answer"),
    DifferenceKind.DATA: Text("autres données", "other data"),
    DifferenceKind.ONLY_FIRST: Text("seulement dans la première", "in the first alone"),
    DifferenceKind.ONLY_SECOND: Text("seulement dans la seconde", "in the second alone"),
}


def difference_lines(one: TraceDifference, lang: Lang) -> Iterator[str]:
    """Yield a difference in words."""
    yield f"{_KINDS[one.kind].get(lang)} :"
    for side in (one.first, one.second):
        if side is not None:
            yield f"  {step_line(side[0] + 1, side[1], lang)}"


def _difference(one: TraceDifference) -> dict[str, Any]:
    sides = {"first": one.first, "second": one.second}
    return {
        "kind": one.kind.value,
        **{name: None if side is None else _exchange(side[0] + 1, side[1]) for name, side in sides.items()},
    }
