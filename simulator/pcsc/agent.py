"""Runs one pcscd in namespaces of its own, for the process that started it. Started as a script, by file path.

Standard library only, and nothing of ours: it runs under ``python -I -S`` so that it starts in milliseconds. It talks
with its parent over the inherited socket whose number is its first argument (its second is the parent's process id):
one JSON object a message. The first message from the parent says what to run; the agent answers ``names`` (readers as
a PC/SC client lists them) or ``failed`` (a link of ``simulator.pcsc.errors.Link``, ``detail``, ``log``). Then:
``{"op": "socket"}`` is answered with a fresh TCP socket of the network namespace, ``{"op": "log"}`` with pcscd's last
messages. When pcscd ends on its own the agent says ``failed`` unasked, and ends. With the only argument
``--namespaces`` it merely tries them and prints the outcome.

It ends, and pcscd with it, when the parent closes the socket or dies, even by SIGKILL; if the agent itself is killed,
the kernel kills pcscd (PR_SET_PDEATHSIG). Nothing in the namespaces outlives them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from typing import Any, NoReturn

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
SCARD_SCOPE_SYSTEM = 2
SCARD_E_NO_READERS_AVAILABLE = 0x8010002E

LOG_SIZE = 65536
STOP_PATIENCE = 1.0
POLL = 0.002
COPIES = "bifente"

_libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):  # noqa: N818 - the word of the protocol
    """A link that broke while starting."""

    def __init__(self, link: str, detail: str) -> None:
        super().__init__(detail)
        self.link = link
        self.detail = detail


def call(link: str, what: str, result: int) -> None:
    """Raise Failed if a call of the C library did not give 0."""
    if result != 0:
        number = ctypes.get_errno()
        raise Failed(link, f"{what}: {os.strerror(number)} (errno {number})")


def unshare(link: str, flag: int, what: str) -> None:
    """Leave one namespace for a new one."""
    call(link, f"unshare({what})", _libc.unshare(flag))


def mount(link: str, source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """mount(2), with the paths in the error."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        options.encode() if options else None,
    )
    call(link, f"mount {source} on {target}", result)


def enter_namespaces() -> None:
    """User namespace (only if needed), then mounts, then network."""
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0 or _libc.unshare(CLONE_NEWNS) != 0:
        unshare("user-namespace", CLONE_NEWUSER, "CLONE_NEWUSER")
        try:
            for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
                with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is slow to load
                    file.write(text)
        except OSError as error:
            raise Failed("user-namespace", f"map the user: {error}") from error
        unshare("mount-namespace", CLONE_NEWNS, "CLONE_NEWNS")
    mount("mount-namespace", "none", "/", None, MS_REC | MS_PRIVATE)
    unshare("network-namespace", CLONE_NEWNET, "CLONE_NEWNET")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            request = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh22x", b"lo", 0))
            flags = struct.unpack_from("16xh", request)[0]
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
    except OSError as error:
        raise Failed("network-namespace", f"bring lo up: {error}") from error


class RunDirectory:
    """The directory where clients find pcscd's socket, held by its descriptor and a lock while in use."""

    files = ("own/ipc/pcscd.comm", "own/ipc/pcscd.pid", "pcscd.comm", "lock")
    folders = ("own/ipc", "own")

    def __init__(self, path: str, remove: bool) -> None:
        self._name = os.path.basename(path)  # noqa: PTH119
        self._remove = remove
        try:
            self._parent = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)  # noqa: PTH120
            self._directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            self._lock = os.open("lock", os.O_RDWR | os.O_CREAT, 0o600, dir_fd=self._directory)
        except OSError as error:
            raise Failed("run-directory", str(error)) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Failed("run-directory", f"{path} is used by another private pcscd") from error
        try:
            for stale in self.files[:-1]:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(stale, dir_fd=self._directory)
            # pcscd opens to everybody the directory (0755) and the socket (0666) it is given: it works behind a door
            # that is shut, and its socket is shown once it is shut too.
            for folder in reversed(self.folders):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder, 0o700, dir_fd=self._directory)
            os.chmod("own", 0o700, dir_fd=self._directory)
        except OSError as error:
            raise Failed("run-directory", str(error)) from error

    def show(self) -> None:
        """Let the owner, and nobody else, find pcscd's socket."""
        try:
            os.chmod("own/ipc/pcscd.comm", 0o600, dir_fd=self._directory)
            os.link("own/ipc/pcscd.comm", "pcscd.comm", src_dir_fd=self._directory, dst_dir_fd=self._directory)
        except OSError as error:
            raise Failed("run-directory", str(error)) from error

    def clean(self) -> None:
        """Remove what was put there, and the directory if it was made for this run."""
        for name in self.files:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=self._directory)
        for folder in self.folders:
            with contextlib.suppress(OSError):
                os.rmdir(folder, dir_fd=self._directory)
        if self._remove:
            with contextlib.suppress(OSError):
                os.rmdir(self._name, dir_fd=self._parent)


