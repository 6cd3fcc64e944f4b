"""The transport by mail, on the loopback alone: two real mail servers, the body's and the practice's.

A file goes from the practice to the body's mailbox by SMTP, and what the body answers goes to the practice's the same
way. The body works while the sender waits, in the thread of its server: one message at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import smtplib
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from bifente.ground.clock import Clock, WallClock
from bifente.simulator.formats.fse.model import TransportFile
from bifente.simulator.serving.mail.base import Reception, TransportError, TransportFailure
from bifente.simulator.serving.mail.disturbances import (
    Disturbance,
    DisturbanceEffect,
    DisturbedWay,
    MailDirection,
    Weather,
    flipped,
)
from bifente.simulator.serving.mail.mailbox import Mailbox
from bifente.simulator.serving.mail.messages import (
    MAX_MAIL,
    MailAttachment,
    MailError,
    body_address,
    practice_address,
    read_mail,
    write_mail,
)
from bifente.simulator.serving.mail.pop3 import Pop3Server
from bifente.simulator.serving.mail.pop3_client import ServesPop3

_LOOPBACK: Final = "127.0.0.1"
_PATIENCE: Final = 30.0
_FULL = frozenset({452, 552})
_SERVICE_DOWN = 421


class MailServer:
    """A mail server with one mailbox, on a free port of the loopback. ``deliver`` may raise TransportError.

    ``pending`` is what happens to the next message: who disturbs sets it, the server does it. ``crash`` is what
    ``deliver`` raised that it may not: the sender only sees a 451.
    """

    def __init__(self, mailbox: str, deliver: Callable[[MailAttachment], None], weather: Weather) -> None:
        self.mailbox = mailbox
        self.pending: Disturbance | None = None
        self.crash: Exception | None = None
        self._way = DisturbedWay[MailAttachment](
            deliver, lambda item: MailAttachment(item.name, flipped(item.data, weather.chance))
        )
        self._controller: _Loopback | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """Where it listens, or listened last."""
        return self._port

    def start(self) -> None:
        """Listen. Raises OSError."""
        self._controller = _Loopback(self, data_size_limit=MAX_MAIL, enable_SMTPUTF8=False, ident="BIFENTE LABORATOIRE")
        self._controller.start()
        self._port = self._controller.port

    def stop(self) -> None:
        """Stop listening; the port is free when this returns."""
        if self._controller is not None:
            self._controller.drain()
            self._controller.stop()
            self._controller = None

    def flush(self) -> None:
        """Deliver what is held on its way."""
        self._way.flush()

    # -- what the library calls -------------------------------------------------------------------------------------

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take mail for the one mailbox alone."""
        if address.lower() != self.mailbox.lower():
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message, or refuse it."""
        disturbance, self.pending = self.pending, None
        content = envelope.content
        try:
            item = read_mail(content if isinstance(content, bytes) else b"")
            self._way.carry(item, disturbance)
        except MailError as error:
            return f"554 5.6.0 {error}"
        except TransportError as error:
            return f"{_reply(error)} {error.detail}"
        except Exception as error:  # a bug of who receives must not pass for a refusal
            self.crash = error
            return "451 4.3.0 the body broke down"
        return "250 OK"


class _Loopback(Controller):
    """The library's controller on a port that the system chooses, known before the first connection."""

    def __init__(self, handler: MailServer, **parameters: Any) -> None:
        # With its protocol named: asyncio then sends small answers at once, else each EHLO waits 40 ms for an ACK.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind((_LOOPBACK, 0))
        super().__init__(handler, hostname=_LOOPBACK, port=self._socket.getsockname()[1], **parameters)
        self.ready_timeout = _PATIENCE
        self._dialogues: list[SMTP] = []

    def factory(self) -> SMTP:
        """One dialogue, remembered so that it can be ended."""
        made = SMTP(self.handler, **self.SMTP_kwargs)
        # Without a session: not begun yet. With one and no transport: over.
        self._dialogues = [*(one for one in self._dialogues if one.session is None or one.transport), made]
        return made

    def drain(self) -> None:
        """End every dialogue, before the loop stops: the library leaves those whose client has gone half open."""
        asyncio.run_coroutine_threadsafe(self._drain(), self.loop).result(_PATIENCE)

    async def _drain(self) -> None:
        if self.server is not None:
            self.server.close()
        await _turns()
        for dialogue in self._dialogues:
            if isinstance(dialogue.transport, asyncio.WriteTransport):
                dialogue.transport.abort()
        await _turns()

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        server: Awaitable[asyncio.AbstractServer] = self.loop.create_server(self._factory_invoker, sock=self._socket)
        return server


async def _turns() -> None:
    """Let the loop finish what it began: connections just taken, dialogues just told that their line is gone."""
    for _ in range(5):
        await asyncio.sleep(0)


