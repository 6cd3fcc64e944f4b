"""``bifente trace replay`` and ``minimise``: a trace played to software or to a card, and shrunk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifente.conformance.cli.app import Exit, err, fail, out
from bifente.conformance.cli.options import KeysOption, LangOption, by_slot, chosen_lang
from bifente.conformance.cli.trace_common import SlotOption, TraceArgument, answer_words, check_new, step_line, trace
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.traces.comparing import answered
from bifente.conformance.traces.digits import filled
from bifente.conformance.traces.suite import described
from bifente.conformance.traces.trace import Trace, load_trace
from bifente.ground.text import Lang, Text
from bifente.simulator.iso7816.atr import Atr, AtrError
from bifente.simulator.pcsc.services import ServiceKind

if TYPE_CHECKING:
    # Each needs the whole bench, which a command that only reads a trace does not wait for.
    from bifente.conformance.traces.host import HostReplay
    from bifente.conformance.traces.minimising import Reduction
    from bifente.conformance.traces.playing import PlayedProgram

CardsOption = Annotated[
    list[str] | None,
    typer.Option("--card", metavar="[SLOT=]TEMPLATE", help="The virtual card (default: cps=medecin-generaliste)."),
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="Reader profile (bifente profiles list).  [default: that of suites]")
]
InjectOption = Annotated[
    list[str] | None,
    typer.Option("--inject", metavar="FAULT", help='A fault of the session, e.g. "card-mute at=verify"; repeatable.'),
]
_MOST_TOLD = 20


@trace.command(context_settings={"allow_interspersed_args": True})
def replay(
    file: TraceArgument,
    command: Annotated[
        list[str] | None, typer.Argument(help="Software to play the trace to, after --; else it is sent to a card.")
    ] = None,
    slot: SlotOption = None,
    atr: Annotated[str | None, typer.Option(help="ATR of the card, where the trace does not tell it.")] = None,
    service: Annotated[ServiceKind, typer.Option(help="The PC/SC service that shows the card.")] = ServiceKind.OWN,
    card: CardsOption = None,
    profile: ProfileOption = None,
    inject: InjectOption = None,
    reader: Annotated[
        str | None, typer.Option(help="PC/SC name of a real reader: codes are never presented there.")
    ] = None,
    production_card: Annotated[
        str | None, typer.Option(help="Serial number of a production card that may be read, asked for by name.")
    ] = None,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Play a trace as the card, to software; or as the host, to a card, and compare the answers with the trace.

    To a real card go only commands that read: a code is masked in a trace, and none is ever presented. Exit code 0
    where all went as in the trace, 1 where not, 2 on bad input.
    """
    from bifente.conformance.bench.cards import Workshop
    from bifente.conformance.scenario.loader import DEFAULT_PROFILE
    from bifente.conformance.traces.host import Replayer

    language = chosen_lang(lang)
    loaded = load_trace(file, slot)
    if command:
        if card or reader or inject:
            raise fail("a trace is played to software or sent to a card: give -- PROGRAM, or --card", Exit.BAD_INPUT)
        _as_card(loaded, _atr(file, loaded, atr), command, service, language)
        return
    options = _options(reader, production_card, keys, language)
    cards = _cards(card)
    if reader is not None and inject:
        raise fail("--inject needs a virtual card: no fault is made on a real one", Exit.BAD_INPUT)
    with Replayer(
        loaded.exchanges,
        cards=cards,
        profile=profile or DEFAULT_PROFILE,
        workshop=Workshop.default(keys),
        options=options,
        faults=_faults(inject),
    ) as replayer:
        replayed = replayer.send()
    for line in _host_lines(loaded, replayed, language):
        out.tell(line)
    if replayed.stopped is not None or any(answered(loaded.exchanges[s.number], s.response) for s in replayed.sent):
        raise typer.Exit(Exit.FAILED)


def _options(reader: str | None, production: str | None, keys: Path | None, lang: Lang) -> RunOptions:
    if reader is None:
        return RunOptions(paths=(), keys=keys, lang=lang)
    return RunOptions(
        paths=(),
        target=TargetKind.PCSC,
        readers=by_slot("--reader", [reader]),
        production_card=production,
        keys=keys,
        lang=lang,
    )


def _cards(given: list[str] | None) -> dict[str, str]:
    return by_slot("--card", given) or {"cps": "medecin-generaliste"}


def _faults(given: Sequence[str] | None) -> list[str]:
    """Faults as ``observe --inject`` writes them, in the YAML of a step."""
    written = []
    for one in given or ():
        name, *parts = one.split()
        pairs = [part.partition("=") for part in parts]
        if any(not equals or not value for _key, equals, value in pairs):
            raise fail(f'--inject {one}: a fault and its aim are expected, e.g. "card-mute at=verify"', Exit.BAD_INPUT)
        aim = "".join(f", {key}: {value}" for key, _equals, value in pairs)
        written.append(f"{{fault: {name}{aim}}}")
    return written


def _atr(file: Path, loaded: Trace, given: str | None) -> bytes:
    told = given if given is not None else loaded.atr
    if told is None:
        raise fail(f"{file}: the trace does not tell the ATR of the card; give it by --atr", Exit.BAD_INPUT)
    try:
        atr = filled(told.replace(" ", "").upper(), 0)
        Atr.parse(atr)
    except (ValueError, AtrError) as error:
        raise fail(f"--atr {told}: no ATR: {error}", Exit.BAD_INPUT) from None
    return atr