def prepare(order: dict[str, Any]) -> str:
    """Lay out the private file system; give the path of the configuration file."""
    run_dir, ipc = order["run_dir"], os.path.realpath(order["ipc_directory"])
    try:
        with open(order["driver"], "rb") as file:  # noqa: PTH123
            driver = file.read()
    except OSError as error:
        raise Failed("vpcd-driver", str(error)) from error
    enter_namespaces()
    # Opened now: a descriptor of before the new mount namespace cannot be the source of a bind mount, and its path may
    # be hidden in a moment.
    directory = os.open(f"{run_dir}/own/ipc", os.O_RDONLY | os.O_DIRECTORY)
    for source, target in order["mounts"]:
        mount("mounts", source, target, None, MS_BIND | MS_REC)
    if os.path.isdir(order["usb_driver_directory"]):  # noqa: PTH112
        # A private pcscd must not take the workstation's real USB readers from the system's own.
        mount("mount-namespace", "none", order["usb_driver_directory"], "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY)
    parent = os.path.dirname(ipc)  # noqa: PTH120
    mount("mount-namespace", "none", parent, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    os.mkdir(ipc)  # noqa: PTH102
    mount("mount-namespace", f"/proc/self/fd/{directory}", ipc, None, MS_BIND)
    os.close(directory)
    copies = f"{parent}/{COPIES}"
    os.mkdir(copies)  # noqa: PTH102
    for name in order["drivers"]:
        with open(f"{copies}/{name}", "wb") as file:  # noqa: PTH123
            file.write(driver)
    path = f"{copies}/reader.conf"
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(order["reader_conf"].replace("@COPIES@", copies))
    return path


class Daemon:
    """The pcscd process: its end, and its last messages."""

    def __init__(self, command: list[str]) -> None:
        reading, writing = os.pipe()
        agent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            self._become(command, writing, agent)
        os.close(writing)
        os.set_blocking(reading, False)
        self.output = reading
        self._log = b""
        self._status: int | None = None

    @staticmethod
    def _become(command: list[str], writing: int, agent: int) -> NoReturn:
        try:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == agent:  # else the agent died before the line above took effect
                nothing = os.open(os.devnull, os.O_RDONLY)
                os.dup2(nothing, 0)
                os.dup2(writing, 1)
                os.dup2(writing, 2)
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
                    signal.signal(number, signal.SIG_DFL)
                os.execve(command[0], command, {"PATH": os.defpath, "LANG": "C.UTF-8"})  # noqa: S606
        except OSError as error:
            os.write(2, f"{command[0]}: {error}\n".encode())
        finally:
            os._exit(127)

    def read(self) -> bool:
        """Keep what pcscd printed; False at the end of its output."""
        try:
            while chunk := os.read(self.output, LOG_SIZE):
                self._log = (self._log + chunk)[-LOG_SIZE:]
        except BlockingIOError:
            return True
        return False

    @property
    def log(self) -> str:
        """The last messages, at most 64 KiB."""
        self.read()
        return self._log.decode(errors="replace")

    def ended(self) -> bool:
        """Whether the process is over (and then reap it)."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = status
        return self._status is not None

    def end_in_words(self) -> str:
        """How the process ended."""
        status = self._status or 0
        if os.WIFSIGNALED(status):
            return f"pcscd was killed by signal {os.WTERMSIG(status)}"
        return f"pcscd ended with exit code {os.WEXITSTATUS(status)}"

    def stop(self) -> None:
        """Ask, then force."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.ended():
                return
            os.kill(self.pid, number)
            deadline = time.monotonic() + STOP_PATIENCE
            while not self.ended() and time.monotonic() < deadline:
                # The pipe ends with the process: no need to poll for the usual case.
                select.select([self.output], [], [], 0.01)
                self.read()


class Client:
    """The few calls of libpcsclite needed to list the readers."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libpcsclite.so.1")
        except OSError as error:
            raise Failed("private-pcscd", f"libpcsclite.so.1: {error}") from error

    def names(self) -> list[str] | None:
        """The readers listed now; None while pcscd does not answer."""
        context = ctypes.c_long()
        if self._library.SCardEstablishContext(SCARD_SCOPE_SYSTEM, None, None, ctypes.byref(context)) != 0:
            return None
        try:
            size = ctypes.c_ulong(16 * 128)
            names = ctypes.create_string_buffer(size.value)
            result = self._library.SCardListReaders(context, None, names, ctypes.byref(size)) & 0xFFFFFFFF
            if result == SCARD_E_NO_READERS_AVAILABLE:
                return []
            if result != 0:
                return None
            return [name.decode(errors="replace") for name in names.raw[: size.value].split(b"\0") if name]
        finally:
            self._library.SCardReleaseContext(context)


def wait_for_readers(daemon: Daemon, socket_path: str, expected: int, patience: float) -> list[str]:
    """Wait until pcscd lists ``expected`` readers, and give their names."""
    client = Client()
    deadline = time.monotonic() + patience
    names: list[str] | None = None
    while time.monotonic() < deadline:
        if os.path.exists(socket_path):  # noqa: PTH110
            names = client.names()
            if names is not None and len(names) >= expected:
                return names
        if daemon.ended():
            raise Failed("private-pcscd", daemon.end_in_words())
        select.select([daemon.output], [], [], POLL)
        daemon.read()
    if names is None:
        raise Failed("private-pcscd", f"pcscd did not answer within {patience} s")
    raise Failed("reader-listed", f"pcscd lists {len(names)} readers of {expected} after {patience} s: {names}")


def serve(control: socket.socket, parent: int | None, daemon: Daemon) -> None:
    """Answer the parent until it goes or pcscd ends."""
    output: int | None = daemon.output
    while True:
        watched = [number for number in (control.fileno(), parent, output) if number is not None]
        ready, _, _ = select.select(watched, [], [])
        if parent in ready:
            return
        if output in ready and not daemon.read():
            daemon.stop()
            failed = {"failed": "private-pcscd", "detail": daemon.end_in_words(), "log": daemon.log}
            with contextlib.suppress(OSError):
                control.send(json.dumps(failed).encode())
            return
        if control.fileno() in ready:
            message = control.recv(LOG_SIZE)
            if not message:
                return
            if json.loads(message)["op"] == "socket":
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as fresh:
                    socket.send_fds(control, [b'{"socket": true}'], [fresh.fileno()])
            else:
                control.send(json.dumps({"log": daemon.log}).encode())


def watch_parent(pid: int) -> int | None:
    """A descriptor that becomes readable when the parent dies; None where the kernel has none (before 5.3)."""
    try:
        watched = os.pidfd_open(pid)
    except OSError as error:
        if error.errno == errno.ESRCH:
            sys.exit(0)
        return None
    if os.getppid() != pid:
        sys.exit(0)
    return watched


def try_namespaces() -> None:
    """Enter the namespaces and print which link failed, if any: for the doctor."""
    try:
        enter_namespaces()
        answer = {"user": os.path.realpath("/proc/self/ns/user")}
    except Failed as failed:
        answer = {"failed": failed.link, "detail": failed.detail}
    os.write(1, json.dumps(answer).encode())


def main() -> None:
    """Start, serve, clean."""
    if sys.argv[1:] == ["--namespaces"]:
        try_namespaces()
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    # The end of the socket is not enough: a process forked from the parent may hold a copy of its other end.
    parent = watch_parent(int(sys.argv[2]))
    message = control.recv(1 << 20)
    if not message:
        return
    order = json.loads(message)
    run_directory: RunDirectory | None = None
    daemon: Daemon | None = None
    try:
        run_directory = RunDirectory(order["run_dir"], order["remove"])
        configuration = prepare(order)
        daemon = Daemon([*order["command"], configuration])
        names = wait_for_readers(daemon, f"{order['ipc_directory']}/pcscd.comm", order["expected"], order["patience"])
        run_directory.show()
        control.send(json.dumps({"names": names}).encode())
        serve(control, parent, daemon)
    except Failed as failed:
        log = daemon.log if daemon is not None else ""
        answer = {"failed": failed.link, "detail": failed.detail, "log": log}
        with contextlib.suppress(OSError):
            control.send(json.dumps(answer).encode())
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if daemon is not None:
            daemon.stop()
        if run_directory is not None:
            run_directory.clean()


if __name__ == "__main__":
    main()
