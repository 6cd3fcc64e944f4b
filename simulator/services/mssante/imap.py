"""The mailboxes read by IMAP: Dovecot as the distribution packages it, on loopback, behind client certificates.

There is no IMAP server in Python that is kept up.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from bifente.simulator.pki.judging import TrustedAuthorities
from bifente.simulator.services.mssante.house import free_port
from bifente.simulator.serving.dovecot import Dovecot, DovecotUser
from bifente.simulator.serving.tls import ServerIdentity

_SETTINGS = """
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
passdb {
  # Who asks by its certificate to be the mailbox of that address: its holder alone.
  driver = passwd-file
  args = username_format=%u/%{login_user} {folder}/holders
  master = yes
}
service imap-login {
  chroot =
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = {port}
    ssl = yes
  }
}
"""


class ImapHouse(Dovecot):
    """An IMAP server over TLS. A context manager. Raises DovecotError.

    ``folders`` are the Maildirs by the common name of the certificate that opens them, each named by its address: SASL
    EXTERNAL is the only way in, and whom a client asks to be there is nobody, that name or that address. ``lists`` are
    revocation lists (PEM) of all authorities as they are when it starts: without one that is current, nobody gets in.
    ``folder`` is a private one, for its own files.
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
        pem = [one.public_bytes(Encoding.PEM) for one in (*trusted.authorities, *trusted.roots)]
        files = {
            "server.pem": b"".join(one.public_bytes(Encoding.PEM) for one in identity.chain[:-1]),
            "server.key": identity.key,
            "authorities.pem": b"".join(pem) + lists,
        }
        port = port or free_port()
        holders = "".join(f"{name}/{path.name}:::::::nopassword=y\n" for name, path in folders.items())
        files["holders"] = holders.encode("utf-8")
        named = {**folders, **{path.name: path for path in folders.values()}}
        users = {name: DovecotUser(path, fields="nopassword=y") for name, path in named.items()}
        super().__init__(folder, "imap", users, _SETTINGS.replace("{port}", str(port)), port=port, files=files)
