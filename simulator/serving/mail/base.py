"""What carries files to a body and its returns back: the promise that every transport keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Protocol

from bifente.simulator.formats.fse.model import TransportFile

#: What a body does with a file: its bytes and its name, then the returns to send back, each as bytes.
Reception = Callable[[bytes, str], Iterable[bytes]]


class TransportFailure(StrEnum):
    """Why a file could not be handed over. It may be sent again, as it is."""

    SERVER_DOWN = "server-down"
    MAILBOX_FULL = "mailbox-full"
    REFUSED = "refused"
    TOO_LARGE = "too-large"


class TransportError(Exception):
    """A file that was not handed over. ``reply`` is the SMTP code of the refusal, 0 where there was none.

    ``lasting`` tells a refusal that the same file will meet again (5xx) from one that may pass (4xx, server down).
    """

    def __init__(self, failure: TransportFailure, detail: str, reply: int = 0) -> None:
        self.failure = failure
        self.detail = detail
        self.reply = reply
        self.lasting = reply >= 500 or failure is TransportFailure.TOO_LARGE
        super().__init__(f"{failure.value}: {detail}" + (f" ({reply})" if reply else ""))


class Transport(Protocol):
    """One practice's way to the bodies. What is sent may be lost, come twice, late or changed: nothing tells.

    Returns come into a mailbox and stay there until they are deleted, as with POP3 (RETR, then DELE): who deletes only
    what it has kept loses nothing if it stops in between, and finds it again.
    """

    def send(self, file: TransportFile) -> None:
        """Hand a file over. Raises TransportError if that fails; success says nothing about the body."""

    def receive(self) -> list[bytes]:
        """What is in the mailbox, in the order of arrival. It stays there until it is deleted."""

    def delete(self, count: int) -> None:
        """Take the ``count`` oldest returns out of the mailbox: those that ``receive`` gave and that are kept now.

        Raises ValueError if there are not so many.
        """

    def post(self, data: bytes) -> None:
        """The body sends a return of its own accord (a late ARL, an RSP). Raises TransportError."""
