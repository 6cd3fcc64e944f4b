"""An SMTP server of the operator, on loopback, its mailboxes Maildir folders that any mail client reads."""

from __future__ import annotations

import asyncio
import mailbox
import re
import secrets
import socket
import ssl
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bifente.simulator.pki.judging import CertificateJudge
from bifente.simulator.pki.refusals import CertificateRefusedError

LOOPBACK = "127.0.0.1"
LONGEST = 20_000_000
"""Bytes of one message."""
_ADDRESS = re.compile(r"[a-z0-9.-]{1,60}@[a-z0-9.-]{1,60}")
_MOMENT = re.compile(r"(\d+)\.(?:M(\d+))?(?:P\d+)?(?:Q(\d+))?")
_PORTS = range(10_000, 32_000)
"""Where a port is looked for: the system gives those of connections, and those that are asked for as 0, above."""
_STARTED_WITHIN = 30.0
_HOLDER, _REFUSED = "bifente_holder", "bifente_refused"


class _Smtp(SMTP):
    async def push(self, status: Any) -> None:
        # The library refuses whatever follows a handshake that was not accepted, and tells nobody why.
        why = getattr(self.session, _REFUSED, "")
        refused = isinstance(status, str) and status.startswith("554 ") and why
        await super().push(f"554 5.7.0 client certificate refused: {why}" if refused else status)


class _Controller(Controller):
    """The library's controller on a port that is its own from the beginning, by default one that the system chooses."""

    def __init__(self, handler: MailHouse, port: int, **parameters: Any) -> None:
        # With its protocol named: asyncio then sends small answers at once.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((LOOPBACK, port))
        except OSError:
            self._socket.close()
            raise
        super().__init__(handler, hostname=LOOPBACK, port=self._socket.getsockname()[1], **parameters)
        self.ready_timeout = _STARTED_WITHIN

    def factory(self) -> SMTP:
        return _Smtp(self.handler, **self.SMTP_kwargs)

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        server: Awaitable[asyncio.AbstractServer] = self.loop.create_server(self._factory_invoker, sock=self._socket)
        return server


class MailHouse:
    """Mailboxes by address, below ``folder``. Mail for anybody else is refused: nothing is relayed.

    With a TLS context a client must use STARTTLS before it sends. With ``judge`` it must show a certificate there that
    the judge believes; whoever has a mailbox here (``holders``: by the common name of the certificate) sends from it
    alone, a software of a structure from any.
    """

    def __init__(
        self,
        folder: Path,
        addresses: Iterable[str],
        context: ssl.SSLContext | None = None,
        port: int = 0,
        *,
        judge: CertificateJudge | None = None,
        holders: Mapping[str, str] | None = None,
    ) -> None:
        self._boxes: dict[str, mailbox.Maildir] = {}
        for address in addresses:
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no address of a mailbox")
            self._boxes[address] = mailbox.Maildir(folder / address, create=True)
        self._judge, self._holders = judge, dict(holders or {})
        if context is not None and judge is not None:
            _ask_certificates(context, judge)
        self._controller = _Controller(
            self,
            port,
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
        return [box.get_bytes(key) for key in sorted(box.keys(), key=_arrival)]

    def handle_STARTTLS(self, server: SMTP, session: Session, envelope: Envelope) -> bool:  # noqa: N802 - aiosmtpd's name
        """Look at the certificate of the client; one that is not believed is answered 554 whatever it asks then."""
        del server, envelope
        if self._judge is None:
            return True
        shown: bytes | None = session.ssl["ssl_object"].getpeercert(binary_form=True)  # type: ignore[index]
        try:
            chain = self._judge.judge_der([shown] if shown else [])
        except CertificateRefusedError as error:
            setattr(session, _REFUSED, error.text.en)
            return False
        setattr(session, _HOLDER, common_name(chain[0]))
        return True

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a sender: whoever has a mailbox here is no other's."""
        del server
        own = self._holders.get(getattr(session, _HOLDER, ""))
        if own is not None and address.lower() != own:
            return "553 5.7.1 the certificate is not of this sender"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
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


def common_name(certificate: x509.Certificate) -> str:
    """Return the common name: the national number of a professional, the name of a software."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _arrival(key: str) -> tuple[int, ...]:
    """Return when a mail came, by its name in a Maildir: the second, the microsecond, and which of that moment."""
    found = _MOMENT.match(key)
    return tuple(int(number or 0) for number in found.groups()) if found is not None else ()


def free_port() -> int:
    """Return a port that nobody has now, and that the system gives to nobody: it is for a server that starts later."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as free, suppress(OSError):
            free.bind((LOOPBACK, port))
            return port


def _ask_certificates(context: ssl.SSLContext, judge: CertificateJudge) -> None:
    known = (*judge.trusted.authorities, *judge.trusted.roots)
    context.load_verify_locations(cadata="".join(one.public_bytes(Encoding.PEM).decode("ascii") for one in known))
    # A client without any is told so by the judge, in words.
    context.verify_mode = ssl.CERT_OPTIONAL
    # In TLS 1.3 a CPS3, which does no PSS, cannot sign.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
