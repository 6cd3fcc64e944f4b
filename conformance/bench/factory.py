"""Opens the bench a run asks for: in process, behind a PC/SC service, or around a real reader."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path

from rich.console import Console

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.choosing import load_readers
from bifente.conformance.bench.module import ModuleInFront, ModuleUnderTest
from bifente.conformance.bench.profiles import ReaderProfile
from bifente.conformance.bench.virtual import VirtualBench
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.targets.base import PcscCode, ScardError
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.conformance.targets.own import OwnServiceTarget
from bifente.conformance.targets.pcsc import PcscMissingError, PcscTarget
from bifente.conformance.targets.pkcs11 import ModuleMissingError, ModuleProcess
from bifente.ground.clock import VirtualClock, WallClock
from bifente.ground.text import Lang, Text
from bifente.simulator.pcsc import PcscdError
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.pcsc.readerconf import MAX_ENTRIES, plan
from bifente.simulator.pcsc.services import start_service
from bifente.simulator.readers import Reader


class BenchUnavailableError(Exception):
    """The bench a run asked for cannot be opened; the message names what is missing and the cure."""


_NO_SERVICE = "no PC/SC service answers on this machine: start pcscd (systemctl start pcscd), or ask bifente doctor"


def _without_service(error: Exception) -> bool:
    return isinstance(error, ScardError) and error.code == PcscCode.NO_SERVICE


class BenchPool:
    """Benches by profile; scenarios share them, never their cards. A context manager: closes all it opened.

    Behind a service that can plug readers, that of the bench got last is there alone.

    ``profiles`` are those known to be needed: one that comes later makes the pool open all its benches anew.
    """

    def __init__(self, options: RunOptions, workshop: Workshop, profiles: Sequence[str] = ()) -> None:
        self._options = options
        self._workshop = workshop
        self._profiles = dict.fromkeys(profiles)
        self._benches: dict[str, Bench] = {}
        self._shown: dict[str, Callable[[], None]] = {}
        self._in_use: str | None = None
        self._stack = ExitStack()

    def __enter__(self) -> BenchPool:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every bench and the PC/SC service, if one was started."""
        self._stack.close()
        self._benches.clear()
        self._shown.clear()
        self._in_use = None

    def get(self, profile: str) -> Bench:
        """The bench of a profile, opened at first use. Raises BenchUnavailableError, InputError."""
        if profile not in self._benches:
            self.close()
            self._profiles[profile] = None
            try:
                self._open(profile)
            except (PcscdError, PcscMissingError, ModuleMissingError, ScardError) as error:
                self.close()
                raise BenchUnavailableError(_NO_SERVICE if _without_service(error) else str(error)) from error
        if profile != self._in_use and profile in self._shown:
            self._shown[profile]()
        self._in_use = profile
        found = self._benches[profile]
        found.evidence = self._options.evidence
        return found

    def _open(self, wanted: str) -> None:
        if self._options.readers:
            self._benches = dict.fromkeys(self._profiles, self._real(self._options.readers))
            return
        in_process = self._options.target is TargetKind.EMBEDDED
        profiles = {name: load_readers(name)[0] for name in self._profiles}
        if not in_process:
            profiles = _fitting(profiles, wanted)
        opened = self._embedded(profiles) if in_process else self._behind_service(profiles)
        for bench in opened.values():
            self._stack.callback(bench.close)
        self._benches = opened

    def _real(self, readers: Mapping[str, str]) -> Bench:
        target = PcscTarget()
        self._stack.callback(target.close)
        ask = ask_operator(self._options.lang) if self._options.operator else None
        from bifente.conformance.bench.real import RealBench  # what it takes to meet a card that nobody told of

        real = RealBench(readers, self._options, self._workshop, target, ask)
        self._stack.callback(real.close)
        if self._options.target is TargetKind.PKCS11:
            allow = self._options.allow_destructive
            names = real.names
            real.attachments.append(
                ModuleInFront(real, self._module({}), lambda: names, guarded=True, allow_destructive=allow)
            )
        return real

    def _module(self, environment: Mapping[str, str]) -> ModuleUnderTest:
        """The module of the run, in a process whose environment names the PC/SC service to use."""
        path = self._options.module
        if path is None:
            raise ModuleMissingError("the pkcs11 target needs a PKCS#11 module: give its path by --module")
        module = ModuleUnderTest(lambda: ModuleProcess(path, environment))
        self._stack.callback(module.close)
        return module

    def _embedded(self, profiles: dict[str, ReaderProfile]) -> dict[str, Bench]:
        benches: dict[str, Bench] = {}
        for name, profile in profiles.items():
            # The day is real, so that validities are; from there on time moves only when told to.
            clock = VirtualClock(datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0))
            reader = profile.reader(clock)
            target = EmbeddedTarget([reader], clock)
            benches[name] = VirtualBench(
                profile, reader, target, self._workshop, target.service.name_of, clock, restore=target.restore
            )
        return benches

    def _behind_service(self, profiles: dict[str, ReaderProfile]) -> dict[str, Bench]:
        """All profiles on one service: libpcsclite keeps the name of a socket for the life of a process."""
        clock = WallClock()
        readers: dict[str, Reader] = {name: profile.reader(clock) for name, profile in profiles.items()}
        service = start_service(self._options.service, list(readers.values()), run_dir=client_run_dir())
        self._stack.callback(service.close)
        # An application that another keeps from a card gets its answer at once: the bench is both of them.
        os.environ.update({**service.environment, "PCSCLITE_NO_BLOCKING": "1"})
        restore: Callable[[], None] | None = None
        target: PcscTarget
        if isinstance(service, OwnPcsc):
            target = own = OwnServiceTarget(service, next(iter(readers.values())))
            self._shown = {name: partial(own.show, reader) for name, reader in readers.items()}
            restore, artefacts = own.restore, frozenset({"pcsc-lite"})
        else:
            target, artefacts = PcscTarget(), frozenset({"pcsc-lite", "vpcd"})
        self._stack.callback(target.close)

        def faults() -> tuple[str, ...]:
            return tuple(f"{defect.kind.value} {defect.slot}: {defect.error}" for defect in service.defects)

        benches = {
            name: VirtualBench(
                profile, readers[name], target, self._workshop, service.name_of, clock, faults, restore, artefacts
            )
            for name, profile in profiles.items()
        }
        if self._options.target is TargetKind.PKCS11:
            module = self._module(service.environment)
            for bench in benches.values():
                bench.attachments.append(ModuleInFront(bench, module, partial(_names, bench)))
        return dict(benches)


def _names(bench: Bench) -> Mapping[str, str]:
    return bench.names


def _fitting(profiles: Mapping[str, ReaderProfile], wanted: str) -> dict[str, ReaderProfile]:
    """The profile asked for and as many others as a client can list at once, each device and slot by its own name."""
    room = MAX_ENTRIES
    taken: set[str] = set()
    fitting: dict[str, ReaderProfile] = {}
    for name in sorted(profiles, key=lambda name: name != wanted):
        reader = profiles[name].reader(WallClock())
        needed = len(plan([reader]))
        names = {device.name for device in reader.devices} | {slot.name for slot in reader.slots}
        if name == wanted or (needed <= room and not names & taken):
            fitting[name] = profiles[name]
            room -= needed
            taken |= names
    return fitting


def ask_operator(lang: Lang) -> Callable[[Text], None]:
    """Asks on the error stream, which a report piped elsewhere does not swallow."""
    console = Console(stderr=True)
    return lambda what: console.print(f">>> {what.get(lang)}", style="bold", markup=False)


@lru_cache(maxsize=1)
def client_run_dir() -> Path:
    """Where this process meets its private pcscd: the same path all its life, since libpcsclite reads it once."""
    path = Path(tempfile.mkdtemp(prefix="bifente-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path
