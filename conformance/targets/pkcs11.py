"""A PKCS#11 module under test: loaded by a process of its own, every call of it told.

PyKCS11 is an extra, so it is looked for when a module is opened, not when this module is imported.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bifente.conformance.targets import cryptoki
from bifente.conformance.targets.base import PcscCode, ScardError

WORKER = Path(__file__).with_name("pkcs11_worker.py")
"""The script that loads the module."""

PATIENCE = 60.0
"""Seconds a call may take before the module counts as gone."""
_LONGEST_ANSWER = 1 << 22
_SECRETS = frozenset({"pin", "old", "new"})
_FEWEST_SEEN = 32
"""Objects asked for at a time."""


class ModuleMissingError(Exception):
    """The module, or PyKCS11 in front of it, cannot be had; the message is one sentence with the cure."""


class ModuleGoneError(Exception):
    """The module took its process down, or never came back; ``how`` is a word for expectations."""

    def __init__(self, how: str, function: str) -> None:
        super().__init__(f"the module {how} in {function}")
        self.how = how


class CryptokiError(Exception):
    """A function answered something else than CKR_OK."""

    def __init__(self, function: str, code: int) -> None:
        self.function, self.code = function, code
        super().__init__(f"{function}: {cryptoki.result(code)}")


class NoSuchObjectError(Exception):
    """A search found nothing: what a scenario spoke of is hidden or not there."""


@dataclass(frozen=True, slots=True)
class Called:
    """One call, numbers in words where they have a name; the arguments named `secret` are for no record."""

    function: str
    arguments: Mapping[str, str]
    result: str
    answer: Mapping[str, str]
    seconds: float
    secret: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ModuleInfo:
    """What C_GetInfo says of a module."""

    manufacturer: str
    description: str
    version: str


class Guard(Protocol):
    """Looks at a call before the module does."""

    def check(self, function: str, given: Mapping[str, Any], flags: Callable[[], Sequence[str]]) -> None:
        """``flags`` reads the token's. Raises GuardRefusalError."""
        ...

    def learn(self, function: str, given: Mapping[str, Any], code: int) -> None:
        """What came of it."""
        ...


