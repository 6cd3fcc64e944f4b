"""``bifente faults``: the catalogue, searched by the words of a customer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import typer

from bifente.conformance.cli.app import app, out
from bifente.conformance.cli.code_answers import told_of
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.domains.support.known_causes import known_causes, rule_causes, searched
from bifente.conformance.domains.support.spoken import is_spoken
from bifente.conformance.loading import InputError, nearest
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Lang, Text
from bifente.simulator.fault import Fault
from bifente.simulator.faults import (
    EverydayCause,
    Known,
    Match,
    WordSearch,
    catalogue,
    everyday_causes,
    one_writing,
    rooms,
    unknown_codes,
)
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


@faults.command(name="list", context_settings={"ignore_unknown_options": True})
def list_faults(
    words: Annotated[
        list[str] | None, typer.Argument(help="What the customer says, or a code: the likeliest faults only.")
    ] = None,
    place: Annotated[str | None, typer.Option(help="Only those that strike there.")] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="As the table of docs/faults.md, or docs/en/faults.md with --lang en.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: a list of objects.")] = False,
    lang: LangOption = None,
) -> None:
    """List the faults, or search them by a customer's words, a code in any writing, a line of a log."""
    language = chosen_lang(lang)
    for word in words or ():
        if word.startswith("--"):  # numbers may be negative, words are no options
            raise InputError.at(word, "is no option of this command", cure="bifente faults list --help names them")
    places = sorted({place for room in rooms().values() for place in room.places})
    if place is not None and place not in places:
        raise InputError.at("--place", f"no fault strikes {place!r}", cure=f"one of {', '.join(places)}")
    struck = [one for one in catalogue().values() if place in (None, one.place)]
    said = " ".join(words or ())
    fitting = (known_causes() if place is None else WordSearch(struck)).matches(said)[:_MOST] if words else []
    found: Sequence[Known] = [match.one for match in fitting] if words else struck
    if words and not found and is_spoken(said):
        out.tell(_say(_REPRODUCED, language).format(said=said))
        return
    if words and not found:
        known = next(told_of(one_writing(said)), None)
        cure = f"bifente codes {said} tells what it means" if known else "fewer or other words, or a code"
        raise InputError.at("faults", f"nothing fits {said!r}", cure=cure)
    if as_json:
        out.print(json.dumps([_plain(one, language) for one in found], ensure_ascii=False, indent=1), markup=False)
    elif markdown:
        out.print("\n".join(table([one for one in found if isinstance(one, Fault)], language)), markup=False)
    else:
        _print(found, language)
        if words:
            for line in _summary(said, fitting, language):
                out.tell(line)
            if is_spoken(said):
                out.tell(_say(_REPRODUCED, language).format(said=said))


@faults.command(name="show")
def show_fault(
    identifier: Annotated[str, typer.Argument(help="Id of a fault, or of an everyday cause.")],
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: one object.")] = False,
    lang: LangOption = None,
) -> None:
    """Show one fault in full."""
    known: dict[str, Known] = {**catalogue(), **everyday_causes(), **rule_causes()}
    if identifier not in known:
        raise InputError.at(identifier, "is no fault of the catalogue", cure=nearest(identifier, known))
    language = chosen_lang(lang)
    one = known[identifier]
    if as_json:
        out.print(json.dumps(_plain(one, language), ensure_ascii=False, indent=1), markup=False)
        return
    for line in _full(one, language):
        out.tell(line)


_NOBODY_TELLS = Text(" ; aucune source ne parle de {codes}", "; no source tells of {codes}")
_LIKELIEST = Text(
    "-- {count} sur {all} ; le détail : bifente faults show {first}",
    "-- {count} of {all}; in full: bifente faults show {first}",
)


_REPRODUCED = Text(
    "-- un logiciel connu dit cela ; cause, remède et lettre à envoyer : bifente reproduce {said}",
    "-- a known software says this; cause, cure and a letter to send: bifente reproduce {said}",
)


_UNSURE = Text(
    "-- rien de sûr : quelques mots s'accordent, pas la phrase{untold}",
    "-- nothing is sure: some words agree, the sentence does not{untold}",
)
_UNTOLD = Text(" ; aucune entrée ne connaît {words}", "; no entry knows {words}")


