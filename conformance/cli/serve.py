"""``bifente serve``: the reading service of a wireless terminal, or teleservices, over HTTPS on this machine."""

from __future__ import annotations

import os
import random
import shlex
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device
from bifente.conformance.bench.profiles import load_profile
from bifente.conformance.cli.app import Exit, app, err, fail, out
from bifente.conformance.cli.formats import ALL, chosen_formats
from bifente.conformance.cli.live import STOPS, CardOption, chosen_cards, signals
from bifente.conformance.cli.options import KeysOption, LangOption, chosen_lang
from bifente.conformance.domains.wireless.profile import WirelessProfile
from bifente.conformance.loading import InputError
from bifente.conformance.run.live_record import LiveRecord, run_id, withdrawn_unless_stood
from bifente.ground.clock import WallClock
from bifente.ground.temporary import HeldFolder
from bifente.ground.text import Lang
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.readers.wireless import TokenRefusedError
from bifente.simulator.serving.service import to_nobody

if TYPE_CHECKING:
    from bifente.conformance.domains.wireless.bench import WirelessBench

WIRELESS_PROFILE = "readers/olaqin-like-wireless"
DEFAULT_CARDS = ("cps=medecin-generaliste", "vitale=vitale/famille-trois")
_TICK = 0.5
_RENEWED_WITH = 1 / 3
"""A token is renewed once less than this share of its life is left."""