class ModuleWorker(Protocol):
    """Does what a module does."""

    def ask(self, function: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """One call; ``rv`` is in the answer. Raises ModuleGoneError."""
        ...

    def close(self) -> None:
        """Leave the module; never raises."""
        ...


class ModuleProcess:
    """A process for a module, which ``load`` loads. Raises ModuleMissingError when there can be none."""

    def __init__(self, path: Path, environment: Mapping[str, str] | None = None) -> None:
        if not path.is_file():
            raise ModuleMissingError(f"{path}: there is no such PKCS#11 module; give its path by --module")
        if importlib.util.find_spec("PyKCS11") is None:
            raise ModuleMissingError("the PKCS#11 target needs PyKCS11: pip install 'bifente[pkcs11]'")
        self._path = path
        self._process = subprocess.Popen(
            # -P: a file of the working directory must not stand in for a library.
            [sys.executable, "-P", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        self._rest = b""

    def load(self) -> ModuleProcess:
        """Load the module; until then the process touches neither it nor PC/SC. Raises ModuleMissingError."""
        self._say(str(self._path.resolve()))
        try:
            answer = self._hear("loading")
        except ModuleGoneError as error:
            self.close()
            raise ModuleMissingError(f"{self._path}: the PKCS#11 module cannot be loaded: {error.how}") from None
        if "failed" in answer:
            self.close()
            raise ModuleMissingError(f"{self._path}: no PKCS#11 module could be loaded from it: {answer['failed']}")
        return self

    def ask(self, function: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give an order and wait for its answer."""
        self._say(json.dumps({"function": function, "given": given}))
        return self._hear(function)

    def _say(self, line: str) -> None:
        orders = self._process.stdin
        assert orders is not None  # noqa: S101 - it was asked for
        with suppress(BrokenPipeError):  # told by the silence that follows
            orders.write(line.encode() + b"\n")
            orders.flush()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _hear(self, function: str) -> Mapping[str, Any]:
        answers = self._process.stdout
        assert answers is not None  # noqa: S101 - it was asked for
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([answers], [], [], left)[0]:
                raise ModuleGoneError("NO_ANSWER", function)
            chunk = os.read(answers.fileno(), 1 << 16)
            if not chunk or len(self._rest) > _LONGEST_ANSWER:
                raise ModuleGoneError("CRASHED", function)
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        answer: Mapping[str, Any] = json.loads(line)
        return answer


@dataclass(slots=True)
class Cryptoki:
    """A module put to work for one scenario after another; ``sessions`` are known by the names scenarios give them.

    ``told`` hears every call; ``guard`` may refuse one before the module hears of it.
    """

    worker: ModuleWorker
    guard: Guard | None = None
    told: Callable[[Called], None] = lambda called: None
    sessions: dict[str, int] = field(default_factory=dict)
    _slots: dict[int, int] = field(default_factory=dict)
    started: bool = False

    def begin_anew(self, worker: ModuleWorker) -> None:
        """Another process with the module: whatever the last one had is gone."""
        self.worker, self.started = worker, False
        self.sessions.clear()
        self._slots.clear()

    def start(self) -> None:
        """C_Initialize. Raises CryptokiError, ModuleGoneError."""
        self.ok("C_Initialize")
        self.started = True

    def stop(self) -> None:
        """C_Finalize: nothing of a scenario is left for the next. Never raises for what the module answers."""
        self.sessions.clear()
        self._slots.clear()
        if self.started:
            self.started = False
            self.call("C_Finalize")

    def call(self, function: str, **given: Any) -> Mapping[str, Any]:
        """One function of the module. Raises GuardRefusalError, ModuleGoneError."""
        if self.guard is not None:
            self.guard.check(function, given, lambda: self._flags(given))
        start = time.perf_counter()
        try:
            answer = self.worker.ask(function, given)
        except ModuleGoneError as gone:
            self._tell(function, given, gone.how, {}, start)
            raise
        code = int(answer["rv"])
        self._tell(function, given, cryptoki.result(code), answer, start)
        if self.guard is not None:
            self.guard.learn(function, given, code)
        if function == "C_OpenSession" and code == cryptoki.OK:
            self._slots[answer["session"]] = given["slot"]
        return answer

    def ok(self, function: str, **given: Any) -> Mapping[str, Any]:
        """One function that must succeed. Raises CryptokiError too."""
        answer = self.call(function, **given)
        if answer["rv"] != cryptoki.OK:
            raise CryptokiError(function, answer["rv"])
        return answer

    # -- what every scenario does -----------------------------------------------------------------------------------

    def info(self) -> ModuleInfo:
        """What the module says of itself."""
        found = self.ok("C_GetInfo")
        return ModuleInfo(
            cryptoki.text(found["manufacturer"]), cryptoki.text(found["description"]), str(found["version"])
        )

    def slot(self, reader: str) -> int:
        """The slot of a reader: the first that is described by its name. Raises ScardError if there is none."""
        slots = self.ok("C_GetSlotList", present=False)["slots"]
        for slot in slots:
            described = cryptoki.text(self.ok("C_GetSlotInfo", slot=slot)["description"])
            if described and reader.startswith(described):
                return int(slot)
        raise ScardError(PcscCode.UNKNOWN_READER, f"the module lists no slot for {reader!r}")

    def open(self, name: str, slot: int, *, writable: bool) -> None:
        """A session by a name; one that bore the name before is forgotten, not closed."""
        flags = cryptoki.SERIAL_SESSION | (cryptoki.RW_SESSION if writable else 0)
        self.sessions[name] = int(self.ok("C_OpenSession", slot=slot, flags=flags)["session"])

    def find(self, session: int, **wanted: int | bytes) -> list[int]:
        """Objects whose attributes (``CKA_LABEL``...) are these, all that the module gives in one search."""
        template = [
            [cryptoki.ATTRIBUTES[name], value if isinstance(value, int) else value.hex()]
            for name, value in wanted.items()
        ]
        self.ok("C_FindObjectsInit", session=session, template=template)
        found: list[int] = []
        try:
            while batch := self.ok("C_FindObjects", session=session, most=_FEWEST_SEEN)["objects"]:
                found += batch
        finally:
            self.call("C_FindObjectsFinal", session=session)
        return found

    def attribute(self, session: int, handle: int, name: str) -> bytes:
        """One attribute of an object. Raises CryptokiError."""
        kind = cryptoki.ATTRIBUTES[name]
        return bytes.fromhex(self.ok("C_GetAttributeValue", session=session, object=handle, type=kind)["data"])

    def _flags(self, given: Mapping[str, Any]) -> Sequence[str]:
        """The token's flags, for the guard: of the slot of a session, or of the only slot there is."""
        slot = given.get("slot", self._slots.get(given.get("session", -1)))
        answer = self.worker.ask("C_GetTokenInfo", {"slot": slot}) if slot is not None else {"rv": 1}
        return cryptoki.flags(answer["flags"]) if answer["rv"] == cryptoki.OK else ("UNKNOWN",)

    def _tell(
        self, function: str, given: Mapping[str, Any], result: str, answer: Mapping[str, Any], start: float
    ) -> None:
        seconds = time.perf_counter() - start
        shown = {name: _shown(name, value) for name, value in given.items()}
        said = {name: _shown(name, value) for name, value in answer.items() if name != "rv"}
        self.told(Called(function, shown, result, said if result == "CKR_OK" else {}, seconds, _SECRETS))


def _shown(name: str, value: Any) -> str:
    match name, value:
        case "mechanism", {"type": int(kind)}:
            pss = value.get("pss")
            return cryptoki.mechanism(kind) + (f" (salt {pss[2]})" if pss else "")
        case "mechanism", int():
            return cryptoki.mechanism(value)
        case "mechanisms", list():
            return ", ".join(map(cryptoki.mechanism, value))
        case "user", int():
            return next((user for user, number in cryptoki.USERS.items() if number == value), str(value))
        case "type", int():
            return _attribute(value)
        case "template", list():
            return ", ".join(f"{_attribute(kind)} {_value(kind, wanted)}" for kind, wanted in value) or "any"
        case _, list():
            return ", ".join(map(str, value)) or "none"
        case _, str():
            return cryptoki.text(value)
    return str(value)


def _attribute(kind: int) -> str:
    return next((name for name, number in cryptoki.ATTRIBUTES.items() if number == kind), f"0x{kind:X}")


def _value(kind: int, wanted: int | str) -> str:
    if isinstance(wanted, int):
        return next((name for name, number in cryptoki.CLASSES.items() if number == wanted), str(wanted))
    return bytes.fromhex(wanted).decode(errors="replace") if _attribute(kind) == "CKA_LABEL" else wanted
