"""One program observed from its start to its end, and judged by the rules that hold for every program."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bifente.conformance.observation import facts
from bifente.conformance.observation.pictures import of_driver
from bifente.conformance.observation.program import Echo, Program
from bifente.conformance.observation.secrecy import (
    Image,
    SecretSearch,
    changed_since,
    descendants,
    image_of,
    in_arguments,
    in_environment,
    in_files,
    in_message,
    written_by,
)
from bifente.conformance.observation.spy import SpyPipe, spied, spy_module
from bifente.conformance.observation.standing import Standing
from bifente.conformance.observation.story import Story
from bifente.conformance.observation.verdicts import RuleVerdict, as_events, cited, judge, suite
from bifente.conformance.requirements import load_catalogue
from bifente.ground.temporary import HeldFolder
from bifente.reports.events import Event
from bifente.simulator.serving.recording import Passed

_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Observed:
    """What came of an observation: the story, the rules, and the program's own exit code (None: ended by the bench)."""

    story: Story
    verdicts: Sequence[RuleVerdict]
    code: int | None


def rules_of_the_record() -> dict[str, Any]:
    """Return what the record of an observation begins with: the rules, and the requirements they cite."""
    return {"suites": [suite()], "requirements": tuple(cited()), "requirements_total": len(load_catalogue())}


class ProgramObservation:
    """A context manager around a standing bench: starts programs, watches them, judges at its end (``observed``)."""

    def __init__(
        self, standing: Standing, *, echo: Echo | None = None, watch: Sequence[Path] = (), patience: float = 5.0
    ) -> None:
        self.standing = standing
        self._echo = echo
        self._watch = tuple(watch)
        secrets = standing.wanted.workshop.secrets(standing.wanted.cards.values())
        self.search = SecretSearch(sorted(one for one in map(str, secrets) if one.isdigit()), standing.record.secrets)
        self._began = time.time()
        self._first = 0
        self._patience = patience
        self._folder = HeldFolder("bifente-observed-")
        if (scribe := standing.record.scribe) is not None:
            scribe.litter(Path(self._folder.name))
        self._temporary = Path(self._folder.name) / "tmp"
        self._temporary.mkdir(mode=0o700)
        self._written: dict[Path, None] = {}
        self._seen: set[Image] = set()
        self._open: set[int] = set()
        """Programs whose command holds a code: it is told already."""
        self._pids: set[int] = set()
        self._looked = 0
        self._looking = threading.Lock()
        self._known = [name for name, value in os.environ.items() if self.search.finds(value.encode())]
        """Variables that hold a code already when the observation begins: no program's doing."""
        self._programs: list[Program] = []
        self._pipes: list[SpyPipe] = []
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._look_on, name="observation", daemon=True)

    def __enter__(self) -> ProgramObservation:
        self._first = self._looked = len(self.standing.events())
        self.standing.heard.append(self._passed)
        self._states("start")
        self._watching.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        piped: bool = False,
        folder: Path | None = None,
    ) -> Program:
        """Start a program as it is; one that names a PKCS#11 module gets the spy in front of it. Raises OSError."""
        own = dict(os.environ if environment is None else environment)
        more = {**self.standing.environment, "TMPDIR": str(self._temporary)}
        spy = spy_module()
        if spy is not None:
            command, module = spied(command, spy)
            if module is not None:
                folder_of_pipe = Path(tempfile.mkdtemp(dir=self._folder.name))
                self._pipes.append(SpyPipe(folder_of_pipe, module, self._told))
                more |= self._pipes[-1].environment
        in_command = list(in_arguments(command, self.search))
        for found in in_command:
            self._told(found)
        program = Program(
            command,
            {**own, **more},
            told=self._told,
            said=lambda what: self.standing.record.told("", what),
            settle=self.standing.record.settle,
            search=self.search,
            mark=self.standing.mark,
            echo=self._echo,
            piped=piped,
            folder=folder,
            pictured=self._pictured,
        )
        self._programs.append(program)
        if in_command:
            self._open.add(program.pid)
        return program

    def user_acts(self, what: str, *, code: bool = False) -> None:
        """Tell that the user did something at the program; ``code``: typed one."""
        self.standing.record.settle()
        self._told(facts.user_acts(what, code=code))
        # What the program does next must stand after it.
        self.standing.record.settle()

    def close(self) -> None:
        """End the programs, look what they left, and let no more be told."""
        if self._over.is_set():
            return
        self.look()
        for program in self._programs:
            program.end(self._patience)
        self._over.set()
        self.standing.heard.remove(self._passed)
        if self._watching.is_alive():
            self._watching.join()
        for pipe in self._pipes:
            pipe.close()
        self.standing.record.settle()
        self._states("end")
        folders = [self._temporary, *self._watch]
        changed = [path for folder in folders for path in changed_since(folder, self._began - 1)]
        for found in in_files([*self._written, *changed], self.search):
            self._told(found)
        self._folder.cleanup()

    def story(self) -> Story:
        """Return what happened so far, from the beginning of this observation."""
        return Story(self.standing.events()[self._first :])

    def observed(self, code: int | None = None) -> Observed:
        """Judge what was seen, and write what came of it in the record."""
        story = self.story()
        verdicts = judge(story)
        command = " ".join(self.standing.wanted.command)
        for verdict in verdicts:
            for event in as_events(verdict, command):
                self.standing.record.emit(event)
        return Observed(story, verdicts, code)

    def _told(self, event: Event) -> None:
        self.standing.record.emit(event)

    def _pictured(self, path: Path) -> None:
        self.standing.keep_picture(path.stem, of_driver(path))

    def _passed(self, passed: Passed) -> None:
        for found in in_message(passed, self.search):
            self._told(found)

    def _states(self, when: str) -> None:
        for role, card in self.standing.device.cards.items():
            if self.standing.device.slots[role].card is not None:
                self._told(facts.card_state(role, when, card.state() or {}))

    def _look_on(self) -> None:
        """Look at every process that is one of ours while it lives: its arguments, environment and open files."""
        while not self._over.wait(_LOOK):
            self.look()

    def look(self) -> None:
        """Look at the processes that live now. What lives shorter than a moment is seen by who knows when to look."""
        with self._looking:
            # Only what connected since is looked for: telling a long story again and again would take a processor.
            events = self.standing.events()
            told = Story(events[self._looked :]).programs
            self._looked = len(events)
            self._pids |= {int(pid) for pid in told if pid.isdigit()}
            self._pids |= {pid for one in self._programs for pid in (one.pid, *descendants(one.pid))}
            for pid in self._pids:
                image = image_of(pid)
                # A process that forked and is not yet another program shows its parent's: it is looked at again.
                if image is None or image in self._seen:
                    continue
                self._seen.add(image)
                for found in () if pid in self._open else in_arguments(image.arguments, self.search, pid):
                    self._told(found)
                for found in in_environment(image.environment, self.search, pid, self._known):
                    self._told(found)
            for pid in self._pids:
                self._written |= dict.fromkeys(written_by(pid))
