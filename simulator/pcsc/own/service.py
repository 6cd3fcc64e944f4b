"""The bench as its own PC/SC service: unmodified programs reach its readers by ``PCSCLITE_CSOCK_NAME``.

No root, no namespace, no driver, no pcscd and no port. The clients' side runs in a process of its own, which nothing
in the bench can hold up; cards, readers and faults stay with the bench, whose hands move them. A client in the very
process of the bench must let other threads run while it calls (pyscard does): else the card it waits for cannot answer.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bifente.ground.text import Text
from bifente.simulator.pcsc.bridge import Defect, DefectKind, Observer
from bifente.simulator.pcsc.errors import Link, PcscdError
from bifente.simulator.pcsc.own.messages import MAX_NAME
from bifente.simulator.pcsc.own.servant import MUTE, SlotServant
from bifente.simulator.readers import Reader, Slot

RUN_PREFIX = "bifente-pcsc-"
SOCKET_NAME = "pcscd.comm"
MAX_SOCKET_PATH = 107
"""Linux's sun_path is 108 bytes, the last one a zero."""

_START_PATIENCE = 10.0
_PATIENCE = 5.0
_MESSAGE = 4096


@dataclass(slots=True)
class _Plugged:
    """A reader that is plugged in."""

    reader: Reader
    number: int
    names: tuple[str, ...]
    servants: tuple[SlotServant, ...]


