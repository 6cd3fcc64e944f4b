"""Dovecot as the distribution packages it, an ordinary process on loopback that ends with the bench.

It runs as the user who starts it. It gives no mail to root: started by root, in a container, it runs as nobody who may
read and write root's folders.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"
_STARTED_WITHIN = 10.0
_LOOK = 0.02
_READS_ALL = "+dac_override,+dac_read_search,+fowner"
"""What lets nobody read and write root's folders; access(2) heeds it by the secure bit no_setuid_fixup alone."""


class DovecotError(Exception):
    """Dovecot is not there, or does not start. One sentence."""


@dataclass(frozen=True)
class DovecotUser:
    """A row of its passwd-file: the Maildir, the password as that file writes it, and further fields."""

    maildir: Path
    password: str = ""
    fields: str = ""


class Dovecot:
    """A mail server that serves Maildirs by one protocol (``imap``, ``pop3``). A context manager. Raises DovecotError.

    ``folder`` is a private one, for its own files and those of ``files`` by name. ``settings`` are what its protocol
    adds to the configuration, the listener on ``port`` among it; ``{folder}`` in them is that folder. ``users``: who
    may open what.
    """

    def __init__(
        self,
        folder: Path,
        protocol: str,
        users: Mapping[str, DovecotUser],
        settings: str,
        *,
        port: int,
        files: Mapping[str, bytes],
    ) -> None:
        program, folder = _found(protocol), folder.absolute()
        self.port = port
        self._log = folder / "dovecot.log"
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        rows = [
            f"{name}:{one.password}:{user.pw_uid}:{user.pw_gid}::{folder}:: {one.fields} "
            f"userdb_mail=maildir:{one.maildir.absolute()}\n"
            for name, one in users.items()
        ]
        for name, content in {**files, "users": "".join(rows).encode("utf-8")}.items():
            _keep(folder / name, content)
        # Its sockets lie here: the name of one has 108 bytes at most.
        self._sockets = tempfile.TemporaryDirectory(prefix="bifente-dovecot-")
        configuration = _configuration(folder, self._sockets.name, protocol, user) + settings.replace(
            "{folder}", str(folder)
        )
        _keep(folder / "dovecot.conf", configuration.encode("utf-8"))
        command = ["--", program, "-F", "-c", str(folder / "dovecot.conf")]
        if os.geteuid() == 0:
            who = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            caps = [f"--inh-caps=-all,{_READS_ALL}", f"--ambient-caps=-all,{_READS_ALL}"]
            command = [*who, *caps, "--securebits=+no_setuid_fixup", *command]
        # Told to end when the thread that starts it does, even by SIGKILL: its own processes then end by it.
        command = ["setpriv", "--pdeathsig=TERM", *command]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder
        )
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop it, and every process of its own."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STARTED_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._sockets.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + _STARTED_WITHIN
        while True:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise DovecotError(f"dovecot does not start: {self._said()}")
            try:
                socket.create_connection((LOOPBACK, self.port), 1.0).close()
            except OSError:
                time.sleep(_LOOK)
            else:
                return

    def _said(self) -> str:
        told = ""
        if self._process.poll() is not None and self._process.stderr is not None:
            told = self._process.stderr.read(2_000).decode("utf-8", "replace")
        if self._log.is_file():
            told += self._log.read_text(encoding="utf-8", errors="replace")[-1_000:]
        return " ".join(told.split()) or "it says nothing"


def _found(protocol: str) -> str:
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None or not Path(f"/usr/lib/dovecot/{protocol}-login").exists():
        raise DovecotError(f"Dovecot is not installed (apt-get install dovecot-{protocol}d)")
    return found


def _keep(path: Path, content: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(content)


def _configuration(folder: Path, sockets: str, protocol: str, user: pwd.struct_passwd) -> str:
    group = grp.getgrgid(user.pw_gid).gr_name
    return f"""# For one user, on this machine alone; every process is that user's.
base_dir = {sockets}
state_dir = {sockets}
log_path = {folder}/dovecot.log
default_internal_user = {user.pw_name}
default_login_user = {user.pw_name}
default_internal_group = {group}
first_valid_uid = 1
first_valid_gid = 1
protocols = {protocol}
listen = {LOOPBACK}
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""
