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
from bifente.conformance.observation.program import Echo, Program
from bifente.conformance.observation.secrecy import (
    SecretSearch,
    arguments_of,
    changed_since,
    in_arguments,
    in_environment,
    in_files,
    written_by,
)
from bifente.conformance.observation.spy import SpyPipe, spied, spy_module
from bifente.conformance.observation.standing import Standing
from bifente.conformance.observation.story import Story
from bifente.conformance.observation.verdicts import RuleVerdict, as_events, cited, judge, suite
from bifente.conformance.requirements import load_catalogue
from bifente.reports.events import Event

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


class Observation:
    """A context manager around a standing bench: starts programs, watches them, judges at its end (``observed``)."""

    def __init__(self, standing: Standing, *, echo: Echo | None = None, watch: Sequence[Path] = ()) -> None:
        self.standing = standing
        self._echo = echo
        self._watch = tuple(watch)
        secrets = standing.wanted.workshop.secrets(standing.wanted.cards.values())
        self.search = SecretSearch(sorted(one for one in map(str, secrets) if one.isdigit()), standing.record.secrets)
        self._began = time.time()
        self._folder = tempfile.TemporaryDirectory(prefix="bifente-observed-")
        if (scribe := standing.record.scribe) is not None:
            scribe.litter(Path(self._folder.name))
        self._temporary = Path(self._folder.name) / "tmp"
        self._temporary.mkdir(mode=0o700)
        self._written: dict[Path, None] = {}
        self._seen: set[int] = set()
        self._programs: list[Program] = []
        self._pipes: list[SpyPipe] = []
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._look_on, name="observation", daemon=True)

    def __enter__(self) -> Observation:
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
        for found in in_arguments(command, self.search):
            self._told(found)
        program = Program(
            command,
            {**own, **more},
            told=self._told,
            said=lambda what: self.standing.record.told("", what),
            search=self.search,
            mark=self.standing.mark,
            echo=self._echo,
            piped=piped,
            folder=folder,
        )
        self._programs.append(program)
        return program

    def user_acts(self, what: str) -> None:
        """Tell that the user did something at the program: a code may have been typed anew."""
        self.standing.record.settle()
        self._told(facts.user_acts(what))

    def close(self) -> None:
        """End the programs, look what they left, and let no more be told."""
        if self._over.is_set():
            return
        for program in self._programs:
            program.end()
        self._over.set()
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

    def observed(self, code: int | None = None) -> Observed:
        """Judge what was seen, and write what came of it in the record."""
        story = Story(self.standing.events())
        verdicts = judge(story)
        command = " ".join(self.standing.wanted.command)
        for verdict in verdicts:
            for event in as_events(verdict, command):
                self.standing.record.emit(event)
        return Observed(story, verdicts, code)

    def _told(self, event: Event) -> None:
        self.standing.record.emit(event)

    def _states(self, when: str) -> None:
        for role, card in self.standing.device.cards.items():
            if self.standing.device.slots[role].card is not None:
                self._told(facts.card_state(role, when, card.state() or {}))

    def _look_on(self) -> None:
        """Look at every process that is one of ours while it lives: its arguments, environment and open files."""
        known = [name for name, value in os.environ.items() if self.search.finds(value.encode())]
        while not self._over.wait(_LOOK):
            story = Story(self.standing.events())
            pids = {int(pid) for pid in story.programs if pid.isdigit()} | {one.pid for one in self._programs}
            for pid in pids - self._seen:
                self._seen.add(pid)
                started = pid in {one.pid for one in self._programs}
                for found in () if started else in_arguments(arguments_of(pid), self.search, pid):
                    self._told(found)
                for found in in_environment(pid, self.search, known):
                    self._told(found)
            for pid in pids:
                self._written |= dict.fromkeys(written_by(pid))