def _as_card(loaded: Trace, atr: bytes, command: Sequence[str], service: ServiceKind, lang: Lang) -> None:
    from bifente.conformance.cli.live import signals
    from bifente.conformance.traces.playing import play

    try:
        program = play(loaded, atr, command, service=service, while_running=signals)
    except OSError as error:
        raise fail(f"{command[0]}: cannot be run: {error.strerror}", Exit.BAD_INPUT) from None
    for line in _card_lines(loaded, program, lang):
        err.tell(line)
    if program.played.strayed or program.code:
        raise typer.Exit(Exit.FAILED)


def _card_lines(loaded: Trace, program: PlayedProgram, lang: Lang) -> list[str]:
    played, fr = program.played, lang == "fr"
    whole, seen = len(loaded.exchanges), len(played.answered)
    lines = [
        f"programme : code {program.code} ; commandes : {played.asked} ; échanges de la trace : {seen} sur {whole}"
        if fr
        else f"program: exit {program.code}; commands: {played.asked}; exchanges of the trace: {seen} of {whole}"
    ]
    for after, command in played.strayed[:_MOST_TOLD]:
        words = described(filled(command, 0)).get(lang)
        lines.append(
            f"  hors de la trace, après l'échange {after + 1} : {words} (6F00 répondu)"
            if fr
            else f"  not in the trace, after exchange {after + 1}: {words} (6F00 answered)"
        )
    if not played.strayed and played.farthest == whole - 1:
        lines.append("jusqu'à la fin de la trace" if fr else "to the end of the trace")
    elif played.farthest >= 0:
        last = step_line(played.farthest + 1, loaded.exchanges[played.farthest], lang).strip()
        lines.append(f"jusqu'à l'échange {last}" if fr else f"up to exchange {last}")
    return lines


def _host_lines(loaded: Trace, replayed: HostReplay, lang: Lang) -> list[str]:
    fr, lines = lang == "fr", []
    other = 0
    for one in replayed.sent:
        seen = loaded.exchanges[one.number]
        if answered(seen, one.response) is None:
            continue
        other += 1
        if other <= _MOST_TOLD:
            lines.append(step_line(one.number + 1, seen, lang))
            now = one.error or answer_words(one.response).get(lang)
            lines.append(f"      {'cette fois' if fr else 'this time'} : {now}")
    for left in replayed.left[:_MOST_TOLD]:
        words = "non envoyé" if fr else "not sent"
        lines.append(f"{left.number + 1:5} {words} : {left.why.get(lang)}")
    if replayed.stopped is not None:
        lines.append(f"{'arrêté' if fr else 'stopped'} : {replayed.stopped.get(lang)}")
    lines.append(
        f"{len(replayed.sent)} commandes envoyées, {len(replayed.left)} non envoyées, {other} réponses différentes"
        if fr
        else f"{len(replayed.sent)} commands sent, {len(replayed.left)} not sent, {other} answers that differ"
    )
    return lines


@trace.command(name="minimise")
def minimise_trace(
    file: TraceArgument,
    scenario: Annotated[Path, typer.Option("--out", "-o", help="The scenario to write (YAML).")],
    at: Annotated[
        int | None, typer.Option("--at", min=1, help="The exchange that fails (default: the last that does).")
    ] = None,
    slot: SlotOption = None,
    card: CardsOption = None,
    profile: ProfileOption = None,
    inject: InjectOption = None,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Shrink a trace to the shortest one that still fails in the same way on a virtual card; write its scenario.

    The scenario passes as long as the failure is there: bifente run it, mend, run it again. Exit code 0 where it was
    written, 2 where there is no failure to be seen again.
    """
    from bifente.conformance.bench.cards import Workshop
    from bifente.conformance.scenario.loader import DEFAULT_PROFILE
    from bifente.conformance.traces.host import Replayer
    from bifente.conformance.traces.minimising import last_failure, minimise, scenario_of

    language = chosen_lang(lang)
    check_new(scenario)
    loaded = load_trace(file, slot)
    number = at - 1 if at is not None else last_failure(loaded.exchanges)
    if number is None:
        raise fail(f"{file}: no exchange of this trace fails; name one by --at (bifente trace show)", Exit.BAD_INPUT)
    if number >= len(loaded.exchanges):
        raise fail(f"--at {at}: the trace has {len(loaded.exchanges)} exchanges", Exit.BAD_INPUT)
    cards = _cards(card)
    with Replayer(
        loaded.exchanges,
        cards=cards,
        profile=profile or DEFAULT_PROFILE,
        workshop=Workshop.default(keys),
        options=_options(None, None, keys, language),
        faults=_faults(inject),
    ) as replayer:
        reduction = minimise(loaded.exchanges, replayer, number)
    scenario.write_text(
        scenario_of(reduction, cards=cards, profile=profile or DEFAULT_PROFILE, lang=language), encoding="utf-8"
    )
    for line in _reduction_lines(loaded, reduction, language):
        out.tell(line)
    out.tell(f"{scenario}")


def _reduction_lines(loaded: Trace, reduction: Reduction, lang: Lang) -> list[str]:
    fr, whole, left = lang == "fr", len(loaded.exchanges), len(reduction.steps)
    lines = [
        f"{whole} échanges -> {left}, en {reduction.runs} essais"
        if fr
        else f"{whole} exchanges -> {left}, in {reduction.runs} runs"
    ]
    lines += [f"      {Text('panne', 'fault').get(lang)} {fault}" for fault in reduction.faults]
    lines += [step_line(step.number + 1, loaded.exchanges[step.number], lang) for step in reduction.steps]
    if not reduction.least:
        lines.append("borne des essais atteinte : peut-être pas le minimum" if fr else "bound on runs met: may be less")
    return lines
