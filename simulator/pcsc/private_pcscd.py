"""A pcscd of our own, hidden in namespaces: the machine's is never touched, and no port is open to anybody.

No root needed where user namespaces are allowed. A client reaches it with ``PCSCLITE_CSOCK_NAME``.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bifente.ground.text import Text
from bifente.simulator.pcsc.bridge import Connector, Defect, DefectKind, Observer, SlotBridge
from bifente.simulator.pcsc.discovery import Installation, find_installation
from bifente.simulator.pcsc.errors import Link, PcscdError
from bifente.simulator.pcsc.readerconf import SLOTS_PER_ENTRY, Entry, match_names, plan, render
from bifente.simulator.pcsc.vpcd import connect
from bifente.simulator.readers import Reader, Slot

RUN_PREFIX = "bifente-pcscd-"
"""How the run directories we name begin (see ``stale_run_directories``)."""

SOCKET_NAME = "pcscd.comm"
LOCK_NAME = "lock"
MAX_SOCKET_PATH = 107
"""Linux's sun_path is 108 bytes, the last one a zero."""

AGENT = Path(__file__).with_name("agent.py")
"""The script that holds the namespaces."""

_MESSAGE = 1 << 18
_START_PATIENCE = 10.0
_REPLY_PATIENCE = 5.0
_STOP_PATIENCE = 4.0


