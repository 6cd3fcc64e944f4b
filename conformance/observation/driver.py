"""The driver protocol: an editor's own automation plays the user at his program, one JSON line a request and an answer.

Requests, on the driver's standard input: ``{"version": 1, "request": "start"}``, ``{"request": "do", "action": NAME,
"with": {...}}``, ``{"request": "screen"}``, ``{"request": "stop"}``. Each is answered by one line on its standard
output: ``{"ok": true, ...}``, with ``error`` where it is not ok and ``screen``, a list of lines, where something is
shown; ``image`` is the path of a PNG that the driver made, kept with the evidence. What the driver prints on its error
stream is output of the program.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bifente.conformance.observation.observing import ProgramObservation
from bifente.conformance.observation.pictures import PictureError
from bifente.conformance.observation.program import Program

VERSION = 1
CODES = frozenset({"code", "pin", "unblocking-code"})
"""Arguments of an action that are codes the user types."""

_PATIENCE = 60.0
_LONGEST = 1 << 20


class DriverError(Exception):
    """The driver does not keep to the protocol, or its program has gone."""


@dataclass(frozen=True, slots=True)
class Driven:
    """What the driver answered: whether the action was done, why not, and what the screen showed."""

    ok: bool
    error: str
    screen: Sequence[str]
    told: Mapping[str, Any]


class DriverProtocol:
    """Speaks to a driver that runs. Every method raises DriverError."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._rest = b""

    def start(self) -> Driven:
        """Have the program started."""
        return self._ask({"version": VERSION, "request": "start"})

    def do(self, action: str, given: Mapping[str, Any]) -> Driven:
        """Have the user do something at the program."""
        return self._ask({"request": "do", "action": action, **({"with": dict(given)} if given else {})})

    def shown(self) -> Driven:
        """Return what the program shows."""
        return self._ask({"request": "screen"})

    def screen(self) -> Sequence[str]:
        """Return the lines that the program shows."""
        return self.shown().screen

    def stop(self) -> None:
        """Have the program end. How it does, or that it has gone already, is for the rules to judge."""
        with suppress(DriverError):
            self._send({"request": "stop"})

    def _ask(self, request: Mapping[str, Any]) -> Driven:
        self._send(request)
        told = self._receive()
        screen = told.get("screen", [])
        if not isinstance(told.get("ok"), bool) or not isinstance(screen, list):
            raise DriverError("the driver's answer has no ok, or a screen that is no list")
        lines = [str(line) for line in screen]
        if lines:
            self.program.heard("screen", "".join(f"{line}\n" for line in lines).encode())
        if isinstance(image := told.get("image"), str):
            try:
                self.program.pictured(Path(image))
            except PictureError as error:
                raise DriverError(f"the driver's picture: {error}") from None
        return Driven(told["ok"], str(told.get("error", "")), lines, told)

    def _send(self, request: Mapping[str, Any]) -> None:
        try:
            self.program.stdin.write(json.dumps(request).encode() + b"\n")
            self.program.stdin.flush()
        except OSError:
            raise DriverError("the driver has gone") from None

    def _receive(self) -> Mapping[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0:
                raise DriverError(f"the driver did not answer within {_PATIENCE:.0f} s")
            if not select.select([self.program.stdout], [], [], left)[0]:
                continue
            chunk = os.read(self.program.stdout.fileno(), 1 << 16)
            if not chunk or len(self._rest) > _LONGEST:
                raise DriverError("the driver has gone" if not chunk else "the driver's answer is too long")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise DriverError("the driver's answer is no JSON object on one line")
        return told


class Driver:
    """A program that is observed, and its driver. Every method raises DriverError."""

    def __init__(self, observation: ProgramObservation, command: Sequence[str]) -> None:
        self._observation = observation
        self.program: Program = observation.start(command, piped=True)
        self._protocol = DriverProtocol(self.program)

    def start(self) -> Driven:
        """Have the program started."""
        return self._protocol.start()

    def do(self, action: str, **given: Any) -> Driven:
        """Have the user do something at the program."""
        self._observation.user_acts(action, code=bool(CODES & given.keys()))
        return self._protocol.do(action, given)

    def screen(self) -> Sequence[str]:
        """Return what the program shows."""
        return self._protocol.screen()

    def stop(self) -> None:
        """Have the program end."""
        # What it started may end with it, and the machine may be too busy to have looked since.
        self._observation.look()
        self.program.ask_to_end()
        self._protocol.stop()