def _summary(said: str, fitting: Sequence[Match], lang: Lang) -> Iterator[str]:
    found = [match.one for match in fitting]
    if not fitting[0].sure:
        untold = known_causes().untold(said)
        told = _say(_UNTOLD, lang).format(words=", ".join(untold)) if untold else ""
        yield _say(_UNSURE, lang).format(untold=told)
    line = _say(_LIKELIEST, lang).format(count=len(found), all=len(searched()), first=found[0].id)
    codes = unknown_codes(said, found)
    yield line + (_say(_NOBODY_TELLS, lang).format(codes=", ".join(codes)) if codes else "")


def _plain(one: Known, lang: Lang) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": "fault" if isinstance(one, Fault) else "everyday-cause",
        "place": str(one.place),
        "symptoms": [_say(symptom, lang) for symptom in one.symptoms],
        "codes": list(_codes(one)),
        "cause": _say(one.cause, lang),
        "remedy": _say(one.remedy, lang),
        "see": one.see if isinstance(one, EverydayCause) else f"bifente faults show {one.id}",
        "source": one.source,
        "fidelity": str(one.fidelity),
    }


def _say(sentence: Text, lang: Lang) -> str:
    return sentence.fr if lang == "fr" else sentence.en


def _print(found: Iterable[Known], lang: Lang) -> None:
    for one in found:
        codes = " ".join(_codes(one))
        out.tell(f"{one.id:32} {one.place:14} {_say(one.symptoms[0], lang)}  [{codes or '-'}]")


def _codes(one: Known) -> Iterator[str]:
    if isinstance(one, EverydayCause):
        yield from one.said_codes
        return
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
    "see": Text("voir", "see"),
    "source": Text("source", "source"),
}


def _full(one: Known, lang: Lang) -> Iterator[str]:
    yield one.id
    for symptom in one.symptoms:
        yield f"  « {_say(symptom, lang)} »" if lang == "fr" else f'  "{_say(symptom, lang)}"'
    rows = {
        "strikes": str(one.place),
        "codes": ", ".join(_codes(one)) or "-",
        "cause": _say(one.cause, lang),
        "remedy": _say(one.remedy, lang),
        "source": f"{one.source} [{_say(Fidelity(one.fidelity).label, lang)}]",
        **(dict(_of_a_fault(one, lang)) if isinstance(one, Fault) else {"see": one.see}),
    }
    width = max(len(_say(label, lang)) for label in _LABELS.values())
    for key, label in _LABELS.items():
        if key in rows:
            yield f"  {_say(label, lang):{width}}  {rows[key]}"


def _of_a_fault(one: Fault, lang: Lang) -> Iterator[tuple[str, str]]:
    if pcsc := one.codes.pcsc:
        yield "codes", ", ".join(_codes(one)).replace(pcsc, f"{pcsc} ({PcscCode[pcsc].value:08X})")
    if one.artefact:
        yield "vpcd", f"{', '.join(one.artefact.shows) or '-'} ({_say(one.artefact.why, lang)})"
    if one.needs:
        yield "needs", ", ".join(sorted(one.needs))


_COLUMNS = Text(
    "| panne | frappe | dit au guichet | codes | derrière vpcd | fidélité |",
    "| fault | strikes | said at the desk | codes | behind vpcd | fidelity |",
)
_AS_PROMISED = Text("comme promis", "as promised")
_CANNOT_BE_MADE = Text("impossible à faire", "cannot be made")
_OR = Text(" ou ", " or ")


def table(found: Iterable[Fault], lang: Lang) -> Iterator[str]:
    """Return the lines of the catalogue as a Markdown table."""
    yield _say(_COLUMNS, lang)
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in found:
        codes = ", ".join(_codes(one)) or "-"
        said, rests_on = _say(one.symptoms[0], lang), _say(Fidelity(one.fidelity).label, lang)
        yield f"| `{one.id}` | {one.place} | {said} | {codes} | {_behind_vpcd(one, lang)} | {rests_on} |"


def _behind_vpcd(one: Fault, lang: Lang) -> str:
    if one.artefact is not None:
        return _say(_OR, lang).join(one.artefact.shows) or _say(_CANNOT_BE_MADE, lang)
    return "-" if one.codes.pcsc is None and one.codes.sw is None else _say(_AS_PROMISED, lang)
