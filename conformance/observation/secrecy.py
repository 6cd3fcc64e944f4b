"""Looking for codes where they have no business: in what a program prints, is given, sends and leaves behind."""

from __future__ import annotations

import os
import re
import stat
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bifente.conformance.observation.facts import CodePlace, code_found
from bifente.ground.files import read_file
from bifente.reports.events import Call
from bifente.reports.secrets import Secrets
from bifente.simulator.serving.recording import Heading, Passed

_LONGEST = 64 << 20
_TAKES_CODES = frozenset({"dmpconnect"})
"""Local services that present the code to the card in the program's place."""
_MOST_FILES = 2_000


_BETWEEN = rb"(?:[ :-]|, ?)?(?:0x)?"
"""What stands between two bytes in hexadecimal."""


class SecretSearch:
    """Finds the codes of the bench's cards, and masks what is secret.

    A code is looked for in clear, in UTF-16, as bytes in hexadecimal or in decimal, and in Base64.
    A short code counts only where it stands as a word of its own: its digits turn up in longer numbers.
    """

    def __init__(self, codes: Iterable[str], secrets: Secrets) -> None:
        self._secrets = secrets
        found = []
        for code in dict.fromkeys(codes):
            plain = re.escape(code.encode())
            wide = re.escape(code.encode("utf-16-le"))
            digits = code.encode().hex()
            spaced = _BETWEEN.join(re.escape(digits[at : at + 2].encode()) for at in range(0, len(digits), 2))
            # As programs print an array of bytes: [0, 32, 0, 1, 4, 49, 50, 51, 52].
            decimal = rb", ?".join(str(byte).encode() for byte in code.encode())
            base64 = b64encode(code.encode())
            found += [
                rb"(?<![0-9])" + decimal + rb"(?![0-9])",
                rb"(?<![0-9A-Za-z+/])" + re.escape(base64) + rb"(?![0-9A-Za-z+/=])",
                rb"(?<![0-9A-Za-z])" + plain + rb"(?![0-9A-Za-z])",
                rb"(?<![0-9A-Za-z]\0)" + wide + rb"(?![0-9A-Za-z]\0)",
                rb"(?i:" + spaced + rb")",
            ]
        self._pattern = re.compile(b"|".join(found)) if found else None

    def finds(self, what: bytes) -> bool:
        """Whether a code is in it."""
        return self._pattern is not None and self._pattern.search(what) is not None

    def masked(self, text: str) -> str:
        """Return a text as the record would have it."""
        return self._secrets.text(text)


def in_arguments(command: Sequence[str], search: SecretSearch, pid: int | None = None) -> Iterator[Call]:
    """Yield a finding for each argument that holds a code; by its place, never by its value."""
    for number, argument in enumerate(command):
        if search.finds(os.fsencode(argument)):
            before = command[number - 1] if number and command[number - 1].startswith("-") else f"argument {number}"
            yield code_found(CodePlace.ARGUMENTS, before, pid)


def in_environment(
    environment: Sequence[bytes], search: SecretSearch, pid: int, known: Iterable[str] = ()
) -> Iterator[Call]:
    """Yield a finding for each variable of a process that holds a code; those ``known`` are the user's own."""
    for variable in environment:
        name, _equals, value = variable.partition(b"=")
        if name.decode(errors="replace") not in known and search.finds(value):
            yield code_found(CodePlace.ENVIRONMENT, name.decode(errors="replace"), pid)


def in_message(passed: Passed, search: SecretSearch) -> Iterator[Call]:
    """Yield a finding for a request that holds a code: no teleservice is sent one, a local service may be."""
    if passed.direction is not Heading.RECEIVED or passed.peer in _TAKES_CODES:
        return
    told = {"url": passed.url.encode(), "body": passed.body}
    told |= {f"header {name}": value.encode() for name, value in passed.headers}
    for where, value in told.items():
        if search.finds(value):
            yield code_found(CodePlace.MESSAGE, f"{passed.peer}, {passed.method}, {where}")


class Image(NamedTuple):
    """What a process was started with. It changes when the process becomes another program (execve)."""

    arguments: tuple[str, ...]
    environment: tuple[bytes, ...]


def image_of(pid: int) -> Image | None:
    """Return what a process was started with; None if it has gone."""
    try:
        arguments, environment = ((Path("/proc") / str(pid) / name).read_bytes() for name in ("cmdline", "environ"))
    except OSError:
        return None
    said = arguments.split(b"\0")[:-1]
    return Image(tuple(part.decode(errors="replace") for part in said), tuple(environment.split(b"\0")))


def descendants(pid: int) -> Iterator[int]:
    """Yield what a process started, and what that started."""
    try:
        said = (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text(encoding="ascii")
    except OSError:
        return
    for child in map(int, said.split()):
        yield child
        yield from descendants(child)


def written_by(pid: int) -> Iterator[Path]:
    """Yield the regular files that a process has open for writing."""
    with suppress(OSError):
        for entry in (Path("/proc") / str(pid) / "fd").iterdir():
            with suppress(OSError, ValueError):
                target = entry.readlink()
                flags = (Path("/proc") / str(pid) / "fdinfo" / entry.name).read_text(encoding="ascii")
                mode = int(re.search(r"flags:\s*([0-7]+)", flags)[1], 8)  # type: ignore[index]
                if mode & os.O_ACCMODE != os.O_RDONLY and stat.S_ISREG(entry.stat().st_mode):
                    yield target


def changed_since(folder: Path, moment: float) -> Iterator[Path]:
    """Yield the files below a folder that changed since a moment, a bounded number of them, no link followed."""
    seen = 0
    for above, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", ".venv", "node_modules")]
        for name in files:
            seen += 1
            if seen > _MOST_FILES:
                return
            path = Path(above) / name
            with suppress(OSError):
                found = path.lstat()
                if stat.S_ISREG(found.st_mode) and found.st_mtime >= moment:
                    yield path


def in_files(paths: Iterable[Path], search: SecretSearch) -> Iterator[Call]:
    """Yield a finding for each file that holds a code."""
    for path in dict.fromkeys(paths):
        with suppress(OSError):
            if search.finds(read_file(path, _LONGEST)):
                yield code_found(CodePlace.FILE, str(path))
