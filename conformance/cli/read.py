"""``bifente read``: both cards read as a software of the workstation reads them, told in words for a support desk."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated

import typer

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool
from bifente.conformance.bench.real import CPS, VITALES, RealBench
from bifente.conformance.bench.real_card import NotOfTestError
from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.cli.options import KeysOption, LangOption, chosen_lang
from bifente.conformance.domains.vitale.workstation import Way, Workstation
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.targets.base import GuardRefusalError
from bifente.ground.text import Lang, Text
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.return_codes import return_codes
from bifente.simulator.middleware.ssv import Answer, Ssv
from bifente.simulator.zones import GROUPS, Group, named
from bifente.simulator.zones.catalogue import FieldKind, FieldType

_PROFILE = "readers/generic-bislot"
_NO_CODE = "0000"
"""Given where no professional's card tells its code: it is presented to none."""
_CONFIGURATION, _PROFESSIONAL, _RIGHTS = "SSV_LireConfig", "SSV_LireCartePS", "SSV_LireDroitsVitale"


class _Note(Enum):
    """What else is to be said of a function: why it was not called, or what it was not asked for."""

    SPARED = Text(
        "non appelée : le code vient d'être refusé, un second essai en coûterait un autre à la carte",
        "not called: the code has just been refused, a second call would cost the card another try",
    )
    VITALE = Text(
        "non appelée : le lecteur nommé tient une Vitale", "not called: the reader that was named holds a Vitale"
    )
    WITHOUT_CPS = Text(
        "lue comme sans CPS, car le groupe 106 (couverture) veut que la Vitale et la CPS d'un autre lecteur se "
        "reconnaissent (EXTERNAL AUTHENTICATE), ce qui n'est pas tenté sur une carte réelle : nul ne sait ce qu'un "
        "refus lui coûterait",
        "read as without a CPS, since group 106 (coverage) wants the Vitale and the CPS of another reader to recognise "
        "each other (EXTERNAL AUTHENTICATE), which is not tried on a real card: nobody knows what a refusal would "
        "cost it",
    )
    VITALE_1 = Text(
        "rien n'est lu : une Vitale 1 se lit par des commandes de sa propre classe (BC), qui ne sont pas envoyées à "
        "une carte réelle",
        "nothing is read: a Vitale 1 is read by commands of a class of its own (BC), which are not sent to a real card",
    )


@dataclass(frozen=True, slots=True)
class _Called:
    """A function of the library and what it gave; None if it was not called, for the reason in the note."""

    function: str
    answer: Answer | None
    note: _Note | None = None


