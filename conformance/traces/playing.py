"""A trace played to software: a virtual reader whose card answers from the trace."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bifente.conformance.traces.played_card import Played, PlayedCard
from bifente.conformance.traces.trace import Trace
from bifente.ground.clock import WallClock
from bifente.ground.processes import end_with_starter
from bifente.simulator.pcsc.own.client import WireClient
from bifente.simulator.pcsc.services import RunningService, ServiceKind, start_service
from bifente.simulator.readers import Reader

READER = "Bifente Replay"
_SEEN_WITHIN, _LOOK = 3.0, 0.02


@dataclass(frozen=True, slots=True)
class PlayedProgram:
    """How the software ended, and what it asked of the card."""

    code: int
    played: Played


def play(
    trace: Trace,
    atr: bytes,
    command: Sequence[str],
    *,
    service: ServiceKind = ServiceKind.OWN,
    clock: WallClock | None = None,
    while_running: Callable[[Callable[[int], None]], AbstractContextManager[Any]] | None = None,
) -> PlayedProgram:
    """Run a program on a card that answers from the trace. Raise OSError where it cannot be run, PcscdError.

    ``while_running`` is given what passes a signal on, for as long as the program lives.
    """
    clock = clock or WallClock()
    card = PlayedCard(trace, atr)
    reader = Reader.of(READER, (f"{READER} 00 00",), clock)
    reader.slots[0].insert(card)
    running = start_service(service, [reader])
    try:
        _wait_seen(running, clock)
        # Before the program looks, the service itself may have asked for nothing but the ATR.
        process = subprocess.Popen(command, env={**os.environ, **running.environment}, preexec_fn=end_with_starter)
        if while_running is None:
            code = process.wait()
        else:
            with while_running(process.send_signal):
                code = process.wait()
        return PlayedProgram(code, card.played)
    finally:
        running.close()


def _wait_seen(running: RunningService, clock: WallClock) -> None:
    path = Path(running.environment["PCSCLITE_CSOCK_NAME"])
    deadline = clock.monotonic() + _SEEN_WITHIN
    client = WireClient(path)
    try:
        while clock.monotonic() < deadline and not any(one.atr for one in client.readers().values()):
            clock.wait(_LOOK)
    finally:
        client.close()
