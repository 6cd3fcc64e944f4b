"""The software of one scenario: its program, what it did so far, and the window that is looked at."""

from __future__ import annotations

import os
import secrets
import select
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from msgspec.structs import replace

from bifente.conformance.bench.live_services import LiveServices
from bifente.conformance.bench.scene import Scene
from bifente.conformance.observation import facts
from bifente.conformance.observation.driver import CODES, Driven, DriverProtocol
from bifente.conformance.observation.pictures import keep, of_driver
from bifente.conformance.observation.program import Program
from bifente.conformance.observation.scenarios.section import SoftwareSection
from bifente.conformance.observation.secrecy import SecretSearch, in_arguments, in_message
from bifente.conformance.observation.standing import MARK
from bifente.conformance.observation.story import Story
from bifente.conformance.run.scribe.calls import ClientCalls, age_of
from bifente.conformance.run.scribe.process import Lines
from bifente.conformance.run.telling import event_of
from bifente.conformance.targets.base import ImpossibleStepError
from bifente.conformance.targets.facets import WatchedClients
from bifente.conformance.targets.messages import Messaged, messaged
from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.text import Text
from bifente.reports.events import BenchChange, Call, Direction, Event, Exchange, Message
from bifente.reports.secrets import Secrets
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.serving.recording import Passed