class OwnPcsc:
    """A running service and the servants of its slots. A context manager; ``close`` can be called again.

    A reader's slots bear the names of the bench. A movement of a hand is seen by every client when it returns.
    """

    def __init__(
        self, run_dir: Path, made: bool, observer: Observer | None, commands: bool = True, mute: float = MUTE
    ) -> None:
        self._run_dir = run_dir
        self._made_run_dir = made
        self._observer = observer
        self._commands = commands
        self._mute = mute
        self._lock = threading.Lock()
        self._acknowledged = threading.Condition(threading.Lock())
        self._done: set[int] = set()
        self._failures: dict[int, str] = {}
        self._begun: set[int] = set()
        """Orders that are carried out in part."""
        self._dead = False
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._hearing: threading.Thread | None = None
        self._plugged: dict[int, _Plugged] = {}
        self._known: dict[Slot, str] = {}
        self._past: list[Defect] = []
        self._closing = self._served = False

    @classmethod
    def start(
        cls,
        readers: Sequence[Reader],
        *,
        run_dir: Path | None = None,
        observer: Observer | None = None,
        commands: bool = True,
        mute: float = MUTE,
    ) -> OwnPcsc:
        """Serve ``readers``; returns once clients can connect.

        ``run_dir`` holds the socket that clients open; it is made if it does not exist, and then removed at the end.
        libpcsclite reads ``PCSCLITE_CSOCK_NAME`` once in the life of a process: a process that starts several services,
        one after the other, gives them all the same ``run_dir``. ``observer`` gets every exchange, from the slots'
        threads, or without ``commands`` only what is done to the power of cards. ``mute`` is how many seconds a reader
        waits for a card that does not answer. Raises PcscdError with the link that failed.
        """
        directory, made = _run_directory(run_dir)
        service = cls(directory, made, observer, commands, mute)
        try:
            service._start([device for reader in readers for device in reader.devices])
        except BaseException:
            service.close()
            raise
        return service

    # -- what clients need --------------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """What a client's environment needs to reach this service: ``PCSCLITE_CSOCK_NAME``."""
        return {"PCSCLITE_CSOCK_NAME": str(self._run_dir / SOCKET_NAME)}

    @property
    def enter(self) -> tuple[str, ...]:
        """The start of a command line for a client: none is needed."""
        return ()

    @property
    def run_dir(self) -> Path:
        """Where the socket is."""
        return self._run_dir

    @property
    def made_run_dir(self) -> bool:
        """Whether that folder was made for this service, and goes with it."""
        return self._made_run_dir

    @property
    def pid(self) -> int | None:
        """The process id of the process that serves, None once closed."""
        return self._process.pid if self._process is not None else None

    @property
    def reader_names(self) -> tuple[str, ...]:
        """The names of the slots as clients see them."""
        return tuple(name for plugged in self._plugged.values() for name in plugged.names)

    @property
    def names_by_slot(self) -> Mapping[str, str]:
        """From ``slot.name`` to the name PC/SC clients see."""
        return {slot.name: name for slot, name in self._known.items()}

    def name_of(self, slot: Slot) -> str:
        """The name PC/SC clients see, or last saw, for this very slot. Raises KeyError if it is not one of ours."""
        return self._known[slot]

    @property
    def bridges(self) -> tuple[SlotServant, ...]:
        """One for each slot that is plugged in."""
        return tuple(servant for plugged in self._plugged.values() for servant in plugged.servants)

    @property
    def alive(self) -> bool:
        """Whether the process serves."""
        return self._process is not None and not self._dead and self._process.poll() is None

    @property
    def defects(self) -> tuple[Defect, ...]:
        """Every fault of the bench so far: those of the slots, and the death of the process if it died under us."""
        return tuple(self._past) + tuple(defect for servant in self.bridges for defect in servant.defects)

    # -- what hands and systems do ------------------------------------------------------------------------------------

    def plug(self, reader: Reader, names: Sequence[str] | None = None) -> None:
        """Plug a reader in, under the names of its slots or under others.

        Raises ValueError if a name is taken or cannot be, or if the reader is plugged in already.
        """
        names = tuple(slot.name for slot in reader.slots) if names is None else tuple(names)
        if len(names) != len(reader.slots):
            raise ValueError(f"{reader.name} has {len(reader.slots)} slots, not {len(names)}")
        for name in names:
            if not 0 < len(name.encode()) <= MAX_NAME or "\0" in name:
                raise ValueError(f"a PC/SC reader name has 1 to {MAX_NAME} bytes: {name!r}")
        if taken := sorted({*names} & {*self.reader_names}) or [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two readers would bear the name {taken[0]!r}: a PC/SC name stands for one slot")
        if any(slot in plugged.reader.slots for plugged in self._plugged.values() for slot in reader.slots):
            raise ValueError(f"{reader.name!r} is plugged in already")
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in names]
        servants = tuple(
            SlotServant(
                slot, reader.pin_pad, ours, self._next, self._await, self._observer, self._mute, commands=self._commands
            )
            for slot, (ours, _theirs) in zip(reader.slots, pairs, strict=True)
        )
        for servant in servants:
            servant.start()
        number = next(self._numbers)
        slots = [
            {
                "name": name,
                "atr": atr.hex() if (atr := servant.atr()) is not None else None,
                "reachable": slot.reachable,
            }
            for name, slot, servant in zip(names, reader.slots, servants, strict=True)
        ]
        try:
            self._order(
                {"do": "plug", "reader": number, "slots": slots, "identity": asdict(reader.identity)},
                [theirs.fileno() for _ours, theirs in pairs],
            )
        except BaseException:
            for servant in servants:
                servant.close()
            raise
        finally:
            for _ours, theirs in pairs:
                theirs.close()
        self._plugged[number] = _Plugged(reader, number, names, servants)
        self._known.update(zip(reader.slots, names, strict=True))

    def unplug(self, reader: Reader) -> None:
        """Pull a reader out: its cards lose their power. Raises ValueError if it is not plugged in."""
        found = next((one for one in self._plugged.values() if one.reader is reader), None)
        if found is None:
            raise ValueError(f"{reader.name!r} is not plugged in")
        self._order({"do": "unplug", "reader": found.number})
        del self._plugged[found.number]
        for servant in found.servants:
            servant.close()
            self._past += servant.defects
            if servant.slot.card is not None:
                servant.slot.card.power_off()

    @property
    def readers(self) -> tuple[Reader, ...]:
        """The readers that are plugged in, in the order in which they were."""
        return tuple(one.reader for one in self._plugged.values())

    def plugged(self, slot: Slot) -> bool:
        """Whether the slot's reader is plugged in."""
        return any(slot in one.reader.slots for one in self._plugged.values())

    def stop(self) -> None:
        """Stop the service: every client loses its connection and finds nobody there."""
        self._order({"do": "shut"})

    def start_again(self) -> None:
        """Serve again after ``stop``; clients must establish a new context."""
        self._order({"do": "open"})

    def watch(self, watcher: socket.socket) -> None:
        """Tell what clients ask, and how cards move, to the other end of this socket: see ``own.witness``.

        The socket is a stream, and stays the caller's to close.
        """
        self._order({"do": "watch"}, [watcher.fileno()])

    def watch_no_more(self) -> None:
        """Tell it to nobody any more."""
        self._order({"do": "unwatch"})

    def tell(self) -> bool:
        """Let the watcher have all that was seen so far; whether it has: else it must read, and be told again."""
        return self._order({"do": "tell"})

    def close(self) -> None:
        """Stop serving; nothing is left running, the run directory is removed if we made it."""
        self._closing = True
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.shutdown(socket.SHUT_RDWR)
        process, self._process = self._process, None
        if process is not None:
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._hearing is not None and self._hearing is not threading.current_thread():
            self._hearing.join(_PATIENCE)
        if self._link is not None:
            self._link.close()
            self._link = None
        plugged, self._plugged = self._plugged, {}
        for one in plugged.values():
            for servant in one.servants:
                servant.close()
                self._past += servant.defects
        with contextlib.suppress(OSError):
            if self._served:  # a process that was killed has left it
                (self._run_dir / SOCKET_NAME).unlink(missing_ok=True)
            if self._made_run_dir:
                self._run_dir.rmdir()

    def __enter__(self) -> OwnPcsc:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the link to the process --------------------------------------------------------------------------------------

    def _start(self, readers: Sequence[Reader]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._link = ours
        path = self._run_dir / SOCKET_NAME
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(
                        sys.executable,
                        "-P",
                        "-m",
                        "bifente.simulator.pcsc.own.process",
                        str(theirs.fileno()),
                        str(path),
                    ),
                    *(["remove"] if self._made_run_dir else []),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # the terminal's Ctrl-C is for us: we then stop it in good order
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                cwd="/",
            )
        self._hearing = threading.Thread(target=self._hear, name="pcsc service", daemon=True)
        self._hearing.start()
        for reader in readers:
            try:
                self.plug(reader)
            except ValueError as error:
                raise PcscdError(Link.READERS, str(error)) from None
        _remove_stale(path)
        self._order({"do": "open"}, failure=Link.RUN_DIRECTORY)
        self._served = True

    def _next(self) -> int:
        return next(self._numbers)

    def _order(self, order: dict[str, object], sockets: Sequence[int] = (), failure: Link = Link.READERS) -> bool:
        """Have the process carry something out; whether nothing of it is left to do. Raises PcscdError."""
        number = self._next()
        link = self._link
        if link is None or self._dead:
            raise self._gone()
        try:
            socket.send_fds(link, [json.dumps({"number": number, **order}).encode()], sockets)
        except OSError:
            raise self._gone() from None
        if not self._await_done(number, _START_PATIENCE):
            raise self._gone()
        if (failed := self._failures.pop(number, None)) is not None:
            raise PcscdError(failure, failed)
        if number in self._begun:
            self._begun.discard(number)
            return False
        return True

    def _await(self, number: int) -> None:
        self._await_done(number, _PATIENCE)

    def _await_done(self, number: int, patience: float) -> bool:
        with self._acknowledged:
            self._acknowledged.wait_for(lambda: number in self._done or self._dead, patience)
            if number in self._done:
                self._done.discard(number)
                return True
        return False

    def _hear(self) -> None:
        """The thread that hears what the process has done, and whether it lives."""
        link = self._link
        assert link is not None  # noqa: S101 - started with it
        while True:
            try:
                message = link.recv(_MESSAGE)
            except OSError:
                message = b""
            with self._acknowledged:
                if not message:
                    self._dead = True
                    if not self._closing:
                        self._past.append(Defect("", DefectKind.CONNECTION, self._gone()))
                    self._acknowledged.notify_all()
                    return
                told = json.loads(message)
                if "failed" in told:
                    self._failures[told["done"]] = told["failed"]
                if not told.get("whole", True):
                    self._begun.add(told["done"])
                self._done.add(told["done"])
                self._acknowledged.notify_all()

    @staticmethod
    def _gone() -> PcscdError:
        return PcscdError(
            Link.OWN_SERVICE,
            Text("le service PC/SC du banc s'est arrêté", "the bench's PC/SC service has stopped"),
        )


