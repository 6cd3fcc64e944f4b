"""Who empties a practice's mailbox by POP3: ours, or one of a kept server. The library's client does the talking."""

from __future__ import annotations

import poplib
import ssl
from contextlib import suppress
from typing import Final, Protocol, Self

from bifente.simulator.serving.mail.base import TransportError, TransportFailure
from bifente.simulator.serving.mail.messages import MAX_MAIL, read_mail

_PATIENCE: Final = 30.0
_END: Final = b"\r\n"


class ServesPop3(Protocol):
    """A mailbox of a practice that a server gives by POP3: ours, or a kept one."""

    def start(self) -> None:
        """Listen. Raises OSError."""

    def stop(self) -> None:
        """Stop listening."""

    def put(self, mail: bytes) -> None:
        """A mail arrives."""

    def client(self) -> Pop3Client:
        """Return what empties it, to be entered."""
        ...


class Pop3Client:
    """Empties a mailbox on a server: any that speaks POP3 there, ours or a kept one. A context manager.

    With a TLS context it speaks TLS from the first byte (pop3s). What it deletes is gone once it is left without an
    error. Raises TransportError whatever the server does or says.
    """

    def __init__(self, host: str, port: int, user: str, password: str, context: ssl.SSLContext | None = None) -> None:
        self._host, self._port, self._user, self._password = host, port, user, password
        self._context = context
        self._box: poplib.POP3 | None = None

    def __enter__(self) -> Self:
        try:
            box = self._connected()
        except (poplib.error_proto, OSError) as error:
            raise TransportError(TransportFailure.SERVER_DOWN, f"no mailbox answers: {_said(error)}") from error
        try:
            box.user(self._user)
            box.pass_(self._password)
        except (poplib.error_proto, OSError) as error:
            box.close()
            raise _failed("the mailbox does not open", error) from error
        self._box = box
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        box, self._box = self._open, None
        if kind is not None:
            # Nothing is deleted, and the mailbox is free at once: a connection that only ends is noticed late.
            with suppress(poplib.error_proto, OSError):
                box.rset()
                box.quit()
            box.close()
            return
        try:
            box.quit()
        except (poplib.error_proto, OSError) as error:
            box.close()
            raise _failed("the mailbox was not left in order", error) from error

    def content(self) -> list[bytes]:
        """Return the files in the mails that are there, in their order; they stay. Raises MailError, TransportError."""
        try:
            return [read_mail(self._mail(at)).data for at in range(1, self._open.stat()[0] + 1)]
        except (poplib.error_proto, OSError) as error:
            raise _failed("a return cannot be fetched", error) from error

    def delete(self, count: int) -> None:
        """Delete the oldest mails. Raises ValueError if there are not so many, TransportError."""
        try:
            there = self._open.stat()[0]
            if not 0 <= count <= there:
                raise ValueError(f"{there} returns are there, {count} cannot be deleted")
            for at in range(1, count + 1):
                self._open.dele(at)
        except (poplib.error_proto, OSError) as error:
            raise _failed("a return cannot be deleted", error) from error

    @property
    def _open(self) -> poplib.POP3:
        assert self._box is not None  # noqa: S101 - it is entered
        return self._box

    def _connected(self) -> poplib.POP3:
        if self._context is None:
            return poplib.POP3(self._host, self._port, timeout=_PATIENCE)
        return poplib.POP3_SSL(self._host, self._port, timeout=_PATIENCE, context=self._context)

    def _mail(self, at: int) -> bytes:
        if int(self._open.list()[1][at - 1].split()[-1]) > MAX_MAIL:
            raise TransportError(TransportFailure.TOO_LARGE, f"mail {at} is larger than {MAX_MAIL} bytes")
        return _END.join(self._open.retr(at)[1]) + _END


def _failed(what: str, error: Exception) -> TransportError:
    """What the server refused in a word of its own, or that it went away."""
    refused = isinstance(error, poplib.error_proto) and error.args and isinstance(error.args[0], bytes)
    return TransportError(
        TransportFailure.REFUSED if refused else TransportFailure.SERVER_DOWN, f"{what}: {_said(error)}"
    )


def _said(error: Exception) -> str:
    told = error.args[0] if error.args else error
    return told.decode("ascii", "replace").removeprefix("-ERR ") if isinstance(told, bytes) else str(error)