class SmtpTransport:
    """One practice and one body that exchange mails. A context manager: both servers live as long as it is entered.

    ``reception`` may raise TransportError: the mail is refused (452, 552, 421). A return that the practice's server
    refuses is tried again at the next ``receive``. ``clock`` dates the mails. ``pop3``: the practice takes its returns
    out of its mailbox by POP3, and not out of the server's memory; from a small server of ours, or from one given.
    """

    def __init__(
        self,
        reception: Reception,
        *,
        sender: str,
        body: str,
        weather: Weather | None = None,
        clock: Clock | None = None,
        pop3: bool | ServesPop3 = False,
    ) -> None:
        self._reception = reception
        self._weather = weather or Weather()
        self._clock = clock or WallClock()
        self._practice, self._body = practice_address(sender), body_address(body)
        self._mailbox = Mailbox()
        self._waiting: deque[bytes] = deque()
        self._returns = 0
        self.body_server = MailServer(self._body, self._arrive, self._weather)
        self.practice_server = MailServer(self._practice, self._deliver, self._weather)
        self._pop3: ServesPop3 | None = None if isinstance(pop3, bool) else pop3
        if pop3 is True:
            self._pop3 = Pop3Server(self._mailbox, self._practice, secrets.token_hex(16))

    def __enter__(self) -> Self:
        self.body_server.start()
        try:
            self.practice_server.start()
            if self._pop3 is not None:
                self._pop3.start()
        except BaseException:
            self.body_server.stop()
            self.practice_server.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.body_server.stop()
        self.practice_server.stop()
        if self._pop3 is not None:
            self._pop3.stop()

    def send(self, file: TransportFile) -> None:
        """Mail a file to the body. Raises TransportError."""
        item = MailAttachment(file.name, file.data)
        self._hand_over(self.body_server, self._practice, item, self._weather.draw(MailDirection.OUT))

    def receive(self) -> list[bytes]:
        """What is in the practice's mailbox."""
        for _ in range(len(self._waiting)):
            self._answer(self._waiting.popleft())
        if self._pop3 is None:
            return self._mailbox.content()
        with self._pop3.client() as client:
            return client.content()

    def delete(self, count: int) -> None:
        """Take the oldest returns out of the mailbox. Raises ValueError."""
        if self._pop3 is None:
            self._mailbox.delete(count)
            return
        with self._pop3.client() as client:
            client.delete(count)

    def post(self, data: bytes) -> None:
        """The body mails a return. Raises TransportError."""
        self._returns += 1
        item = MailAttachment(f"retour-{self._returns:06}.dat", data)
        self._hand_over(self.practice_server, self._body, item, self._weather.draw(MailDirection.BACK))

    def flush(self) -> None:
        """Deliver what is held on its way, in both directions."""
        self.body_server.flush()
        self.practice_server.flush()

    def _deliver(self, item: MailAttachment) -> None:
        """Into the practice's mailbox: the file, or the whole mail where POP3 gives it."""
        if self._pop3 is None:
            self._mailbox.put(item.data)
            return
        identifier = hashlib.sha256(item.name.encode() + item.data).hexdigest()[:32]
        self._pop3.put(write_mail(self._body, self._practice, item, self._clock.now(), identifier))

    def _arrive(self, item: MailAttachment) -> None:
        for data in self._reception(item.data, item.name):
            self._answer(data)

    def _answer(self, data: bytes) -> None:
        try:
            self.post(data)
        except TransportError:
            self._waiting.append(data)

    def _hand_over(
        self, server: MailServer, sender: str, item: MailAttachment, disturbance: Disturbance | None
    ) -> None:
        now = self._clock.now()
        identifier = hashlib.sha256(f"{sender} {item.name} {now.isoformat()}".encode() + item.data).hexdigest()[:32]
        try:
            mail = write_mail(sender, server.mailbox, item, now, identifier)
        except MailError as error:
            raise TransportError(TransportFailure.REFUSED, str(error)) from error
        if len(mail) > MAX_MAIL:
            raise TransportError(TransportFailure.TOO_LARGE, f"a mail of {len(mail)} bytes, at most {MAX_MAIL}")
        if disturbance is not None and disturbance.effect is DisturbanceEffect.DOWN:
            server.stop()
            try:
                # The port it left may be anybody's by now; this one is held, and nobody listens there.
                with socket.socket() as deaf:
                    deaf.bind((_LOOPBACK, 0))
                    _mail(deaf.getsockname()[1], sender, server.mailbox, mail)
            finally:
                server.start()
            return
        server.pending = disturbance
        try:
            _mail(server.port, sender, server.mailbox, mail)
        except TransportError:
            crash, server.crash = server.crash, None
            if crash is not None:
                raise crash from None
            raise


def _mail(port: int, sender: str, recipient: str, mail: bytes) -> None:
    """Hand a mail to the server on a port of the loopback. Raises TransportError."""
    try:
        with smtplib.SMTP(_LOOPBACK, port, local_hostname="localhost", timeout=_PATIENCE) as client:
            client.sendmail(sender, [recipient], mail)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise _refused(code, text) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransportError(TransportFailure.SERVER_DOWN, f"no mail server answers: {error}") from error


def _refused(code: int, text: bytes | str) -> TransportError:
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    if code in _FULL:
        failure = TransportFailure.MAILBOX_FULL
    elif code == _SERVICE_DOWN:
        failure = TransportFailure.SERVER_DOWN
    else:
        failure = TransportFailure.REFUSED
    return TransportError(failure, words, code)


def _reply(error: TransportError) -> int:
    """The SMTP code that tells a refusal by the body."""
    if error.reply:
        return error.reply
    return {TransportFailure.MAILBOX_FULL: 452, TransportFailure.SERVER_DOWN: _SERVICE_DOWN}.get(error.failure, 554)