class SoftwareUnderTest:
    """Made when a step first asks for it; what it does is told to the scene, and kept as one story."""

    def __init__(self, section: SoftwareSection, scene: Scene, watched: WatchedClients) -> None:
        self.section = section
        self._scene = scene
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            watched.watch(theirs)
        self._watched = watched
        self._lines = Lines(ours)
        codes = [str(value) for card in scene.bench.seated.values() for value in _codes(card.facts)]
        self._secrets = Secrets(secrets=[code for code in codes if len(code) >= 4])
        self.search = SecretSearch([code for code in codes if code.isdigit()], self._secrets)
        self._calls = ClientCalls(self._secrets, os.getpid())
        self._calls.roles = {name: role for role, name in scene.bench.names.items()}
        self._events: list[Event] = []
        self._taking = threading.RLock()
        """Its output and the services tell from threads of their own."""
        self.mark = 0
        """Where the window begins: at the last thing that the user or the world was told to do."""
        self.program: Program | None = None
        self._driver: DriverProtocol | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="bifente-software-")
        self._token = f"{MARK}={secrets.token_hex(12)}"
        self._services = LiveServices(
            section.services,
            clock=scene.bench.clock,
            keys=scene.bench.workshop.keys,
            declare=self._declare,
            hear=self._passed,
            said=scene.sections,
        )
        scene.served = self._services.services

    @classmethod
    def of(cls, scene: Scene) -> Self:
        """Return the software of a scene. Raise ImpossibleStepError where the suite names none."""
        section = scene.section(SoftwareSection)
        if section is None:
            raise ImpossibleStepError(
                Text(
                    "la suite ne dit pas quel logiciel : bench.software", "the suite names no software: bench.software"
                )
            )
        return cls(section, scene, scene.bench.facet(WatchedClients))

    # -- the program --------------------------------------------------------------------------------------------------

    def start(self, arguments: Sequence[str]) -> Driven | None:
        """Start it; a driver is asked to start its program. Raise ImpossibleStepError, DriverError."""
        self.settle()
        self.open_window()
        word, *rest = self.section.command
        command = [sys.executable if word == "python" else word, *rest, *arguments]
        if shutil.which(command[0]) is None:
            raise ImpossibleStepError(Text(f"le programme {word} n'est pas ici", f"the program {word} is not here"))
        name, _equals, value = self._token.partition("=")
        environment = {**os.environ, **self.section.environment, **self._watched.environment}
        environment |= {**self._services.environment, name: value}
        for found in in_arguments(command, self.search):
            self.keep(found)
        self.program = Program(
            command,
            {**environment, "TMPDIR": self._folder.name},
            told=self.keep,
            said=self._said,
            settle=self.settle,
            search=self.search,
            mark=self._token,
            piped=self.section.driver,
            pictured=lambda path: self.keep_picture(path.stem, of_driver(path)),
        )
        if not self.section.driver:
            return None
        self._driver = DriverProtocol(self.program)
        return self._driver.start()

    def do(self, action: str, given: Mapping[str, Any]) -> Driven:
        """Have its user do something. Raise ImpossibleStepError without a driver, DriverError."""
        if self._driver is None:
            raise ImpossibleStepError(_NO_DRIVER)
        self.settle()
        self.open_window()
        self.keep(facts.user_acts(action, code=bool(CODES & given.keys())))
        done = self._driver.do(action, given)
        self.settle()
        return done

    def stop(self, patience: float) -> int | None:
        """Have it end, and give its exit code; None if it had to be ended."""
        program, self.program = self.program, None
        if program is None:
            raise ImpossibleStepError(Text("le logiciel n'est pas lancé", "the software was not started"))
        self.settle()
        if self._driver is not None:
            program.ask_to_end()
            self._driver.stop()
        code = program.end(patience)
        self.settle()
        for role, card in self._scene.bench.seated.items():
            self.keep(facts.card_state(role, "end", card.state() or {}))
        return code

    def wait(self, seconds: float) -> bool:
        """Wait until it ends by itself; whether it did."""
        program = self.program
        ended = program is None or program.wait(seconds)
        self.settle()
        return ended

    def close(self) -> None:
        """The scenario is over: nothing of the program is left."""
        if self.program is not None:
            self.program.ask_to_end()
            self.program.end(0.5)
            self.program = None
        self._services.close()
        self._scene.served = ()
        self._watched.watch_no_more()
        self._lines.socket.close()
        self._folder.cleanup()

    # -- what it did --------------------------------------------------------------------------------------------------

    def open_window(self) -> None:
        """What happens from now on is what expectations look at."""
        self.mark = len(self._events)

    def settle(self) -> None:
        """Take in what the service has seen so far."""
        with self._taking:
            self._take_in()

    def _take_in(self) -> None:
        told_all = False
        while not told_all:
            told_all = self._watched.tell()
            while select.select([self._lines.socket], [], [], 0)[0]:
                lines = self._lines.more()
                if lines is None:
                    return
                for told in lines:
                    for event in self._calls.events(told):
                        self.keep(event, datetime.now(UTC) - age_of(told))

    def keep(self, event: Event, at: datetime | None = None) -> None:
        """Let an event of that moment, or of now, be part of the story, and of the record."""
        self._keep(event, at)
        if isinstance(event, Exchange) and event.client is not None and "bench" not in event.client:
            self._scene.told(
                event.slot or "",
                Exchanged(bytes.fromhex(event.command), bytes.fromhex(event.response), event.duration_us / 1_000_000),
            )
        elif isinstance(event, Call) and not (event.client or "").startswith("bench"):
            arguments = {"client": event.client, **event.arguments} if event.client else dict(event.arguments)
            self._scene.told(
                event.slot or "",
                Called(event.function, arguments, event.result, dict(event.answer), event.duration_us / 1_000_000),
            )
        elif isinstance(event, BenchChange):
            self._scene.changed(event.slot, event.what)

    def _keep(self, event: Event, at: datetime | None = None) -> None:
        moment = (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._taking:
            self._events.append(replace(event, seq=len(self._events), time=moment))

    def keep_picture(self, name: str, png: bytes) -> None:
        """Keep a picture with the record, if there is one. Raise PictureError."""
        if (evidence := self._scene.bench.evidence) is not None:
            self._scene.told("", keep(evidence, name, png))

    def screen(self) -> Driven:
        """Ask the driver what the program shows. Raise ImpossibleStepError without one, DriverError."""
        if self._driver is None:
            raise ImpossibleStepError(_NO_DRIVER)
        return self._driver.shown()

    def _declare(self, secret: str | bytes) -> None:
        self._secrets.declare(secret)
        self._scene.declare(secret)

    def _passed(self, passed: Passed) -> None:
        """What the software said to a service, or was answered."""
        self.settle()
        for found in in_message(passed, self.search):
            self.keep(found)
        told = messaged(passed)
        self._scene.told("", told)
        self._keep(event_of(told, self._secrets))

    def _said(self, what: Messaged) -> None:
        self._scene.told("", what)
        body = self.search.masked(what.body.decode("utf-8", "replace"))
        self._keep(
            Message(protocol=what.protocol, peer=what.peer, direction=Direction.RECEIVED, line=what.line, body=body)
        )

    def window(self, *, whole: bool) -> Sequence[Event]:
        """Return what happened in the window, or since the beginning."""
        self.settle()
        return self._events[0 if whole else self.mark :]

    def story(self) -> Story:
        """Return the whole so far."""
        self.settle()
        return Story(self._events)


_NO_DRIVER = Text(
    "aucun pilote ne joue l'utilisateur : driver: true sous bench.software, et un pilote pour command "
    "(docs/observing.md) ; sans lui, les arguments de start-software disent au logiciel ce qu'il fait",
    "no driver plays the user: driver: true under bench.software, and a driver as command (docs/observing.md); "
    "without one the arguments of start-software tell the software what to do",
)


def _codes(known: Mapping[str, Any]) -> Sequence[Any]:
    return [known[key] for key in ("code", "unblocking_code", "unblocking-code") if known.get(key)]
