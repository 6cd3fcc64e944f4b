"""``bifente read``: both cards read as a software of the workstation reads them, told in words for a support desk."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from conformance.bench.base import Bench
from conformance.bench.cards import Workshop
from conformance.bench.factory import BenchPool
from conformance.bench.workstation import Way, Workstation
from conformance.cli.app import Exit, app, fail, out
from conformance.cli.options import KeysOption, LangOption, chosen_lang
from conformance.model import CardChoice
from conformance.options import RunOptions, TargetKind
from conformance.targets.base import GuardRefusalError
from reports.text import Lang
from simulator.middleware.codes import SsvCode
from simulator.middleware.return_codes import return_codes
from simulator.middleware.ssv import Answer
from simulator.sentence import Sentence
from simulator.zones import GROUPS, Group, named
from simulator.zones.catalogue import FieldKind, FieldType

_PROFILE = "readers/generic-bislot"
_NO_CODE = "0000"
"""Given where no professional's card tells its code: it is presented to none."""
_WORDS = {
    "SSV_LireConfig": Sentence("Configuration du poste", "Configuration of the workstation"),
    "SSV_LireCartePS": Sentence("Carte du professionnel", "Professional's card"),
    "SSV_LireDroitsVitale": Sentence("Droits de la Vitale", "Rights on the Vitale"),
    "cause": Sentence("cause", "cause"),
    "remedy": Sentence("remède", "remedy"),
    "unknown": Sentence("code inconnu", "unknown code"),
    "spared": Sentence(
        "non appelée : le code vient d'être refusé, un second essai en coûterait un autre à la carte",
        "not called: the code has just been refused, a second call would cost the card another try",
    ),
    "real": Sentence(
        "bifente read ne le permet pas : avec --reader, il lit ce que les cartes donnent sans cela",
        "bifente read has no leave for it: with --reader it reads what cards give without that",
    ),
    "over": Sentence("dépassée", "over"),
}
_ENDS = "end"
"""What the name of a field ends with that tells until when something holds."""