@app.command()
def serve(
    services: Annotated[
        str | None, typer.Option("--services", help="Teleservices instead, joined by commas: psc ...")
    ] = None,
    held: Annotated[
        Path | None, typer.Option("--bench", help="YAML of what they hold, as under bench in a suite (psc: ...).")
    ] = None,
    profile: Annotated[str, typer.Option("--profile", help="Wireless reader profile.")] = WIRELESS_PROFILE,
    card: CardOption = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    seconds: Annotated[float | None, typer.Option("--for", help="Stop by itself after so many seconds.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder for the CA file and the headers (default: a temporary one).")
    ] = None,
    record_dir: Annotated[
        Path | None,
        typer.Option("--record", help="Directory for a record of what passes and its reports, secrets masked."),
    ] = None,
    logs: Annotated[
        list[Path] | None,
        typer.Option(
            "--client-logs", help="Log file or folder of the software: tokens are looked for in it at the end."
        ),
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew/--let-lapse", help="Renew the session's token in time, or let it lapse.")
    ] = True,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """The CloudFSV-like reading service over HTTPS on loopback, until interrupted. Tokens and pairing are modelled.

    With --services the teleservices of that name instead, and what a software must be configured with.
    """
    # What is printed and written is read elsewhere: by a software, in another terminal.
    folder = folder.absolute() if folder is not None else None
    if services is not None:
        from bifente.conformance.cli.services import serve_services

        serve_services(
            services,
            bench=held,
            port=port,
            seconds=seconds,
            folder=folder,
            record_dir=record_dir,
            keys=keys,
            logs=logs or (),
            lang=chosen_lang(lang),
        )
        return
    if logs:
        raise fail("--client-logs goes with --services", Exit.BAD_INPUT)
    if held is not None:
        raise fail("--bench goes with --services", Exit.BAD_INPUT)
    # Here, not above: a web server is a tenth of a second that no other command should spend.
    from bifente.conformance.domains.wireless.bench import WirelessBench
    from bifente.simulator.readers import PcscService
    from bifente.simulator.serving.loopback import LoopbackServer, ServingError
    from bifente.simulator.serving.tls import ServerIdentity

    model, _document = load_profile(profile)
    section = model.section(WirelessProfile)
    if section is None:
        raise InputError.at(profile, "is no wireless reader", cure=f"for one: --profile {WIRELESS_PROFILE}")
    workshop, cards = Workshop.default(keys), chosen_cards(card or list(DEFAULT_CARDS))
    device = Device.assemble(profile, cards, workshop)
    store, clock, chance = KeyStore(keys), WallClock(), random.SystemRandom()
    access = PcscService([device.reader], clock).establish()
    record = None
    if record_dir is not None:
        record = LiveRecord(
            record_dir,
            clock=clock,
            command=("bifente", *sys.argv[1:]),
            profile=profile,
            cards=cards,
            workshop=workshop,
            run_id=run_id(clock),
            lang=chosen_lang(lang),
        )
        record.watch(device)
    with ExitStack() as stack:
        if record is not None:
            stack.callback(_finish, record, chosen_lang(lang))
        with withdrawn_unless_stood(record):
            wireless = WirelessBench(
                section,
                device.slots,
                access,
                clock,
                chance,
                store,
                declare=record.declare if record is not None else to_nobody,
                hear=record.message if record is not None else None,
            )
            identity = ServerIdentity.make(Pki(store), store, clock.now())
            where = folder or Path(stack.enter_context(HeldFolder("bifente-serve-")))
            try:
                server = stack.enter_context(LoopbackServer(wireless.application, identity.context(), port))
            except ServingError as error:
                raise fail(str(error), Exit.BENCH_ERROR) from None
            _write(where, "ca.pem", identity.trust)
            _write_headers(where, wireless)
        code = device.cards["cps"].facts["code"] if "cps" in device.cards else None
        for line in _told(f"{server.url}/fsv/{wireless.service.version}/", where, wireless.terminal.id, code):
            out.print(line, markup=False)
        err.print(STOPS.get(chosen_lang(lang)), markup=False)
        stopped = threading.Event()
        deadline = time.monotonic() + seconds if seconds is not None else None
        with signals(lambda _number: stopped.set()):
            while not stopped.wait(_TICK if deadline is None else max(0.0, min(_TICK, deadline - time.monotonic()))):
                if deadline is not None and time.monotonic() >= deadline:
                    return
                if not server.alive:
                    raise fail("the HTTPS service has stopped by itself: start it again", Exit.BENCH_ERROR)
                if renew and wireless.terminal.remaining < wireless.terminal.parameters.ttl * _RENEWED_WITH:
                    _renew(wireless)
                    _write_headers(where, wireless)


def _finish(record: LiveRecord, lang: Lang) -> None:
    record.close()
    for path in record.render(chosen_formats(ALL), lang):
        err.print(f"{path}", markup=False)


def _renew(bench: WirelessBench) -> None:
    """Renew, or authenticate anew where the session is over; a terminal that refuses both is left as it is."""
    for act in (bench.renew, bench.open_session):
        try:
            act()
        except TokenRefusedError:
            continue
        return


def _told(base: str, where: Path, terminal: str, code: str | None) -> list[str]:
    curl = f"curl -sS --cacert {shlex.quote(str(where / 'ca.pem'))} -H @{shlex.quote(str(where / 'headers'))}"
    lines = [
        f"url       {base}",
        f"ca        {where / 'ca.pem'}",
        f"headers   {where / 'headers'}",
        f"terminal  {terminal}",
        f"{curl} '{base}ssv/LireConfig?terminalId={terminal}'",
    ]
    if code is not None:
        body = f'{{"codePorteur":"{code}"}}'
        lines.append(f"{curl} --data '{body}' '{base}ssv/LireDroitsVitale?terminalId={terminal}'")
    return lines


def _write_headers(where: Path, bench: WirelessBench) -> None:
    lines = (
        f"Authorization: Bearer {bench.bearer()}",
        f"accessHealthcareToken: {bench.token}",
        "accept: application/json; charset=UTF-8",
        "Content-Type: application/json",
    )
    _write(where, "headers", "".join(f"{line}\n" for line in lines).encode())


def _write(where: Path, name: str, content: bytes) -> None:
    """A file for this user alone, whole at any moment. Raises OSError."""
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=where, prefix=f".{name}-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(temporary).replace(where / name)
