"""``bifente faults``: the catalogue, searched by the words of a customer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from bifente.conformance.cli.app import app, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.loading import InputError, nearest
from bifente.ground.text import Lang, Text
from bifente.simulator.fault import Fault
from bifente.simulator.faults import catalogue, rooms, search
from bifente.simulator.readers.codes import PcscCode

faults = typer.Typer(help="Faults of the field: symptoms, codes, causes, remedies.", rich_markup_mode=None)
app.add_typer(faults, name="faults")

_MOST = 8
"""Faults shown for a customer's words: the likeliest first."""


@faults.callback(invoke_without_command=True)
def faults_command(context: typer.Context, lang: LangOption = None) -> None:
    """The catalogue of faults; without a command, its list."""
    if context.invoked_subcommand is None:
        _print(catalogue().values(), chosen_lang(lang))


@faults.command(name="list")
def list_faults(
    words: Annotated[
        list[str] | None, typer.Argument(help="What the customer says, or a code: the likeliest faults only.")
    ] = None,
    place: Annotated[str | None, typer.Option(help="Only those that strike there.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the table of docs/faults.md.")] = False,
    lang: LangOption = None,
) -> None:
    """List the faults, or search them by a customer's words."""
    language = chosen_lang(lang)
    places = sorted({place for room in rooms().values() for place in room.places})
    if place is not None and place not in places:
        raise InputError.at("--place", f"no fault strikes {place!r}", cure=f"one of {', '.join(places)}")
    found = [one for one in catalogue().values() if place in (None, one.place)]
    if words:
        found = search(" ".join(words), found)[:_MOST]
        if not found:
            raise InputError.at("faults", f"nothing fits {' '.join(words)!r}", cure="fewer or other words, or a code")
    if markdown:
        out.print("\n".join(table(found)), markup=False)
    else:
        _print(found, language)


@faults.command(name="show")
def show_fault(identifier: Annotated[str, typer.Argument(help="Id of a fault.")], lang: LangOption = None) -> None:
    """Show one fault in full."""
    if identifier not in catalogue():
        raise InputError.at(identifier, "is no fault of the catalogue", cure=nearest(identifier, catalogue()))
    language = chosen_lang(lang)
    for line in _full(catalogue()[identifier], language):
        out.tell(line)


def _say(sentence: Text, lang: Lang) -> str:
    return sentence.fr if lang == "fr" else sentence.en


def _print(found: Iterable[Fault], lang: Lang) -> None:
    for one in found:
        codes = " ".join(_codes(one))
        out.tell(f"{one.id:32} {one.place:14} {_say(one.symptoms[0], lang)}  [{codes or '-'}]")


def _codes(one: Fault) -> Iterator[str]:
    codes = one.codes
    if codes.pcsc:
        yield f"{codes.pcsc}"
    if codes.sw is not None:
        yield f"SW {codes.sw:04X}"
    if codes.galss is not None:
        yield f"GALSS {codes.galss:04X}"
    ssv = dict.fromkeys(f"{code:04X}" for code in (codes.ssv_ps, codes.ssv_vitale) if code is not None)
    if ssv:
        yield f"SSV {'/'.join(ssv)}"
    if codes.http is not None:
        yield f"HTTP {codes.http}"
    if codes.word is not None:
        yield codes.word


_LABELS = {
    "strikes": Text("frappe", "strikes"),
    "codes": Text("codes", "codes"),
    "cause": Text("cause", "cause"),
    "remedy": Text("remède", "remedy"),
    "vpcd": Text("vpcd montre", "vpcd shows"),
    "needs": Text("exige", "needs"),
    "source": Text("source", "source"),
}


def _full(one: Fault, lang: Lang) -> Iterator[str]:
    yield one.id
    for symptom in one.symptoms:
        yield f"  « {_say(symptom, lang)} »" if lang == "fr" else f'  "{_say(symptom, lang)}"'
    pcsc = f" ({PcscCode[one.codes.pcsc].value:08X})" if one.codes.pcsc else ""
    rows = {
        "strikes": str(one.place),
        "codes": ", ".join(_codes(one)).replace(one.codes.pcsc or "\0", f"{one.codes.pcsc}{pcsc}") or "-",
        "cause": _say(one.cause, lang),
        "remedy": _say(one.remedy, lang),
        "source": f"{one.source} [{one.fidelity}]",
    }
    if one.artefact:
        rows["vpcd"] = f"{', '.join(one.artefact.shows) or '-'} ({_say(one.artefact.why, lang)})"
    if one.needs:
        rows["needs"] = ", ".join(sorted(one.needs))
    width = max(len(_say(label, lang)) for label in _LABELS.values())
    for key, label in _LABELS.items():
        if key in rows:
            yield f"  {_say(label, lang):{width}}  {rows[key]}"


def table(found: list[Fault]) -> Iterator[str]:
    """The catalogue as a Markdown table, in English."""
    yield "| fault | strikes | said at the desk | codes | behind vpcd | fidelity |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in found:
        shown = "as promised" if one.artefact is None else (" or ".join(one.artefact.shows) or "cannot be made")
        shown = "-" if one.artefact is None and one.codes.pcsc is None and one.codes.sw is None else shown
        codes = ", ".join(_codes(one)) or "-"
        yield f"| `{one.id}` | {one.place} | {one.symptoms[0].en} | {codes} | {shown} | {one.fidelity} |"
