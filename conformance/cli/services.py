"""``bifente serve --services``: teleservices on ports of this machine, for a software of anybody's."""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.serving import PORTS, ServingBench, services
from bifente.conformance.cli.app import Exit, err, fail, out
from bifente.conformance.cli.formats import ALL, chosen_formats
from bifente.conformance.cli.live import signals
from bifente.conformance.loading import InputError, load_document, nearest, validate
from bifente.conformance.model import BenchModel
from bifente.conformance.observation.channel.server import ChannelServer
from bifente.conformance.observation.channel.serving import ServedOrders
from bifente.conformance.observation.client_logs import logged_secrets
from bifente.conformance.run.live_record import LiveRecord, run_id
from bifente.conformance.sections import extended, sections_of_bench
from bifente.ground.clock import WallClock
from bifente.ground.text import Lang
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.serving.loopback import ServingError
from bifente.simulator.serving.service import Declare, to_nobody

_TICK = 0.5
_LAST_PORT = 65_535


def serve_services(
    wanted: str,
    *,
    bench: Path | None,
    port: int,
    seconds: float | None,
    folder: Path | None,
    record_dir: Path | None,
    keys: Path | None,
    logs: Sequence[Path] = (),
    lang: Lang,
) -> None:
    """Serve until interrupted, or for so many seconds; what is to be said of the software is told at the end."""
    known, names = services(), [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise InputError.at("--services", f"{name} is no service", cure=nearest(name, known))
    if port and port + PORTS * len(names) - 1 > _LAST_PORT:
        most = _LAST_PORT + 1 - PORTS * len(names)
        raise InputError.at("--port", f"{port}: each service has {PORTS} ports of its own", cure=f"{most} at most")
    for path in logs:
        if not path.exists():
            raise InputError.at("--client-logs", f"{path} is not there", cure="name a file or a folder that exists")
    store, clock = KeyStore(keys), WallClock()
    born: set[str] = set()
    record = _record(record_dir, clock, keys, lang) if record_dir is not None else None
    with ExitStack() as stack:
        if record is not None:
            stack.callback(_finish, record, lang)
        where = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bifente-serve-")))
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        around = ServingBench(
            clock=clock,
            keys=store,
            pki=Pki(store),
            chance=random.SystemRandom(),
            folder=where,
            stack=stack,
            declare=_both(record.declare if record is not None else to_nobody, born),
            hear=record.message if record is not None else lambda passed: None,
            port=port,
            said=_said(bench),
        )
        try:
            served = {
                name: known[name]()(replace(around, port=port + PORTS * rank if port else 0))
                for rank, name in enumerate(dict.fromkeys(names))
            }
        except ServingError as error:
            raise fail(str(error), Exit.BENCH_ERROR) from None
        for name, one in served.items():
            for label, value in one.settings.items():
                out.print(f"{name} {label:<26} {value}", markup=False, soft_wrap=True)
        stopping = threading.Event()
        orders = ServedOrders([part for one in served.values() for part in one.services], stopping, around.declare)
        private = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bifente-serve-")))
        channel = ChannelServer(orders, private)
        stack.callback(channel.close)
        for label, value in channel.environment.items():
            out.print(f"export {label}={value}", markup=False, soft_wrap=True)
        listener = threading.Thread(
            target=orders.listen,
            args=(sys.stdin, lambda line: out.print(line, markup=False, soft_wrap=True)),
            daemon=True,
        )
        listener.start()
        err.print("Ctrl-C arrête" if lang == "fr" else "Ctrl-C stops", markup=False)
        _wait(seconds, stopping)
        for one in served.values():
            for line in one.ended():
                out.print(line, markup=False, soft_wrap=True)
        for found in logged_secrets(logs, born):
            out.print(found.text.get(lang), markup=False, soft_wrap=True)


def _both(declare: Declare, born: set[str]) -> Declare:
    """Return what hears a secret for the record, and keeps it: software's logs are looked through at the end."""

    def heard(secret: str | bytes) -> None:
        if isinstance(secret, str):
            born.add(secret)
        declare(secret)

    return heard


def _said(path: Path | None) -> tuple[Any, ...]:
    """Return the sections of a file, as under ``bench`` in a suite. Raise InputError."""
    if path is None:
        return ()
    document = load_document(path)
    model = validate(extended(BenchModel, sections_of_bench), document.data, document)
    assert model is not None  # noqa: S101 - nothing was ignored
    return tuple(value for value in model.__dict__.values() if value is not None)


def _record(directory: Path, clock: WallClock, keys: Path | None, lang: Lang) -> LiveRecord:
    return LiveRecord(
        directory,
        clock=clock,
        command=("bifente", *sys.argv[1:]),
        profile="",
        cards={},
        workshop=Workshop.default(keys),
        run_id=run_id(clock),
        lang=lang,
    )


def _finish(record: LiveRecord, lang: Lang) -> None:
    record.close()
    for path in record.render(chosen_formats(ALL), lang):
        err.print(f"{path}", markup=False)


def _wait(seconds: float | None, stopped: threading.Event) -> None:
    deadline = time.monotonic() + seconds if seconds is not None else None
    stop: Callable[[int], None] = lambda _number: stopped.set()  # noqa: E731
    with signals(stop):
        while not stopped.wait(_TICK if deadline is None else max(0.0, min(_TICK, deadline - time.monotonic()))):
            if deadline is not None and time.monotonic() >= deadline:
                return
