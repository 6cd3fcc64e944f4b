"""``bifente up``, ``exec`` and ``doctor``: virtual readers for any PC/SC software, and the health of the chain."""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.choosing import load_readers
from bifente.conformance.bench.live import Device, LiveBench
from bifente.conformance.cli.app import Exit, app, err, fail, out
from bifente.conformance.cli.formats import ALL, chosen_formats
from bifente.conformance.cli.options import KeysOption, LangOption, chosen_lang
from bifente.conformance.domains.wireless.profile import WirelessProfile
from bifente.conformance.loading import nearest
from bifente.conformance.model import CardChoice
from bifente.conformance.run.live_record import LiveRecord, run_id
from bifente.conformance.scenario.loader import DEFAULT_PROFILE
from bifente.ground.clock import WallClock
from bifente.ground.processes import end_with_starter
from bifente.ground.text import Lang, Text
from bifente.reports.secrets import Secrets
from bifente.simulator.iso7816.apdu import ApduError, Command
from bifente.simulator.iso7816.status import meaning
from bifente.simulator.pcsc.bridge import BridgedExchange, ExchangeKind, Observer
from bifente.simulator.pcsc.detectors import LinkFinding, LinkVerdict
from bifente.simulator.pcsc.doctor import ServiceKind, diagnose, usable
from bifente.simulator.readers.slot import SlotError

ProfileOption = Annotated[str, typer.Option("--profile", help="Reader profile (bifente profiles list).")]
CardOption = Annotated[
    list[str] | None,
    typer.Option(
        "--card",
        metavar="SLOT=TEMPLATE",
        help="Card in a slot (default: cps=medecin-generaliste); +family=cps4 gives a parameter of the template anew.",
    ),
]
RememberOption = Annotated[
    Path | None, typer.Option("--remember", help="Folder that keeps the cards' counters and contents between runs.")
]
TraceOption = Annotated[bool, typer.Option("--trace", help="Print every exchange on the error stream, codes masked.")]

