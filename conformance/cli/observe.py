"""``bifente observe``: somebody else's software, recorded and judged."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, app, err, fail, out
from bifente.conformance.cli.live import (
    Asked,
    CardOption,
    HeldOption,
    LiveServiceOption,
    OutOption,
    PortOption,
    ProfileOption,
    RememberOption,
    ServicesOption,
    beside,
    check_runnable,
    signals,
    standing,
)
from bifente.conformance.cli.options import KeysOption, LangOption, chosen_lang
from bifente.conformance.cli.speaking import say
from bifente.conformance.observation.account import account, findings
from bifente.conformance.observation.channel.answers import OrderRefusedError
from bifente.conformance.observation.channel.orders import ChannelOrders
from bifente.conformance.observation.channel.words import read_words
from bifente.conformance.observation.observing import ProgramObservation, rules_of_the_record
from bifente.conformance.scenario.loader import DEFAULT_PROFILE
from bifente.ground.text import Text
from bifente.reports.verdict import Verdict
from bifente.simulator.pcsc.services import ServiceKind


@app.command(context_settings={"allow_interspersed_args": False})
def observe(
    command: Annotated[list[str], typer.Argument(help="Your program and its arguments, after --.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    card: CardOption = None,
    inject: Annotated[
        list[str] | None,
        typer.Option(
            "--inject",
            metavar="FAULT",
            help='A fault from the start, e.g. card-mute or "card-mute at=verify command=2".',
        ),
    ] = None,
    watch: Annotated[
        list[Path] | None, typer.Option("--watch", help="Folder where no code may be left; its new files are searched.")
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="End the program after so many seconds.")] = None,
    product: Annotated[
        str | None,
        typer.Option("--product", help='Name and version: "MonLogiciel 4.2".'),
    ] = None,
    services: ServicesOption = None,
    held: HeldOption = None,
    port: PortOption = 0,
    remember: RememberOption = None,
    service: LiveServiceOption = ServiceKind.OWN,
    out_dir: OutOption = None,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Run your program on virtual cards, unmodified; tell what it did, and which rules it broke.

    Its PC/SC calls, APDUs, PKCS#11 calls (a module named by path), output and exchanges at --services are recorded,
    codes masked; --out keeps the record and its reports. The program finds the services by its environment,
    BIFENTE_INSI_URL or the file BIFENTE_SERVICES; bifente ctl acts on the bench meanwhile. Exit code 0 no rule broken,
    1 some were, 2 bad input, 3 our own error.
    """
    language = chosen_lang(lang)
    check_runnable(command)
    for folder in watch or ():
        if folder.exists() and not folder.is_dir():
            raise fail(
                f"--watch {folder}: is no folder; name one, that there is or that the program makes", Exit.BAD_INPUT
            )
    asked = Asked(profile, card, remember, keys, False, None, service, out_dir, language)
    more = {**rules_of_the_record(), **beside(services, held, port)}
    with standing(asked, product=product or Path(command[0]).name, **more) as stood:
        if not stood.bench.wait_seen():
            raise fail("clients do not see the cards in time: bifente doctor names the broken link", Exit.BENCH_ERROR)
        orders = ChannelOrders(stood)
        for fault in inject or ():
            try:
                orders.carry_out(*read_words(["inject", *fault.split()], orders.all(), list(stood.bench.device.slots)))
            except OrderRefusedError as error:
                stood.withdraw()
                raise fail(
                    f"--inject {fault}: {error.why.get(language)} {error.cure}".rstrip(), Exit.BAD_INPUT
                ) from None

        def echo(text: str, stream: str) -> None:
            (sys.stdout if stream == "stdout" else sys.stderr).write(text)
            (sys.stdout if stream == "stdout" else sys.stderr).flush()

        with ProgramObservation(stood, echo=echo, watch=watch or ()) as observation:
            try:
                program = observation.start(command, environment={**os.environ, **stood.channel.environment})
            except OSError as error:
                stood.withdraw()
                raise fail(f"{command[0]}: cannot be run: {error.strerror}", Exit.BAD_INPUT) from None
            with signals(program.signal):
                program.wait(timeout)
            observation.close()
            observed = observation.observed()
        ended = stood.services.ended()
        heading = Text("— Votre programme —", "— Your program —").get(language)
        out.print(f"\n{heading}", markup=False, style="bold")
        for line in account(observed.story, language):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
        out.print("", markup=False)
        for line in findings(observed.verdicts, language):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
        for line in ended:
            out.print(line, markup=False, highlight=False, soft_wrap=True)
        defects = stood.bench.service.defects
        for defect in defects:
            err.print(f"bifente: {say(f'bench error in slot {defect.slot}: {defect.error}')}", markup=False)
    if defects:
        raise typer.Exit(Exit.BENCH_ERROR)
    if any(one.verdict is Verdict.FAILED for one in observed.verdicts):
        raise typer.Exit(Exit.FAILED)
