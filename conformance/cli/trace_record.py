"""``bifente trace record`` and ``mail``: what a customer runs, and the mail that asks for it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, err, fail, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.cli.trace_common import MaskOption, check_new, trace
from bifente.conformance.cli.trace_show import account
from bifente.conformance.traces.asking import CustomerSystem, asking_mail
from bifente.conformance.traces.keeping import TraceWriter, import_trace
from bifente.conformance.traces.proxy import PcscProxy
from bifente.ground.clock import WallClock
from bifente.ground.processes import end_with_starter
from bifente.ground.text import Lang


@trace.command()
def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to keep, masked.")],
    command: Annotated[
        list[str] | None, typer.Argument(help="The software, after --; without it, until Ctrl-C.")
    ] = None,
    mask: MaskOption = None,
    service: Annotated[
        Path | None, typer.Option(help="Socket of the PC/SC service (default: the one programs use).")
    ] = None,
    lang: LangOption = None,
) -> None:
    """Record what a software and the cards say to each other, on real readers or virtual ones, masked as it comes.

    The software is not changed: it reaches its PC/SC service through a socket that passes everything on. Its exit
    code is ours.
    """
    language = chosen_lang(lang)
    check_new(file)
    clock = WallClock()
    half = file.with_name(f".{file.name}.recording")
    half.unlink(missing_ok=True)
    with TraceWriter(half, "record", clock=clock, lang=language, names=mask or (), live=True) as writer:
        try:
            proxy = PcscProxy(writer.see, clock=clock, service=service)
        except OSError as error:
            half.unlink(missing_ok=True)
            cure = (
                "aucun service PC/SC ne répond ; le démarrer (systemctl start pcscd.socket), ou donner --service"
                if language == "fr"
                else "no PC/SC service answers; start it (systemctl start pcscd.socket), or give --service"
            )
            raise fail(f"{cure} [{error.strerror}]", Exit.BAD_INPUT) from None
        with proxy:
            code = _run(command, proxy) if command else _until_told(proxy, language)
    try:
        _keep(half, file, writer, language, mask or ())
    finally:
        half.unlink(missing_ok=True)
    raise typer.Exit(code)


def _run(command: list[str], proxy: PcscProxy) -> int:
    from bifente.conformance.cli.live import signals

    try:
        process = subprocess.Popen(command, env={**os.environ, **proxy.environment}, preexec_fn=end_with_starter)
    except OSError as error:
        raise fail(f"{command[0]}: cannot be run: {error.strerror}", Exit.BAD_INPUT) from None
    with signals(process.send_signal):
        code = process.wait()
    return code if code >= 0 else 128 - code


def _until_told(proxy: PcscProxy, lang: Lang) -> int:
    from bifente.conformance.cli.live import signals

    for name, value in proxy.environment.items():
        out.print(f"export {name}={shlex.quote(value)}", markup=False)
    sys.stdout.flush()
    err.tell(
        "ouvrir le logiciel dans ce terminal-là, refaire la panne, puis Ctrl-C ici"
        if lang == "fr"
        else "open the software where that is set, make the fault happen again, then Ctrl-C here"
    )
    told = threading.Event()
    with signals(lambda number: told.set()):
        told.wait()
    return 0


def _keep(half: Path, file: Path, writer: TraceWriter, lang: Lang, names: Sequence[str]) -> None:
    """Keep what was recorded, once it is known to hold nothing that was masked."""
    kept = writer.kept
    if not kept.exchanges:
        err.tell(
            "aucun échange : le logiciel n'a pas parlé à une carte par PC/SC, ou pas par ce service ; rien n'est gardé"
            if lang == "fr"
            else "no exchange: the software spoke to no card through PC/SC, or not through this service; nothing kept"
        )
        return
    # What was learnt late is looked for in what was written before.
    again = import_trace(
        half,
        file,
        clock=WallClock(),
        lang=lang,
        names=(*names, *writer.hiding.names),
        codes=writer.secrets.declared,
    )
    again.codes, again.names = kept.codes, kept.names
    for said in account(again, lang):
        err.tell(said)
    err.tell(f"{file}")


@trace.command()
def mail(
    software: Annotated[str, typer.Option(help="The customer's software, as they call it.")],
    act: Annotated[str, typer.Option(help="What they do when it fails, in their words.")],
    system: Annotated[CustomerSystem, typer.Option(help="What their workstation runs.")],
    command: Annotated[str | None, typer.Option(help="How the software is started from a terminal.")] = None,
    lang: LangOption = None,
) -> None:
    """Print the mail that asks a customer for a trace, subject first, in plain French (or English)."""
    language = chosen_lang(lang)
    start = command or ("LOGICIEL" if language == "fr" else "SOFTWARE")
    made = asking_mail(system, language, software=software, act=act, command=start)
    out.print(f"{'Objet' if language == 'fr' else 'Subject'} : {made.subject}\n", markup=False)
    out.print(made.body, markup=False, end="")
