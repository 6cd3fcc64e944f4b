"""A practice's mailbox by POP3 (RFC 1939), on the loopback alone: a small server of the laboratory.

Kept servers are a system's (Dovecot), or far larger than the bench itself (Twisted's); this one knows one mailbox, one
dialogue at a time, and no more than a practice asks.
"""

from __future__ import annotations

import hashlib
import hmac
import socketserver
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from bifente.simulator.serving.mail.mailbox import Mailbox
from bifente.simulator.serving.mail.pop3_client import Pop3Client

_LOOPBACK: Final = "127.0.0.1"
_PATIENCE: Final = 30.0
_LONGEST_LINE: Final = 255
_END: Final = b"\r\n"


class Pop3Server:
    """Serves one mailbox, whose items are whole mails, to one user. ``start`` listens on a free port."""

    def __init__(self, mailbox: Mailbox, user: str, password: str) -> None:
        self.mailbox, self.user, self.password = mailbox, user, password
        self.turn = threading.Lock()
        """Held by the dialogue that has the mailbox: nobody else sees it until that one ends."""
        self._server: _Listener | None = None
        self.port = 0

    def start(self) -> None:
        """Listen. Raises OSError."""
        self._server = _Listener((_LOOPBACK, 0), _Dialogue, self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening; the port is free when this returns."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def put(self, mail: bytes) -> None:
        """A mail arrives."""
        self.mailbox.put(mail)

    def client(self) -> Pop3Client:
        """Return what empties it, to be entered."""
        return Pop3Client(_LOOPBACK, self.port, self.user, self.password)


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: Any, served: Pop3Server) -> None:
        self.served = served
        super().__init__(address, handler)


class _Dialogue(socketserver.StreamRequestHandler):
    """One client: authorisation, then the mailbox as it was when it was let in; what it deletes goes when it quits."""

    timeout = _PATIENCE
    server: _Listener

    def handle(self) -> None:
        self._user = ""
        self._mails: list[bytes] | None = None
        self._gone: set[int] = set()
        self._say("+OK BIFENTE LABORATOIRE")
        try:
            while self._one():
                pass
        except (OSError, ValueError):
            pass  # the client went away, or sent what no client sends
        finally:
            if self._mails is not None:
                self.server.served.turn.release()

    def _one(self) -> bool:
        line = self.rfile.readline(_LONGEST_LINE + 1)
        if not line.endswith(b"\n"):
            return False
        verb, _, argument = line.decode("ascii").strip().partition(" ")
        before, after = _BEFORE.get(verb.upper()), _AFTER.get(verb.upper())
        run = before if self._mails is None else after
        if run is None:
            self._say("-ERR not now" if before or after else "-ERR unknown")
            return True
        return run(self, argument)

    # -- authorisation ------------------------------------------------------------------------------------------------

    def _user_is(self, name: str) -> bool:
        self._user = name
        self._say("+OK")
        return True

    def _pass(self, password: str) -> bool:
        served = self.server.served
        right = hmac.compare_digest(password.encode(), served.password.encode())
        if not (right and self._user.lower() == served.user.lower()):
            self._say("-ERR [AUTH] no such user or password")
            return True
        if not served.turn.acquire(blocking=False):
            self._say("-ERR [IN-USE] somebody else has the mailbox")
            return True
        self._mails = served.mailbox.content()
        self._say(f"+OK {len(self._mails)} messages")
        return True

    def _capabilities(self, _argument: str) -> bool:
        self._say("+OK", "USER", "UIDL", "RESP-CODES", ".")
        return True

    # -- the mailbox --------------------------------------------------------------------------------------------------

    def _there(self) -> list[tuple[int, bytes]]:
        return [(at, mail) for at, mail in enumerate(self._mails or (), 1) if at not in self._gone]

    def _stat(self, _argument: str) -> bool:
        mails = self._there()
        self._say(f"+OK {len(mails)} {sum(len(mail) for _, mail in mails)}")
        return True

    def _listed(self, argument: str, told: Callable[[int, bytes], str]) -> bool:
        mails = self._there()
        if argument:
            found = [told(at, mail) for at, mail in mails if str(at) == argument]
            self._say(f"+OK {found[0]}" if found else "-ERR no such message")
        else:
            self._say("+OK", *(told(at, mail) for at, mail in mails), ".")
        return True

    def _list(self, argument: str) -> bool:
        return self._listed(argument, lambda at, mail: f"{at} {len(mail)}")

    def _ids(self, argument: str) -> bool:
        return self._listed(argument, lambda at, mail: f"{at} {hashlib.sha256(mail).hexdigest()[:32]}")

    def _retrieve(self, argument: str) -> bool:
        mail = next((mail for at, mail in self._there() if str(at) == argument), None)
        if mail is None:
            self._say("-ERR no such message")
            return True
        self._say(f"+OK {len(mail)} octets")
        lines = mail.removesuffix(_END).split(_END)
        self.wfile.write(b"".join((b"." if line.startswith(b".") else b"") + line + _END for line in lines) + b".\r\n")
        return True

    def _delete(self, argument: str) -> bool:
        found = any(str(at) == argument for at, _ in self._there())
        self._gone |= {int(argument)} if found else set()
        self._say("+OK" if found else "-ERR no such message")
        return True

    def _reset(self, _argument: str) -> bool:
        self._gone.clear()
        self._say("+OK")
        return True

    def _nothing(self, _argument: str) -> bool:
        self._say("+OK")
        return True

    def _quit(self, _argument: str) -> bool:
        if self._mails is not None:
            self.server.served.mailbox.remove({at - 1 for at in self._gone})
            # Before the answer: who has it may come again at once.
            self._mails = None
            self.server.served.turn.release()
        self._say("+OK")
        return False

    def _say(self, *lines: str) -> None:
        self.wfile.write(b"".join(line.encode("ascii") + _END for line in lines))


_Command = Callable[[_Dialogue, str], bool]
_BEFORE: Mapping[str, _Command] = {
    "USER": _Dialogue._user_is,
    "PASS": _Dialogue._pass,
    "CAPA": _Dialogue._capabilities,
    "QUIT": _Dialogue._quit,
}
_AFTER: Mapping[str, _Command] = {
    "STAT": _Dialogue._stat,
    "LIST": _Dialogue._list,
    "UIDL": _Dialogue._ids,
    "RETR": _Dialogue._retrieve,
    "DELE": _Dialogue._delete,
    "RSET": _Dialogue._reset,
    "NOOP": _Dialogue._nothing,
    "CAPA": _Dialogue._capabilities,
    "QUIT": _Dialogue._quit,
}
