"""PKCS#11 calls of a program that takes a module by path: OpenSC's spy module stands in front, its log read here.

The log has codes in clear: it goes through a pipe, is masked as it is read, and never touches a disk.
"""

from __future__ import annotations

import os
import re
import select
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from bifente.reports.events import Call

_PLACES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")
_NAMES = ("pkcs11-spy.so", "pkcs11/pkcs11-spy.so")
_SYMBOL = b"C_GetFunctionList"
_MODULE = 64 << 20
_HEAD = re.compile(r"^\d+: (C_\w+)")
_RETURNED = re.compile(r"^Returned:\s+\d+ (CKR_\w+|\S+)")
_SAFE = frozenset({"slotID", "hSession", "userType", "hKey", "hObject", "ulCount", "flags", "tokenPresent"})
_ARGUMENT = re.compile(r"^\[in\] (\w+) = (0x[0-9a-fA-F]+|\w+)$")


def spy_module() -> Path | None:
    """Return OpenSC's spy module, if it is installed."""
    found = (Path(place) / name for place in _PLACES for name in _NAMES)
    return next((path for path in found if path.is_file()), None)


def spied(command: Sequence[str], spy: Path) -> tuple[tuple[str, ...], Path | None]:
    """Return the command with the spy in place of the PKCS#11 module that it names, and that module.

    An argument names it alone, or after ``=``: ``--module PATH``, ``--provider=PATH``.
    """
    changed: list[str] = []
    module: Path | None = None
    for argument in command:
        before, equals, after = argument.rpartition("=")
        path = Path(after)
        if module is None and _is_module(path) and path.resolve() != spy.resolve():
            module = path
            changed.append(f"{before}{equals}{spy}")
        else:
            changed.append(argument)
    return tuple(changed), module


def _is_module(path: Path) -> bool:
    with suppress(OSError):
        if ".so" in path.name and path.is_absolute() and path.is_file():
            with path.open("rb") as file:
                content = file.read(_MODULE)
            return content.startswith(b"\x7fELF") and _SYMBOL in content
    return False


class SpyPipe:
    """The pipe that the spy writes to. ``told`` is given each call as it returns."""

    def __init__(self, folder: Path, module: Path, told: Callable[[Call], None]) -> None:
        self._path = folder / "spy"
        os.mkfifo(self._path, 0o600)
        # Open for both, so that neither side waits for the other, and the spy's writer never finds nobody.
        self._pipe = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        self._module = module
        self._told = told
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, name="spy", daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """What the spy needs."""
        return {"PKCS11SPY": str(self._module), "PKCS11SPY_OUTPUT": str(self._path)}

    def close(self) -> None:
        """Read what is left, and take the pipe away."""
        self._over.set()
        self._thread.join(5.0)
        os.close(self._pipe)
        with suppress(OSError):
            self._path.unlink()

    def _read(self) -> None:
        rest, parser = b"", SpyLog()
        while True:
            ready = select.select([self._pipe], [], [], 0.05)[0]
            if not ready:
                if self._over.is_set():
                    return
                continue
            *lines, rest = (rest + os.read(self._pipe, 1 << 16)).split(b"\n")
            for line in lines:
                for call in parser.line(line.decode("utf-8", "replace").rstrip()):
                    self._told(call)


class SpyLog:
    """Reads the spy's log line by line: function, harmless arguments, result. What is data stays out."""

    def __init__(self) -> None:
        self._function = ""
        self._arguments: dict[str, str] = {}

    def line(self, line: str) -> Iterator[Call]:
        """Yield the call that this line ends, if it ends one."""
        if (head := _HEAD.match(line)) is not None:
            self._function, self._arguments = head[1], {}
        elif (argument := _ARGUMENT.match(line)) is not None:
            if argument[1] in _SAFE:
                self._arguments[argument[1]] = argument[2]
        elif (returned := _RETURNED.match(line)) is not None and self._function:
            yield Call(function=self._function, arguments=self._arguments, result=returned[1])
            self._function = ""
