"""The program under observation: started as it is, its output heard and masked, its end told."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from bifente.conformance.observation import facts
from bifente.conformance.observation.facts import CodePlace
from bifente.conformance.observation.secrecy import SecretSearch
from bifente.conformance.run.scribe.process import marked
from bifente.conformance.targets.messages import Messaged
from bifente.ground.text import Text
from bifente.reports.events import Event

Echo = Callable[[str, str], None]
"""Is given what the program printed, masked, and the name of the stream."""

_CHUNK = 1 << 16
_PROMPT = 0.05
"""Seconds after which a line that has not ended is shown: it may be a question to the user."""
_LONGEST = 8192


class Program:
    """A program that runs. Its own end, and that of what it started, is seen to by ``end``."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        told: Callable[[Event], None],
        said: Callable[[Messaged], None],
        settle: Callable[[], None],
        search: SecretSearch,
        mark: str,
        echo: Echo | None = None,
        piped: bool = False,
        folder: Path | None = None,
        pictured: Callable[[Path], None] = lambda path: None,
    ) -> None:
        """Start it. Raises OSError.

        ``settle`` waits until what it did so far is recorded: what it prints comes after. ``piped``: its standard input
        and output are the caller's, as a driver's are; else the output is heard line by line.
        """
        self.name = Path(command[0]).name
        self._told, self._said, self._settle = told, said, settle
        self._search, self._echo, self._mark = search, echo, mark
        self.pictured = pictured
        """Is told of a picture that its driver made."""
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.PIPE if piped else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
        )
        self._asked = False
        told(facts.started(self.name, self.pid))
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        assert self._process.stderr is not None  # noqa: S101 - a pipe
        streams = {"stderr": self._process.stderr}
        if not piped:
            streams["stdout"] = self._process.stdout
        self._hearing = threading.Thread(target=self._hear, args=(streams,), name="program", daemon=True)
        self._hearing.start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        """Its standard input, of a program that is piped."""
        assert self._process.stdin is not None  # noqa: S101 - asked for
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """Its standard output, of a program that is piped."""
        assert self._process.stdout is not None  # noqa: S101 - asked for
        return self._process.stdout

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send it a signal that the user sent us."""
        self._asked = True
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def ask_to_end(self) -> None:
        """It is told to end, by whatever means: how it ends is its own affair from now on."""
        self._asked = True

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end; whether it came."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self, patience: float = 5.0) -> int | None:
        """See to its end, and give its exit code: negative for a signal, None if it had to be ended.

        One that nobody has asked yet is asked by SIGTERM. What it started and left is ended too.
        """
        if not self._asked and not self.wait(0):
            self.signal(signal.SIGTERM)
        in_time = self.wait(patience)
        if not in_time:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            if not self.wait(1.0):
                self._process.kill()
                self._process.wait()
        for pid in marked([self._mark]):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self._hearing.join(2.0)
        code = self._process.returncode
        name = signal.Signals(-code).name if code < 0 else ""
        asked = self._asked
        self._told(
            facts.ended(self.pid, None if not in_time else code, name if in_time else "", told=asked, in_time=in_time)
        )
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        return code if in_time else None

    def _hear(self, streams: Mapping[str, IO[bytes]]) -> None:
        rest = dict.fromkeys(streams, b"")
        with selectors.DefaultSelector() as selector:
            for name, stream in streams.items():
                selector.register(stream, selectors.EVENT_READ, name)
            while selector.get_map():
                ready = selector.select(_PROMPT)
                for key, _mask in ready:
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    *lines, rest[key.data] = (rest[key.data] + chunk).splitlines(keepends=True) or [b""]
                    if rest[key.data].endswith(b"\n") or not chunk:
                        lines.append(rest[key.data])
                        rest[key.data] = b""
                    self._printed(key.data, b"".join(lines))
                if not ready:
                    for name, begun in rest.items():
                        self._printed(name, begun)
                        rest[name] = b""

    def _printed(self, stream: str, what: bytes) -> None:
        for at in range(0, len(what), _LONGEST):
            self.heard(stream, what[at : at + _LONGEST])

    def heard(self, stream: str, what: bytes) -> None:
        """Keep what the program printed, masked, and show it."""
        text = what.decode("utf-8", "replace")
        if not text:
            return
        self._settle()
        if self._search.finds(what):
            self._told(facts.code_found(CodePlace.OUTPUT, stream, self.pid))
        said = Text(f"le programme écrit ({stream})", f"the program prints ({stream})")
        self._said(Messaged("output", self.name, sent=False, line=stream, body=what, text=said))
        if self._echo is not None:
            self._echo(self._search.masked(text), stream)