LiveServiceOption = Annotated[
    ServiceKind,
    typer.Option(
        "--service",
        help="What stands between the cards and PC/SC: the bench's own service, or a private pcscd with vpcd.",
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Directory for a record of what passes, and its reports, codes masked.")
]

DEFAULT_CARDS = ("cps=medecin-generaliste",)
_CHANGE = re.compile(r"\+(?=[a-z]+=)")
_TICK = 0.5
"""Seconds between two looks at the health of pcscd while nothing else happens."""


@app.command()
def up(
    profile: ProfileOption = DEFAULT_PROFILE,
    card: CardOption = None,
    seconds: Annotated[float | None, typer.Option("--for", help="Stop by itself after so many seconds.")] = None,
    remember: RememberOption = None,
    run_dir: Annotated[Path | None, typer.Option(help="Where the PC/SC socket is (a short path).")] = None,
    trace: TraceOption = False,
    service: LiveServiceOption = ServiceKind.OWN,
    out_dir: OutOption = None,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Virtual readers and cards until interrupted. Lines on standard input move cards: "remove cps", "insert cps"."""
    with _live(_Asked(profile, card, remember, keys, trace, run_dir, service, out_dir, chosen_lang(lang))) as live:
        bench = live.bench
        # Ready is said when clients see the cards: pcscd's poll may take 0.4 s.
        if not bench.wait_seen():
            raise fail("clients do not see the cards in time: bifente doctor names the broken link", Exit.BENCH_ERROR)
        for line in bench.describe():
            out.print(line, markup=False)
        for name, value in bench.environment.items():
            out.print(f"export {name}={shlex.quote(value)}", markup=False)
        _tell_wireless(profile)
        err.print("Ctrl-C stops; type: insert SLOT, remove SLOT, status, quit", markup=False)
        _serve(live, seconds)


@app.command(name="exec", context_settings={"allow_interspersed_args": False})
def exec_command(
    command: Annotated[list[str], typer.Argument(help="The command and its arguments, after --.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    card: CardOption = None,
    remember: RememberOption = None,
    trace: TraceOption = False,
    service: LiveServiceOption = ServiceKind.OWN,
    out_dir: OutOption = None,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Virtual readers and cards for the life of one command; its exit code is ours."""
    with _live(_Asked(profile, card, remember, keys, trace, None, service, out_dir, chosen_lang(lang))) as live:
        bench = live.bench
        # A command that looks once and leaves must find the card: pcscd's poll may take 0.4 s to see it.
        bench.wait_seen()
        _tell_wireless(profile)
        try:
            # Killed, the bench takes the program with it: its readers and cards are gone.
            process = subprocess.Popen(
                command,
                env={**os.environ, **bench.environment},
                preexec_fn=end_with_starter,
            )
        except OSError as error:
            raise fail(f"{command[0]}: cannot be run: {error.strerror}", Exit.BAD_INPUT) from None
        live.note(Text(f"programme lancé : {command[0]}", f"program started: {command[0]}"))
        with signals(lambda number: process.send_signal(number)):
            code = process.wait()
        live.note(Text(f"programme terminé, code {code}", f"program ended, exit code {code}"))
        for defect in bench.service.defects:
            err.print(f"bifente: bench error in slot {defect.slot}: {defect.error}", markup=False)
        if bench.service.defects:
            raise typer.Exit(Exit.BENCH_ERROR)
    raise typer.Exit(code if code >= 0 else 128 - code)


ServiceOption = Annotated[
    ServiceKind | None, typer.Option("--service", help="The PC/SC service to test; both unless it is given.")
]


@app.command()
def doctor(service: ServiceOption = None, lang: LangOption = None) -> None:
    """Test each link between a virtual card and a PC/SC client; name the one that fails, and its cure.

    Without --service both are tested, and the exit code is that of the one used by default: the bench's own.
    """
    language = chosen_lang(lang)
    services = (service,) if service is not None else tuple(ServiceKind)
    needed = service or ServiceKind.OWN
    works = {}
    for one in services:
        findings = []
        out.print(_TESTED[one].get(language), style="bold", markup=False)
        for finding in diagnose(one):
            findings.append(finding)
            spared = one is not needed and finding.verdict is LinkVerdict.FAILED
            _tell_finding(replace(finding, verdict=LinkVerdict.WARNING) if spared else finding, language)
        works[one] = usable(findings)
    for one, fit in works.items():
        word = _USABLE if fit else _UNUSABLE
        bad = "bold red" if one is needed else "yellow"
        out.print(f"{word.get(language)} --service {one.value}", style="green" if fit else bad, markup=False)
    if not works[needed]:
        raise typer.Exit(Exit.BENCH_ERROR)
    if not all(works.values()):
        out.print(_SPARED.get(language), markup=False)


def _tell_finding(finding: LinkFinding, language: Lang) -> None:
    sign, style = _SIGNS[finding.verdict]
    measure = f"  ({finding.measure})" if finding.measure else ""
    out.print(f"{sign} {finding.link.value:18} {finding.sentence.get(language)}{measure}", style=style, markup=False)
    if finding.cure is not None and finding.verdict is not LinkVerdict.OK:
        out.print(f"    -> {finding.cure.get(language)}", markup=False)


_TESTED = {
    ServiceKind.OWN: Text("Le service PC/SC du banc", "The bench's own PC/SC service"),
    ServiceKind.PCSCD: Text("Un pcscd privé et vpcd", "A private pcscd and vpcd"),
}
_USABLE = Text("utilisable ici :", "usable here:")
_UNUSABLE = Text("inutilisable ici :", "not usable here:")
_SPARED = Text(
    "Le service du banc, pris par défaut, suffit : un conteneur n'a besoin d'aucun droit ni d'aucune option. pcscd ne "
    "sert qu'à --service pcscd.",
    "The bench's own service, used by default, is enough: a container needs no right and no option. pcscd serves "
    "--service pcscd alone.",
)
_SIGNS = {
    LinkVerdict.OK: ("ok  ", "green"),
    LinkVerdict.WARNING: ("warn", "yellow"),
    LinkVerdict.FAILED: ("FAIL", "bold red"),
    LinkVerdict.SKIPPED: ("skip", "dim"),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the options of ``up`` and ``exec`` ask for."""

    profile: str
    card: list[str] | None
    remember: Path | None
    keys: Path | None
    trace: bool
    run_dir: Path | None
    service: ServiceKind
    out_dir: Path | None
    lang: Lang


@dataclass(frozen=True, slots=True)
class _Live:
    """A live bench, and the record of what passes behind it, if one was asked for."""

    bench: LiveBench
    record: LiveRecord | None

    def changed(self, role: str, what: Text) -> None:
        """Keep what a hand did."""
        if self.record is not None:
            self.record.changed(role, what)

    def note(self, text: Text) -> None:
        """Keep a word."""
        if self.record is not None:
            self.record.note(text)


@contextmanager
def _live(asked: _Asked) -> Iterator[_Live]:
    if asked.remember is not None:
        try:
            asked.remember.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise fail(f"{asked.remember}: cannot be made: {error.strerror}", Exit.BENCH_ERROR) from None
    workshop, cards = Workshop.default(asked.keys), chosen_cards(asked.card)
    device = Device.assemble(asked.profile, cards, workshop, remember=asked.remember)
    clock = WallClock()
    record = None
    if asked.out_dir is not None:
        record = LiveRecord(
            asked.out_dir,
            clock=clock,
            command=("bifente", *sys.argv[1:]),
            profile=asked.profile,
            cards=cards,
            workshop=workshop,
            service=asked.service,
            run_id=run_id(clock),
            lang=asked.lang,
        )
        record.watch(device)
    known = Secrets(secrets=workshop.secrets(cards.values()))
    observers = [_tracer(known, asked.lang)] if asked.trace else []
    observers += [record.exchange] if record is not None else []

    def observe(seen: BridgedExchange) -> None:
        for observer in observers:
            observer(seen)

    interrupted = True
    try:
        with LiveBench(
            device, kind=asked.service, run_dir=asked.run_dir, observer=observe if observers else None
        ) as bench:
            yield _Live(bench, record)
        interrupted = False
    finally:
        if record is not None:
            record.close(interrupted=interrupted)
            for path in record.render(chosen_formats(ALL), asked.lang):
                err.print(f"{path}", markup=False)


def _tell_wireless(profile: str) -> None:
    """A terminal without a wire is shown here as one that never loses its session: say so, and where it can."""
    if load_readers(profile)[0].section(WirelessProfile) is not None:
        err.print(
            "wireless terminal: shown paired, in range, its session open for as long as this runs; what ends a session "
            "is for scenarios (docs/wireless.md) and bifente serve",
            markup=False,
        )


def chosen_cards(given: list[str] | None) -> dict[str, CardChoice]:
    """The cards that ``--card`` options name, by slot."""
    cards: dict[str, CardChoice] = {}
    for pair in given if given is not None else DEFAULT_CARDS:
        role, equals, template = pair.partition("=")
        if not equals or not role or not template:
            raise fail(f"--card {pair}: SLOT=TEMPLATE is expected, e.g. cps=medecin-generaliste", Exit.BAD_INPUT)
        if role in cards:
            raise fail(f"--card {pair}: slot {role} was given a card already", Exit.BAD_INPUT)
        name, *changes = _CHANGE.split(template)
        given_anew = dict(change.split("=", 1) for change in changes)
        if "template" in given_anew:
            raise fail(f"--card {pair}: the template is named once", Exit.BAD_INPUT)
        cards[role] = CardChoice.model_validate({"template": name, **given_anew})
    return cards


def _tracer(secrets: Secrets, lang: Lang) -> Observer:
    lock = threading.Lock()

    def trace(exchange: BridgedExchange) -> None:
        with lock:
            for line in trace_lines(exchange, secrets, lang):
                err.print(line, markup=False)

    return trace


def trace_lines(exchange: BridgedExchange, secrets: Secrets, lang: Lang) -> list[str]:
    """An exchange in two lines, every secret masked, those that its command brings included."""
    if exchange.kind is not ExchangeKind.APDU:
        return [f"[{exchange.slot}] {exchange.kind.value} {exchange.response.hex(' ').upper()}".rstrip()]
    secrets.learn(exchange.command)
    try:
        described = Command.parse(exchange.command).describe()
    except ApduError:
        described = _NO_APDU
    sw = meaning(int.from_bytes(exchange.response[-2:], "big"))
    return [
        f"[{exchange.slot}] > {secrets.command(exchange.command.hex(' ').upper())}  {described.get(lang)}",
        f"[{exchange.slot}] < {secrets.raw(exchange.response.hex(' ').upper())}  {Text(sw.fr, sw.en).get(lang)}",
    ]


_NO_APDU = Text("(pas une APDU)", "(no APDU)")


class signals:  # noqa: N801 - used as a statement
    """While inside, SIGINT and SIGTERM call ``heard`` instead of ending the process."""

    def __init__(self, heard: Callable[[int], None]) -> None:
        self._heard = heard

    def __enter__(self) -> None:
        def handle(number: int, frame: FrameType | None) -> None:
            self._heard(number)

        self._before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *details: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)


def _serve(live: _Live, seconds: float | None) -> None:
    """Until the time is over, a signal, "quit", or the death of pcscd."""
    deadline = time.monotonic() + seconds if seconds is not None else None
    reading, writing = os.pipe()
    stdin = sys.stdin.fileno() if not sys.stdin.closed else None
    pending = b""

    def stop(number: int) -> None:
        os.write(writing, b"x")

    with signals(stop):
        while True:
            left = _TICK if deadline is None else min(_TICK, deadline - time.monotonic())
            if left <= 0:
                return
            watched = [reading] if stdin is None else [reading, stdin]
            ready, _, _ = select.select(watched, [], [], left)
            if reading in ready:
                return
            if stdin in ready and stdin is not None:
                data = os.read(stdin, 4096)
                if not data:
                    # No more orders will come; the readers stay until the time or a signal ends them.
                    stdin = None
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    if not _obey(live, line.decode(errors="replace").split()):
                        return
            if not live.bench.service.alive:
                raise fail("the PC/SC service has died: bifente doctor tests each link", Exit.BENCH_ERROR)


def _obey(live: _Live, words: list[str]) -> bool:
    """One order from standard input; False to stop."""
    bench = live.bench
    match words:
        case []:
            return True
        case ["quit" | "exit"]:
            return False
        case ["status"]:
            for line in bench.describe():
                out.print(line, markup=False)
        case ["insert" | "remove" as verb, role] if role in bench.device.cards:
            try:
                live.changed(role, (bench.device.insert if verb == "insert" else bench.device.remove)(role))
                if verb == "insert":
                    bench.wait_seen()
                out.print(f"{role}: {'inserted' if verb == 'insert' else 'removed'}", markup=False)
            except SlotError as error:
                err.print(f"bifente: {error}", markup=False)
        case ["insert" | "remove", role]:
            err.print(
                f"bifente: no card was given for slot {role!r} ({nearest(role, bench.device.cards)})", markup=False
            )
        case _:
            orders = ("insert", "remove", "status", "quit")
            err.print(f"bifente: unknown order {' '.join(words)!r} ({nearest(words[0], orders)})", markup=False)
    return True
