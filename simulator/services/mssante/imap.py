"""The mailboxes read by IMAP: Dovecot as the distribution packages it, on loopback, behind client certificates.

There is no IMAP server in Python that is kept up. Dovecot runs as the user who starts it. It gives no mail to root:
started by root, in a container, it runs as nobody who may read and write root's folders.
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
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from bifente.simulator.pki.judging import TrustedAuthorities
from bifente.simulator.services.mssante.house import LOOPBACK, free_port
from bifente.simulator.serving.tls import ServerIdentity

_STARTED_WITHIN = 10.0
_LOOK = 0.02
_READS_ALL = "+dac_override,+dac_read_search,+fowner"
"""What lets nobody read and write root's folders; access(2) heeds it by the secure bit no_setuid_fixup alone."""


class ImapError(Exception):
    """Dovecot is not there, or does not start. One sentence."""


class ImapHouse:
    """An IMAP server over TLS. A context manager. Raises ImapError.

    ``folders`` are the Maildirs by the common name of the certificate that opens them: SASL EXTERNAL is the only way
    in. ``lists`` are revocation lists (PEM) of all authorities, as they are when it starts: without one that is
    current, nobody is let in. ``folder`` is a private one, for its own files.
    """

    def __init__(
        self,
        folder: Path,
        folders: Mapping[str, Path],
        identity: ServerIdentity,
        trusted: TrustedAuthorities,
        lists: bytes,
        port: int = 0,
    ) -> None:
        dovecot, folder = _found(), folder.absolute()
        self.port = port or free_port()
        self._log = folder / "dovecot.log"
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        pem = [one.public_bytes(Encoding.PEM) for one in (*trusted.authorities, *trusted.roots)]
        _keep(folder / "server.pem", b"".join(one.public_bytes(Encoding.PEM) for one in identity.chain[:-1]))
        _keep(folder / "server.key", identity.key)
        _keep(folder / "authorities.pem", b"".join(pem) + lists)
        rows = [
            f"{name}::{user.pw_uid}:{user.pw_gid}::{folder}:: nopassword=y userdb_mail=maildir:{path.absolute()}\n"
            for name, path in folders.items()
        ]
        _keep(folder / "users", "".join(rows).encode("utf-8"))
        # Its sockets lie here: the name of one has 108 bytes at most.
        self._sockets = tempfile.TemporaryDirectory(prefix="bifente-imap-")
        _keep(folder / "dovecot.conf", _configuration(folder, self._sockets.name, self.port, user).encode("utf-8"))
        command = ["--", dovecot, "-F", "-c", str(folder / "dovecot.conf")]
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

    def __enter__(self) -> ImapHouse:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + _STARTED_WITHIN
        while True:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ImapError(f"dovecot does not start: {self._said()}")
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


def _found() -> str:
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None or not Path("/usr/lib/dovecot/imap-login").exists():
        raise ImapError("Dovecot is not installed (apt-get install dovecot-imapd)")
    return found


def _keep(path: Path, content: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(content)


def _configuration(folder: Path, sockets: str, port: int, user: pwd.struct_passwd) -> str:
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
protocols = imap
listen = {LOOPBACK}
ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
ssl_ca = <{folder}/authorities.pem
ssl_require_crl = yes
ssl_verify_client_cert = yes
ssl_cert_username_field = commonName
auth_ssl_require_client_cert = yes
auth_ssl_username_from_cert = yes
auth_mechanisms = external
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
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