class PrivatePcscd:
    """A running private pcscd and the bridges of its slots. A context manager; ``close`` can be called again.

    A reader of N slots takes one entry of pcscd for each two. Debian's vpcd has exactly two slots an entry: a reader of
    one slot shows a second one, always empty, and a reader of three takes two entries, the second named "NAME (2)".
    At most 8 entries. Clients see an insertion or a removal at pcscd's next poll, up to 0.4 s later; pcscd powers a
    card down some time after its last client has gone.

    Only the user who started it (and root) reaches it, whatever the rights of the run directory.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._bridges: tuple[SlotBridge, ...] = ()
        self._names: tuple[str, ...] = ()
        self._slots: tuple[Slot, ...] = ()
        self._death: PcscdError | None = None
        self._defects: list[Defect] = []
        self._run_dir = Path()
        self._made_run_dir = False

    @classmethod
    def start(
        cls,
        readers: Sequence[Reader],
        *,
        run_dir: Path | None = None,
        observer: Observer | None = None,
        mounts: Sequence[tuple[Path, Path]] = (),
        installation: Installation | None = None,
    ) -> PrivatePcscd:
        """Start pcscd with ``readers`` and follow their slots; returns once pcscd lists them all (some 60 ms).

        ``run_dir`` holds the socket that clients open; it is made if it does not exist, and then removed at the end.
        libpcsclite reads ``PCSCLITE_CSOCK_NAME`` once in the life of a process: a process that starts several private
        pcscd, one after the other, gives them all the same ``run_dir``. ``observer`` gets every exchange, from the
        slots' threads. ``mounts`` are pairs (source directory, target directory) bound in the mount namespace: they
        exist for pcscd and for what is run behind ``enter``. Raises PcscdError with the link that failed.
        """
        entries = plan(readers)
        if installation is None:
            installation = find_installation()
        pcscd = cls()
        try:
            pcscd._start(entries, installation, run_dir, mounts)
            pcscd._bridges = tuple(
                SlotBridge(slot, pcscd._connector(entry.port + number), observer).start()
                for entry in entries
                for number, slot in enumerate(entry.slots)
            )
        except BaseException:
            pcscd.close()
            raise
        return pcscd

    @property
    def environment(self) -> dict[str, str]:
        """What a client's environment needs to reach this pcscd: ``PCSCLITE_CSOCK_NAME``."""
        return {"PCSCLITE_CSOCK_NAME": str(self._run_dir / SOCKET_NAME)}

    @property
    def enter(self) -> tuple[str, ...]:
        """The start of a command line that runs a command among the mounts of this pcscd (util-linux ``nsenter``).

        The command keeps the machine's network. It does not see the machine's /run.
        """
        if self._process is None:
            raise self._gone()
        target = ("nsenter", "--target", str(self._process.pid))
        user = ("--user", "--preserve-credentials") if self._has_user_namespace() else ()
        return (*target, *user, "--mount", f"--wdns={Path.cwd()}", "--")

    @property
    def reader_names(self) -> tuple[str, ...]:
        """The PC/SC names of the slots as clients see them, in the order of the readers and of their slots."""
        return self._names

    @property
    def names_by_slot(self) -> Mapping[str, str]:
        """From ``slot.name`` to the name PC/SC clients see; slots of equal name keep the last."""
        return {slot.name: name for slot, name in zip(self._slots, self._names, strict=True)}

    def name_of(self, slot: Slot) -> str:
        """The name PC/SC clients see for this very slot. Raises KeyError if it is not one of ours."""
        for ours, name in zip(self._slots, self._names, strict=True):
            if ours is slot:
                return name
        raise KeyError(slot.name)

    @property
    def bridges(self) -> tuple[SlotBridge, ...]:
        """One for each slot, in slot order."""
        return self._bridges

    @property
    def run_dir(self) -> Path:
        """Where the socket is."""
        return self._run_dir

    @property
    def pid(self) -> int | None:
        """The process id of the agent that holds the namespaces, None once closed."""
        return self._process.pid if self._process is not None else None

    @property
    def alive(self) -> bool:
        """Whether pcscd runs."""
        with self._lock:
            self._hear_death()
        return self._process is not None and self._death is None

    @property
    def defects(self) -> tuple[Defect, ...]:
        """Every fault of the bench so far: those of the slots, and the death of pcscd if it died under us."""
        with self._lock:
            self._hear_death()
            own = tuple(self._defects)
        return own + tuple(defect for bridge in self._bridges for defect in bridge.defects)

    @property
    def log(self) -> str:
        """pcscd's last messages (at most 64 KiB). Raises PcscdError if pcscd has died."""
        return str(self._ask("log")[0]["log"])

    def open_socket(self) -> socket.socket:
        """A fresh TCP socket in pcscd's network namespace, not connected. Raises PcscdError if pcscd has died."""
        _, numbers = self._ask("socket")
        return socket.socket(fileno=numbers[0])

    def close(self) -> None:
        """Stop the slots, then pcscd; nothing is left running, the run directory is removed if we made it."""
        for bridge in self._bridges:
            bridge.close()
        with self._lock:
            control, self._control = self._control, None
            if control is not None:
                control.close()
        process, self._process = self._process, None
        if process is not None:
            _wait(process)
            self._clean()

    def __enter__(self) -> PrivatePcscd:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connector(self, port: int) -> Connector:
        return lambda: connect(self.open_socket(), port)

    def _start(
        self,
        entries: tuple[Entry, ...],
        installation: Installation,
        run_dir: Path | None,
        mounts: Sequence[tuple[Path, Path]],
    ) -> None:
        self._make_run_dir(run_dir)
        drivers = [f"vpcd-{number}.so" for number in range(len(entries))]
        pcscd = installation.pcscd
        # polkit would ask a bus that the private /run hides; pcscd knows the option since it says "polkit" (2.0.0).
        options = ["--disable-polkit"] if "polkit" in pcscd.features else []
        order = {
            "run_dir": str(self._run_dir),
            "remove": self._made_run_dir,
            "driver": str(installation.driver),
            "drivers": drivers,
            "reader_conf": render(entries, [f"@COPIES@/{name}" for name in drivers]),
            "command": [str(pcscd.path), "--foreground", *options, "--config"],
            "ipc_directory": str(pcscd.ipc_directory),
            "usb_driver_directory": str(pcscd.usb_driver_directory),
            "mounts": [(str(source.absolute()), str(target.absolute())) for source, target in mounts],
            "expected": SLOTS_PER_ENTRY * len(entries),
            "patience": _START_PATIENCE / 2,
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(AGENT), str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # the terminal's Ctrl-C is for us: we then stop pcscd in good order
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                cwd="/",
            )
            self._control = ours
            theirs.close()
            ours.send(json.dumps(order).encode())
            answer, _ = self._receive(_START_PATIENCE)
            if answer is None:
                errors.seek(0)
                log = errors.read().decode(errors="replace")
                raise PcscdError(Link.PRIVATE_PCSCD, _NO_ANSWER, log=log)
            self._raise_failure(answer)
            self._slots = tuple(slot for entry in entries for slot in entry.slots)
            self._names = match_names(entries, answer["names"])
        finally:
            theirs.close()
            errors.close()

    def _make_run_dir(self, run_dir: Path | None) -> None:
        """Raises PcscdError if the directory cannot be made or if its socket would have too long a path."""
        try:
            if run_dir is None:
                run_dir = Path(tempfile.mkdtemp(prefix=RUN_PREFIX))
                self._made_run_dir = True
            else:
                run_dir = run_dir.absolute()
                with contextlib.suppress(FileExistsError):
                    run_dir.mkdir(mode=0o700)
                    self._made_run_dir = True
        except OSError as error:
            raise PcscdError(Link.RUN_DIRECTORY, str(error)) from error
        self._run_dir = run_dir
        size = len(os.fsencode(run_dir / SOCKET_NAME))
        if size > MAX_SOCKET_PATH:
            self._clean()
            raise PcscdError(
                Link.RUN_DIRECTORY,
                Text(
                    f"le chemin de la prise {run_dir / SOCKET_NAME} compte {size} octets, {MAX_SOCKET_PATH} au plus.",
                    f"the socket's path {run_dir / SOCKET_NAME} has {size} bytes, at most {MAX_SOCKET_PATH} can be.",
                ),
            )

    def _clean(self) -> None:
        """Remove what an agent killed before its time would have removed."""
        if self._made_run_dir:
            with contextlib.suppress(OSError):
                for name in ("own/ipc/pcscd.comm", "own/ipc/pcscd.pid", SOCKET_NAME, LOCK_NAME):
                    with contextlib.suppress(OSError):
                        (self._run_dir / name).unlink()
                for folder in ("own/ipc", "own"):
                    with contextlib.suppress(OSError):
                        (self._run_dir / folder).rmdir()
                self._run_dir.rmdir()

    def _ask(self, operation: str) -> tuple[dict[str, Any], list[int]]:
        with self._lock:
            self._hear_death()
            if self._death is not None:
                raise self._death
            if self._control is None:
                raise self._gone()
            answer: dict[str, Any] | None = None
            numbers: list[int] = []
            with contextlib.suppress(OSError):
                self._control.send(json.dumps({"op": operation}).encode())
                answer, numbers = self._receive(_REPLY_PATIENCE)
            if answer is None or "failed" in answer:
                raise self._died(answer)
            return answer, numbers

    def _receive(self, patience: float) -> tuple[dict[str, Any] | None, list[int]]:
        """One message from the agent and the descriptors that came with it; None if it has gone or is stuck."""
        if self._control is None or not _readable(self._control.fileno(), patience):
            return None, []
        try:
            message, numbers, _, _ = socket.recv_fds(self._control, _MESSAGE, 1)
        except OSError:
            return None, []
        return (json.loads(message) if message else None), numbers

    def _hear_death(self) -> None:
        """The agent speaks unasked only to say that pcscd has died. Caller holds the lock."""
        if self._control is not None and self._death is None and _readable(self._control.fileno(), 0):
            self._died(self._receive(0)[0])

    def _died(self, answer: dict[str, Any] | None) -> PcscdError:
        detail = answer["detail"] if answer else "the agent that holds the private pcscd has gone"
        self._death = PcscdError(Link.PRIVATE_PCSCD, detail, log=answer["log"] if answer else "")
        self._defects.append(Defect("", DefectKind.CONNECTION, self._death))
        return self._death

    @staticmethod
    def _raise_failure(answer: dict[str, Any]) -> None:
        if "failed" in answer:
            raise PcscdError(Link(answer["failed"]), str(answer["detail"]), log=str(answer["log"]))

    def _gone(self) -> PcscdError:
        return PcscdError(Link.PRIVATE_PCSCD, _CLOSED)

    def _has_user_namespace(self) -> bool:
        return Path("/proc/self/ns/user").readlink() != Path(f"/proc/{self.pid}/ns/user").readlink()


