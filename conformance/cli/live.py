"""``bifente up``, ``exec`` and ``doctor``: virtual readers for any PC/SC software, and the health of the chain."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from bifente.conformance.bench import cryptolib_cache
from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live_services import named, said_in
from bifente.conformance.cli.app import Exit, app, err, fail, out
from bifente.conformance.cli.far import FarWatch, NotLoopbackOption, VpcdOption, far_address
from bifente.conformance.cli.formats import ALL, chosen_formats
from bifente.conformance.cli.options import KeysOption, LangOption, chosen_lang
from bifente.conformance.cli.speaking import say
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.channel.answers import OrderRefusedError
from bifente.conformance.observation.channel.words import in_words, read_line
from bifente.conformance.observation.standing import MARK, Standing, Wanted
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
from bifente.simulator.serving.loopback import ServingError

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

_STANDS = "What stands between the cards and PC/SC: the bench's own service, or a private pcscd with vpcd."
LiveServiceOption = Annotated[ServiceKind, typer.Option("--service", help=_STANDS)]
UpServiceOption = Annotated[ServiceKind | None, typer.Option("--service", help=f"{_STANDS}  [default: own]")]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Directory for a record of what passes, and its reports, codes masked.")
]

ServicesOption = Annotated[
    str | None,
    typer.Option("--services", help="Teleservices on this machine, recorded, joined by commas: psc,insi,dmp ..."),
]
HeldOption = Annotated[
    Path | None, typer.Option("--bench", help="YAML of what the services hold, as under bench in a suite.")
]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65_000, help="First port of the services (10 each); 0 takes free ones.")
]

DEFAULT_CARDS = ("cps=medecin-generaliste",)
_CHANGE = re.compile(r"\+(?=[a-z-]+(?:\.[a-z-]+)*=)")
STOPS = Text("Ctrl-C arrête", "Ctrl-C stops")
"""What ends a command that stands."""
_ORDERS = Text(
    "Ctrl-C arrête ; ordres, aussi par bifente ctl : help, state, insert FENTE, remove FENTE ...",
    "Ctrl-C stops; orders, also by bifente ctl: help, state, insert SLOT, remove SLOT ...",
)
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
    service: UpServiceOption = None,
    vpcd: VpcdOption = None,
    not_loopback: NotLoopbackOption = None,
    services: ServicesOption = None,
    held: HeldOption = None,
    port: PortOption = 0,
    out_dir: OutOption = None,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Virtual readers and cards until interrupted.

    Lines on standard input are orders, as bifente ctl gives them: "remove cps", "insert cps", "help".
    """
    language = chosen_lang(lang)
    far = far_address(vpcd, not_loopback, service_given=service is not None, run_dir_given=run_dir is not None)
    chosen = service or ServiceKind.OWN
    asked = Asked(profile, card, remember, keys, trace, run_dir, chosen, out_dir, language)
    with standing(asked, far=far, **beside(services, held, port)) as stood:
        bench = stood.bench
        if far is not None:
            _stay_far(stood, seconds, language)
            return
        # Ready is said when clients see the cards: pcscd's poll may take 0.4 s.
        if not bench.wait_seen():
            raise fail("clients do not see the cards in time: bifente doctor names the broken link", Exit.BENCH_ERROR)
        for line in bench.describe(language):
            out.print(line, markup=False)
        own = {name: value for name, value in stood.environment.items() if name != MARK}
        for name, value in {**own, **stood.channel.environment}.items():
            out.print(f"export {name}={shlex.quote(value)}", markup=False)
        err.print(_ORDERS.get(language), markup=False)
        _serve(stood, seconds, language)


def _stay_far(stood: Standing, seconds: float | None, lang: Lang) -> None:
    """Cards in a vpcd elsewhere: clients are told nothing here, links are told as they change."""
    for line in stood.bench.describe(lang):
        out.print(line, markup=False)
    for name, value in stood.channel.environment.items():
        out.print(f"export {name}={shlex.quote(value)}", markup=False)
    watch = FarWatch(stood.bench, lang, stood.note)
    watch.settle()
    err.print(_ORDERS.get(lang), markup=False)
    _serve(stood, seconds, lang, watch.look)
    watch.end()