_WORDS = {
    _CONFIGURATION: Text("Configuration du poste", "Configuration of the workstation"),
    _PROFESSIONAL: Text("Carte du professionnel", "Professional's card"),
    _RIGHTS: Text("Droits de la Vitale", "Rights on the Vitale"),
    "cause": Text("cause", "cause"),
    "remedy": Text("remède", "remedy"),
    "unknown": Text("code inconnu", "unknown code"),
    "real": Text(
        "bifente read ne le permet pas : avec --reader, il lit ce que les cartes donnent sans cela",
        "bifente read has no leave for it: with --reader it reads what cards give without that",
    ),
    "over": Text("dépassée", "over"),
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
            help="PC/SC name of a real reader with a CPS, a TEST card; the Vitale may be in any other. Or one with a "
            "Vitale: no --card then. What a Vitale 2 gives only to an authenticated CPS is not asked of a real one."
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
    if not choices and reader is None:
        raise fail("no card is given: --card cps=TEMPLATE, --card vitale=vitale/TEMPLATE", Exit.BAD_INPUT)
    if reader is not None and choices.keys() - {"cps"}:
        raise fail("--reader takes --card cps=TEMPLATE alone: the template that describes its card", Exit.BAD_INPUT)
    workshop = Workshop.default(keys)
    for choice in choices.values():
        workshop.check(choice)
    options = RunOptions(
        paths=(),
        target=TargetKind.PCSC if reader is not None else TargetKind.EMBEDDED,
        readers={CPS: reader} if reader is not None else {},
        real_cards={CPS: choices[CPS].template} if reader is not None and choices else {},
        production_card=production_card,
        lang=language,
        keys=keys,
    )
    refused = False
    with BenchPool(options, workshop) as pool:
        bench = pool.get(profile)
        try:
            for called in _calls(bench, choices, middleware, code, date):
                refused |= called.answer is None or bool(called.answer.code)
                for line in _lines(called, language, _day(bench, date)):
                    out.tell(line)
        except NotOfTestError as refusal:
            raise fail(refusal.why.get(language), Exit.BAD_INPUT) from None
        except GuardRefusalError as refusal:
            raise fail(f"{refusal.why.get(language)} ; {_say(_WORDS['real'], language)}", Exit.BAD_INPUT) from None
    if refused:
        raise typer.Exit(Exit.FAILED)


def _choice(given: str) -> tuple[str, CardChoice]:
    slot, equals, template = given.partition("=")
    if not (slot and equals and template):
        raise fail(f"--card {given}: SLOT=TEMPLATE is expected, as cps=medecin-generaliste", Exit.BAD_INPUT)
    return slot, CardChoice(template=template)


def _calls(
    bench: Bench, choices: Mapping[str, CardChoice], way: Way, code: str | None, date: str | None
) -> Iterator[_Called]:
    """Each function and its answer, the next one called when the last was told. Raises GuardRefusalError."""
    if isinstance(bench, RealBench) and bench.kind(CPS) in VITALES:
        yield from _calls_on_a_vitale(bench, _day(bench, date))
        return
    if not choices:
        raise fail("the reader holds no Vitale: --card cps=TEMPLATE tells whose CPS is in it", Exit.BAD_INPUT)
    bench.seat(choices, random.Random(1), destructive=False)  # noqa: S311 - laboratory challenges
    workstation = Workstation(bench, random=random.Random(1).randbytes)  # noqa: S311 - laboratory challenges
    workstation.way = way
    try:
        library, (ps, reader) = workstation.ssv(), workstation.resource_names()
    except GuardRefusalError as error:
        raise fail(str(error), Exit.BAD_INPUT) from None
    known = (str(one.facts["code"]) for one in bench.seated.values() if "code" in one.facts)
    given = code if code is not None else next(known, _NO_CODE)
    library.init_lib()
    yield _Called(_CONFIGURATION, library.lire_config())
    professional = library.lire_carte_ps(ps, reader, given)
    yield _Called(_PROFESSIONAL, professional)
    if professional.code == SsvCode.WRONG_CODE:
        yield _Called(_RIGHTS, None, _Note.SPARED)
        return
    try:
        rights = _Called(_RIGHTS, library.lire_droits_vitale(ps, reader, given, _day(bench, date)))
    except GuardRefusalError:
        # The card has just taken its code: what is left to refuse is the recognition of the two cards.
        if not isinstance(bench, RealBench) or professional.code:
            raise
        rights = _without_cps(_alone(bench), _day(bench, date))
    yield rights


def _calls_on_a_vitale(bench: RealBench, day: str) -> Iterator[_Called]:
    library = _alone(bench)
    yield _Called(_CONFIGURATION, library.lire_config())
    yield _Called(_PROFESSIONAL, None, _Note.VITALE)
    rights = _without_cps(library, day)
    bench.check_vitale(rights.answer.groups if rights.answer is not None else ())
    yield rights


def _alone(bench: RealBench) -> Ssv:
    """The library of a workstation without a professional's card: no code and no proof can reach one."""
    library = Ssv(FullPcsc(bench.without_cps(CPS), bench.clock), bench.clock)
    library.init_lib()
    return library


def _without_cps(library: Ssv, day: str) -> _Called:
    try:
        # Without a GALSS no name of a resource means anything.
        answer = library.lire_droits_vitale("", "", _NO_CODE, day)
    except GuardRefusalError:
        return _Called(_RIGHTS, None, _Note.VITALE_1)
    return _Called(_RIGHTS, answer, _Note.WITHOUT_CPS if answer.code == SsvCode.PS_ABSENT else None)


def _day(bench: Bench, date: str | None) -> str:
    """The day of consultation, YYYYMMDD unless the user gave something else."""
    return date if date is not None else f"{bench.now():%Y%m%d}"


def _lines(called: _Called, lang: Lang, day: str) -> Iterator[str]:
    answer, note = called.answer, called.note
    told = f"{_say(_WORDS[called.function], lang)} — {called.function} "
    said = _say(note.value, lang) if note is not None else ""
    if answer is None:
        yield told + said
        return
    known = return_codes().get(answer.code)
    meaning = _say(known.meaning if known else _WORDS["unknown"], lang)
    yield f"{told}{answer.code:04X} ({answer.code}): {said or meaning}"
    if answer.code and known is not None and note is None:
        for word, words in (("cause", known.cause), ("remedy", known.remedy)):
            if words is not None:
                yield f"  {_say(_WORDS[word], lang)}: {_say(words, lang)}"
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


def _say(sentence: Text, lang: Lang) -> str:
    return sentence.fr if lang == "fr" else sentence.en
