"""``bifente serve --services``: teleservices on ports of this machine, for a software of anybody's."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live_services import LiveServices, named, said_in
from bifente.conformance.cli.app import Exit, err, fail, out
from bifente.conformance.cli.formats import ALL, chosen_formats
from bifente.conformance.cli.live import STOPS, signals
from bifente.conformance.loading import InputError
from bifente.conformance.observation.channel.server import ChannelServer
from bifente.conformance.observation.channel.serving import ServedOrders
from bifente.conformance.observation.client_logs import logged_secrets
from bifente.conformance.run.live_record import LiveRecord, run_id
from bifente.ground.clock import WallClock
from bifente.ground.text import Lang
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.serving.loopback import ServingError
from bifente.simulator.serving.service import Declare, to_nobody

_TICK = 0.5


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
    names = named(wanted)
    for path in logs:
        if not path.exists():
            raise InputError.at(
                "--client-logs", f"there is no file and no folder {path}", cure="name a file or a folder that exists"
            )
    store, clock = KeyStore(keys), WallClock()
    born: set[str] = set()
    record = _record(record_dir, clock, keys, lang) if record_dir is not None else None
    with ExitStack() as stack:
        if record is not None:
            stack.callback(_finish, record, lang)
        declare = _both(record.declare if record is not None else to_nobody, born)
        try:
            live = LiveServices(
                names,
                clock=clock,
                keys=store,
                declare=declare,
                hear=record.message if record is not None else lambda passed: None,
                folder=folder,
                port=port,
                said=said_in(bench),
            )
        except ServingError as error:
            raise fail(str(error), Exit.BENCH_ERROR) from None
        stack.enter_context(live)
        for name, settings in live.settings.items():
            width = max(map(len, settings), default=0)
            for label, value in settings.items():
                out.print(f"{name} {label:<{width}} {value}", markup=False, soft_wrap=True)
        stopping = threading.Event()
        orders = ServedOrders(live.services, stopping, declare)
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
        err.print(STOPS.get(lang), markup=False)
        _wait(seconds, stopping)
        for line in live.ended():
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