def try_namespaces() -> PcscdError | None:
    """Try the namespaces alone, in a process that ends at once; the error names the one that is refused."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(AGENT), "--namespaces"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_START_PATIENCE,
            check=True,
        )
        answer = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return PcscdError(Link.USER_NAMESPACE, str(error))
    if "failed" in answer:
        return PcscdError(Link(answer["failed"]), str(answer["detail"]))
    return None


def stale_run_directories(parent: Path | None = None) -> tuple[Path, ...]:
    """Run directories of ours, in ``parent`` (default: the temporary directory), that no agent holds any more.

    Only a bench and its agent killed at the same instant leave one: it can be removed.
    """
    stale = []
    for lock in sorted((parent or Path(tempfile.gettempdir())).glob(f"{RUN_PREFIX}*/{LOCK_NAME}")):
        try:
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue  # held by its agent, or somebody else's
        stale.append(lock.parent)
    return tuple(stale)


_NO_ANSWER = Text("l'agent du pcscd privé n'a pas répondu.", "the agent of the private pcscd did not answer.")
_CLOSED = Text("ce pcscd privé est arrêté.", "this private pcscd is closed.")


def _readable(number: int, patience: float) -> bool:
    poll = select.poll()  # select() refuses descriptors above 1023
    poll.register(number, select.POLLIN)
    return bool(poll.poll(patience * 1000))


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Let the agent end by itself, then force it."""
    with contextlib.suppress(OSError):
        number = os.pidfd_open(process.pid)
        try:
            _readable(number, _STOP_PATIENCE)
        finally:
            os.close(number)
    if process.poll() is None:
        process.kill()
    process.wait()
