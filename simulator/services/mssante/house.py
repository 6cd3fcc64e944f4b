"""An SMTP server of the operator, on loopback, its mailboxes Maildir folders that any mail client or IMAP server reads.

There is no IMAP server in Python that is kept up; Dovecot, as Debian packages it, serves these folders as they are.
"""

from __future__ import annotations

import mailbox
import re
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"
LONGEST = 20_000_000
"""Bytes of one message."""
_ADDRESS = re.compile(r"[a-z0-9.-]{1,60}@[a-z0-9.-]{1,60}")


class MailHouse:
    """Mailboxes by address, below ``folder``. Mail for anybody else is refused: nothing is relayed.

    With a TLS context a client must use STARTTLS before it sends.
    """

    def __init__(
        self, folder: Path, addresses: Iterable[str], context: ssl.SSLContext | None = None, port: int = 0
    ) -> None:
        self._boxes: dict[str, mailbox.Maildir] = {}
        for address in addresses:
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no address of a mailbox")
            self._boxes[address] = mailbox.Maildir(folder / address, create=True)
        self._controller = Controller(
            self,
            hostname=LOOPBACK,
            port=port or _free_port(),
            data_size_limit=LONGEST,
            tls_context=context,
            require_starttls=context is not None,
        )
        self._controller.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._controller.port)

    def mails(self, address: str) -> list[bytes]:
        """Return what lies in a mailbox, in the order of arrival."""
        box = self._boxes[address]
        return [box.get_bytes(key) for key in sorted(box.keys())]

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take an addressee who has a mailbox here."""
        del server, session, options
        if address.lower() not in self._boxes:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address.lower())
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Put a message into the mailbox of each addressee."""
        del server, session
        content: Any = envelope.content
        for address in envelope.rcpt_tos:
            self._boxes[address].add(content if isinstance(content, bytes) else str(content).encode())
        return "250 OK"

    def close(self) -> None:
        """Take no more mail."""
        self._controller.stop()

    def __enter__(self) -> MailHouse:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        return int(free.getsockname()[1])