@app.command(name="read")
def read_cards(
    card: Annotated[
        list[str] | None,
        typer.Option(help="SLOT=TEMPLATE, as cps=medecin-generaliste or vitale=vitale/famille-trois; repeatable."),
    ] = None,
    reader: Annotated[
        str | None,
        typer.Option(
            help="PC/SC name of a real reader with a CPS, a TEST card; the Vitale may be in any other, but what it "
            "gives only to an authenticated CPS is not asked of a real one."
        ),
    ] = None,
    production_card: Annotated[
        str | None, typer.Option(help="With --reader: serial number of a production card that may be read.")
    ] = None,
    profile: Annotated[str, typer.Option(help="Reader profile the virtual cards are in.")] = _PROFILE,
    middleware: Annotated[Way, typer.Option(help="How the cards are reached.")] = Way.FULL_PCSC,
    code: Annotated[str | None, typer.Option(help="Holder code (default: that of the template of the CPS).")] = None,
    date: Annotated[str | None, typer.Option(help="Date of consultation, YYYYMMDD (default: today).")] = None,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Read the configuration, the CPS and the Vitale by the SSV functions; exit 1 if one of them does not answer 0."""
    language = chosen_lang(lang)
    choices = dict(_choice(given) for given in card or ())
    if not choices:
        raise fail("no card is given: --card cps=TEMPLATE, --card vitale=vitale/TEMPLATE", Exit.BAD_INPUT)
    if reader is not None and set(choices) != {"cps"}:
        raise fail("--reader takes --card cps=TEMPLATE alone: the template that describes its card", Exit.BAD_INPUT)
    workshop = Workshop.default(keys)
    for choice in choices.values():
        workshop.check(choice)
    options = RunOptions(
        paths=(),
        target=TargetKind.PCSC if reader is not None else TargetKind.EMBEDDED,
        reader=reader,
        real_card=choices["cps"].template if reader is not None else None,
        production_card=production_card,
        lang=language,
        keys=keys,
    )
    refused = False
    with BenchPool(options, workshop) as pool:
        bench = pool.get(profile)
        try:
            bench.seat(choices, random.Random(1), destructive=False)  # noqa: S311 - laboratory challenges
            for function, answer in _answers(bench, middleware, code, date):
                refused |= answer is None or bool(answer.code)
                for line in _lines(function, answer, language, _day(bench, date)):
                    out.tell(line)
        except GuardRefusalError as refusal:
            raise fail(f"{refusal.why.get(language)} ; {_say(_WORDS['real'], language)}", Exit.BAD_INPUT) from None
    if refused:
        raise typer.Exit(Exit.FAILED)


def _choice(given: str) -> tuple[str, CardChoice]:
    slot, equals, template = given.partition("=")
    if not (slot and equals and template):
        raise fail(f"--card {given}: SLOT=TEMPLATE is expected, as cps=medecin-generaliste", Exit.BAD_INPUT)
    return slot, CardChoice(template=template)


def _answers(bench: Bench, way: Way, code: str | None, date: str | None) -> Iterator[tuple[str, Answer | None]]:
    """Each function and its answer, or None where it was not called."""
    workstation = Workstation(bench, random=random.Random(1).randbytes)  # noqa: S311 - laboratory challenges
    workstation.way = way
    try:
        library, (ps, reader) = workstation.ssv(), workstation.resource_names()
    except ValueError as error:
        raise fail(str(error), Exit.BAD_INPUT) from None
    known = (str(one.facts["code"]) for one in bench.seated.values() if "code" in one.facts)
    given = code if code is not None else next(known, _NO_CODE)
    library.init_lib()
    yield "SSV_LireConfig", library.lire_config()
    professional = library.lire_carte_ps(ps, reader, given)
    yield "SSV_LireCartePS", professional
    rights = "SSV_LireDroitsVitale"
    if professional.code == SsvCode.WRONG_CODE:
        yield rights, None
    else:
        yield rights, library.lire_droits_vitale(ps, reader, given, _day(bench, date))


def _day(bench: Bench, date: str | None) -> str:
    """The day of consultation, YYYYMMDD unless the user gave something else."""
    return date if date is not None else f"{bench.now():%Y%m%d}"


def _lines(function: str, answer: Answer | None, lang: Lang, day: str) -> Iterator[str]:
    if answer is None:
        yield f"{_say(_WORDS[function], lang)} — {function} {_say(_WORDS['spared'], lang)}"
        return
    known = return_codes().get(answer.code)
    meaning = _say(known.meaning if known else _WORDS["unknown"], lang)
    yield f"{_say(_WORDS[function], lang)} — {function} {answer.code:04X} ({answer.code}): {meaning}"
    if answer.code and known is not None:
        for word, said in (("cause", known.cause), ("remedy", known.remedy)):
            if said is not None:
                yield f"  {_say(_WORDS[word], lang)}: {_say(said, lang)}"
    if answer.detail:
        yield f"  ({answer.detail})"
    for group in answer.groups:
        yield from _fields(group, lang, day)


def _fields(group: Group, lang: Lang, day: str) -> Iterator[str]:
    """The fields of a group that hold something."""
    known = GROUPS.get(group.id)
    yield f"  {group.id} {_say(known.name, lang) if known else ''}".rstrip()
    kinds = {kind.name: kind for kind in known.fields} if known else {}
    for name, text in named(group).items():
        if text:
            kind = kinds.get(name)
            value = kind.values.get(text) if kind else None
            label = _say(kind.label, lang) if kind else name
            said = _say(value, lang) if value else _date(name, text, lang, day) if _is_date(kind) else ""
            yield f"    {label:46} {text}" + (f" ({said})" if said else "")


def _is_date(kind: FieldType | None) -> bool:
    return kind is not None and kind.kind is FieldKind.DATE


def _date(name: str, text: str, lang: Lang, today: str) -> str:
    """A date of a zone (YYYYMMDDhhmm) in words, and whether it is behind us; nothing for one that no calendar has."""
    try:
        found = datetime.strptime(text[:8], "%Y%m%d").date()
    except ValueError:
        return ""
    said = f"{found:%d/%m/%Y}" if lang == "fr" else f"{found:%d %b %Y}"
    return f"{said}, {_say(_WORDS['over'], lang)}" if name.endswith(_ENDS) and text[:8] < today else said


def _say(sentence: Sentence, lang: Lang) -> str:
    return sentence.fr if lang == "fr" else sentence.en