def _run_directory(run_dir: Path | None) -> tuple[Path, bool]:
    """The directory and whether it is ours to remove. Raises PcscdError if there cannot be a socket in it."""
    made = True
    try:
        if run_dir is None:
            run_dir = Path(tempfile.mkdtemp(prefix=RUN_PREFIX))
        else:
            run_dir = run_dir.absolute()
            try:
                run_dir.mkdir(mode=0o700)
            except FileExistsError:
                made = False
    except OSError as error:
        raise PcscdError(Link.RUN_DIRECTORY, str(error)) from error
    problem = _unfit(run_dir)
    if problem is not None:
        if made:
            run_dir.rmdir()
        raise PcscdError(Link.RUN_DIRECTORY, problem)
    return run_dir, made


def _unfit(run_dir: Path) -> Text | None:
    path = run_dir / SOCKET_NAME
    size = len(os.fsencode(path))
    if size > MAX_SOCKET_PATH:
        return Text(
            f"le chemin de la prise {path} compte {size} octets, {MAX_SOCKET_PATH} au plus.",
            f"the socket's path {path} has {size} bytes, at most {MAX_SOCKET_PATH} can be.",
        )
    found = run_dir.stat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        return Text(
            f"le répertoire {run_dir} appartient à un autre, ou d'autres peuvent y écrire.",
            f"the directory {run_dir} is somebody else's, or others can write to it.",
        )
    return None


def _remove_stale(path: Path) -> None:
    """Remove the socket of a service that died. Raises PcscdError if one that lives has it."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise PcscdError(Link.RUN_DIRECTORY, str(error)) from error
    raise PcscdError(
        Link.RUN_DIRECTORY,
        Text(f"un autre service répond déjà sur {path}", f"another service answers on {path} already"),
    )
