"""``bifente serve --services``: teleservices found by the descriptors of domains, and the configuration they print."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.serving import ServingDesk, Told
from bifente.conformance.cli.app import Exit, err, fail, out
from bifente.conformance.cli.formats import ALL, chosen_formats
from bifente.conformance.cli.live import signals
from bifente.conformance.domain import referred, services
from bifente.conformance.loading import nearest
from bifente.conformance.run.live_record import LiveRecord, run_id
from bifente.ground.clock import WallClock
from bifente.ground.text import Lang
from bifente.simulator.serving.recording import Passed

LIST = "list"
CONFIGURATION = "configuration.json"
_TICK = 0.5


def serve_teleservices(
    wanted: str,
    port: int,
    seconds: float | None,
    folder: Path | None,
    record_dir: Path | None,
    keys: Path | None,
    lang: Lang,
) -> None:
    """Serve them until interrupted, or for so many seconds. Raise typer.Exit."""
    known = services()
    if wanted == LIST:
        for name, (domain, _reference) in sorted(known.items()):
            out.print(f"{name:<12} {domain.title.get(lang)}", markup=False)
        return
    names = _chosen(wanted, sorted(known))
    workshop, clock = Workshop.default(keys), WallClock()
    with ExitStack() as stack:
        record = None
        if record_dir is not None:
            command = ("bifente", *sys.argv[1:])
            record = LiveRecord(
                record_dir,
                clock=clock,
                command=command,
                profile="services",
                cards={},
                workshop=workshop,
                run_id=run_id(clock),
                lang=lang,
            )
            stack.callback(_finish, record, lang)
        where = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bifente-serve-")))
        desk = ServingDesk(
            stack,
            where,
            workshop,
            clock,
            record.declare if record is not None else _to_nobody,
            record.message if record is not None else _unheard,
            port,
        )
        told: dict[str, Told] = {}
        from bifente.simulator.serving.loopback import ServingError

        try:
            for name in names:
                domain, reference = known[name]
                told[name] = referred(domain, reference)(desk)
        except ServingError as error:
            raise fail(str(error), Exit.BENCH_ERROR) from None
        _print(told)
        path = desk.file(CONFIGURATION, (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode())
        err.print(f"{path}", markup=False)
        err.print("Ctrl-C stops", markup=False)
        _wait(desk, seconds)


def _chosen(wanted: str, known: list[str]) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    for name in names:
        if name not in known:
            raise fail(f"--services: {name!r} is no service; {nearest(name, known)}", Exit.BAD_INPUT)
    if not names:
        raise fail(f"--services: name some of {', '.join(known)}", Exit.BAD_INPUT)
    return names


def _print(told: dict[str, Told]) -> None:
    width = max((len(f"{name}.{key}") for name, values in told.items() for key in values), default=0)
    for name, values in told.items():
        for key, value in values.items():
            out.print(f"{f'{name}.{key}':<{width}}  {value}", markup=False, soft_wrap=True)


def _wait(desk: ServingDesk, seconds: float | None) -> None:
    stopped = threading.Event()
    deadline = time.monotonic() + seconds if seconds is not None else None
    with signals(lambda _number: stopped.set()):
        while not stopped.wait(_TICK if deadline is None else max(0.0, min(_TICK, deadline - time.monotonic()))):
            if deadline is not None and time.monotonic() >= deadline:
                return
            if desk.dead():
                raise fail("a service has stopped by itself: start it again", Exit.BENCH_ERROR)


def _finish(record: LiveRecord, lang: Lang) -> None:
    record.close()
    for path in record.render(chosen_formats(ALL), lang):
        err.print(f"{path}", markup=False)


def _to_nobody(secret: str | bytes) -> None:
    """Hear a secret and tell nobody."""


def _unheard(passed: Passed) -> None:
    """Hear what passed and keep nothing."""