@app.command(name="exec", context_settings={"allow_interspersed_args": False})
def exec_command(
    command: Annotated[list[str], typer.Argument(help="The command and its arguments, after --.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    card: CardOption = None,
    remember: RememberOption = None,
    trace: TraceOption = False,
    service: LiveServiceOption = ServiceKind.OWN,
    services: ServicesOption = None,
    held: HeldOption = None,
    port: PortOption = 0,
    out_dir: OutOption = None,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Virtual readers and cards for the life of one command; its exit code is ours."""
    check_runnable(command)
    asked = Asked(profile, card, remember, keys, trace, None, service, out_dir, chosen_lang(lang))
    with standing(asked, **beside(services, held, port)) as stood:
        bench = stood.bench
        # A command that looks once and leaves must find the card: pcscd's poll may take 0.4 s to see it.
        bench.wait_seen()
        try:
            # Killed, the bench takes the program with it: its readers and cards are gone.
            process = subprocess.Popen(
                command,
                env={**os.environ, **stood.environment, **stood.channel.environment},
                preexec_fn=end_with_starter,
            )
        except OSError as error:
            stood.withdraw()
            raise fail(f"{command[0]}: cannot be run: {error.strerror}", Exit.BAD_INPUT) from None
        stood.note(Text(f"programme lancé : {command[0]}", f"program started: {command[0]}"))
        with signals(lambda number: process.send_signal(number)):
            code = process.wait()
        stood.note(Text(f"programme terminé, code {code}", f"program ended, exit code {code}"))
        for defect in bench.service.defects:
            err.print(f"bifente: {say(f'bench error in slot {defect.slot}: {defect.error}')}", markup=False)
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
    workshop = Workshop.default()
    tell_stale_cache(workshop, (CardChoice(template=name) for name in workshop.names), language)
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
class Asked:
    """What the options of ``up``, ``exec`` and ``observe`` ask for."""

    profile: str
    card: list[str] | None
    remember: Path | None
    keys: Path | None
    trace: bool
    run_dir: Path | None
    service: ServiceKind
    out_dir: Path | None
    lang: Lang


def check_runnable(command: list[str]) -> None:
    """Refuse what is no program before anything stands, and leave no record of nothing."""
    name = command[0]
    if shutil.which(name) is None:
        file = Path(name).is_file()
        cure = f"is a file that its name alone does not run: python {name}, or ./{Path(name).name}?"
        why = cure if file else "no such program"
        raise fail(f"{name}: cannot be run: {why}", Exit.BAD_INPUT)


def beside(services: str | None, held: Path | None, port: int) -> dict[str, Any]:
    """Return the services that stand beside a bench, as options ask for them. Raise InputError."""
    if services is None and (held is not None or port):
        raise fail(f"{'--port' if held is None else '--bench'} goes with --services", Exit.BAD_INPUT)
    return {"services": named(services), "said": said_in(held), "port": port}


@contextmanager
def standing(asked: Asked, **more: Any) -> Iterator[Standing]:
    """A bench as asked for; its reports are written at the end where a directory was given."""
    if asked.remember is not None:
        try:
            asked.remember.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise fail(f"{asked.remember}: cannot be made: {error.strerror}", Exit.BAD_INPUT) from None
    workshop, cards = Workshop.default(asked.keys), chosen_cards(asked.card)
    known = Secrets(secrets=workshop.secrets(cards.values()))
    wanted = Wanted(
        profile=asked.profile,
        cards=cards,
        workshop=workshop,
        service=asked.service,
        remember=asked.remember,
        run_dir=asked.run_dir,
        out=asked.out_dir,
        lang=asked.lang,
        observers=[_tracer(known, asked.lang)] if asked.trace else [],
        **more,
    )
    try:
        made = Standing(wanted)
    except ServingError as error:
        raise fail(str(error), Exit.BENCH_ERROR) from None
    tell_stale_cache(workshop, cards.values(), asked.lang)
    try:
        with made as bench:
            yield bench
    finally:
        if asked.out_dir is not None:
            for path in made.record.render(chosen_formats(ALL), asked.lang):
                err.print(f"{path}", markup=False)


def tell_stale_cache(workshop: Workshop, cards: Iterable[CardChoice], lang: Lang) -> bool:
    """Warn of what the Cryptolib keeps of other cards of the same serial numbers; whether there was something."""
    cache = cryptolib_cache.folder()
    if cache is None or not cryptolib_cache.cached_serials(cache):
        return False
    today = WallClock().now().date()
    found = list(cryptolib_cache.warnings((workshop.personalised(one, today) for one in cards), cache))
    for said in found:
        err.tell(f"bifente: {said.get(lang)}")
    return bool(found)


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
        given_anew: dict[str, Any] = {}
        for change in changes:
            path, _, value = change.partition("=")
            *above, last = path.split(".")
            place = given_anew
            for part in above:
                place = place.setdefault(part, {})
                if not isinstance(place, dict):
                    raise fail(f"--card {pair}: {part} has a value already", Exit.BAD_INPUT)
            place[last] = value
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


def _serve(stood: Standing, seconds: float | None, lang: Lang, look: Callable[[], None] = lambda: None) -> None:
    """Until the time is over, a signal, an order to stop, or the death of the PC/SC service.

    ``look`` is called every now and then.
    """
    deadline = time.monotonic() + seconds if seconds is not None else None
    reading, writing = os.pipe()
    stdin = sys.stdin.fileno() if not sys.stdin.closed else None
    pending = b""

    def stop(number: int) -> None:
        os.write(writing, b"x")

    with signals(stop):
        while not stood.stopping.is_set():
            left = _TICK if deadline is None else min(_TICK, deadline - time.monotonic())
            if left <= 0:
                return
            watched = [reading] if stdin is None else [reading, stdin]
            ready, _, _ = select.select(watched, [], [], left)
            if reading in ready:
                return
            if stdin is not None and stdin in ready:
                chunk = os.read(stdin, 4096)
                if not chunk:
                    stdin = None  # closed: the orders are over, the cards stay
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    _obey(stood, line.decode(errors="replace"), lang)
            look()
            if not stood.bench.service.alive:
                raise fail("the PC/SC service has died: bifente doctor tests each link", Exit.BENCH_ERROR)


def _obey(stood: Standing, line: str, lang: Lang) -> None:
    """One order from standard input: asked in JSON it is answered in JSON, in one line; asked in words, in words."""
    if not line.strip():
        return
    orders = stood.channel.orders
    name, plain = "?", {}
    try:
        name, given = read_line(line, orders.all(), list(stood.bench.device.slots))
        plain = orders.carry_out(name, given).plain(name)
    except OrderRefusedError as error:
        plain = error.plain(name)
    if line.lstrip().startswith("{"):
        out.print(json.dumps(plain, ensure_ascii=False), markup=False, soft_wrap=True, highlight=False)
    else:
        for told in in_words(plain, lang):
            (out if plain["ok"] else err).print(told, markup=False, soft_wrap=True, highlight=False)
