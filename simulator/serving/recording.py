"""What passes between a service and whoever calls it, told message by message as plain values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bifente.ground.clock import Clock
from bifente.simulator.serving.service import Asgi, Service

LONGEST_BODY = 1_048_576
"""Bytes of a body that are kept; the service gets all of it."""


class Heading(StrEnum):
    """Which way a message goes, as the service sees it."""

    RECEIVED = "received"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Passed:
    """One message. ``peer`` is the service's name; ``status`` is None in a request, and where there is no such thing.

    ``size`` counts the whole body, ``body`` holds at most ``LONGEST_BODY`` bytes of it. ``seconds`` is, of an answer,
    how long it took on the bench's clock; 0 in a request.
    """

    protocol: str
    peer: str
    direction: Heading
    method: str
    url: str
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    size: int
    seconds: float = 0.0

    @property
    def line(self) -> str:
        """What begins it: the status of an answer, else the method and what it is about."""
        if self.status is None:
            target = urlsplit(self.url)
            return f"{self.method} {urlunsplit(('', '', *target[2:]))}".rstrip()
        return f"{self.status} {_PHRASES.get(self.status, '')}".rstrip()


_PHRASES = {status.value: status.phrase for status in HTTPStatus}

Hear = Callable[[Passed], None]
Learn = Callable[[Iterable[tuple[str, str]], bytes], None]
_Message = MutableMapping[str, Any]


class Recorded:
    """An ASGI application that tells what passes through another one; served or called in process, the same.

    ``learn`` is given a request before it is told, to declare what is secret in it.
    """

    def __init__(
        self, application: Asgi, peer: str, clock: Clock, hear: Hear, learn: Learn = lambda headers, body: None
    ) -> None:
        self._application = application
        self._peer = peer
        self._clock = clock
        self._hear = hear
        self._learn = learn

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Answer as the application does; the request is told once its body was read, or at the answer at the latest.

        Where the application fails without an answer, the request alone is told.
        """
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        telling = _Telling(self._peer, scope, self._clock, self._hear, self._learn)

        async def received() -> _Message:
            message = await receive()
            telling.received(message)
            return message

        async def sent(message: _Message) -> None:
            telling.sent(message)
            await send(message)

        try:
            await self._application(scope, received, sent)
        finally:
            telling.request()


class _Body:
    """The first bytes of a body, and how many there were."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.size = 0

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self.kept += piece[: LONGEST_BODY - len(self.kept)]


class _Telling:
    """One request and its answer."""

    def __init__(self, peer: str, scope: _Message, clock: Clock, hear: Hear, learn: Learn) -> None:
        self._peer = peer
        self._scope = scope
        self._clock = clock
        self._hear = hear
        self._learn = learn
        self._since = clock.monotonic()
        self._asked, self._answered = _Body(), _Body()
        self._told = False
        self._start: _Message = {}

    def received(self, message: _Message) -> None:
        if message["type"] == "http.request":
            self._asked.add(message.get("body", b""))
            if not message.get("more_body", False):
                self.request()

    def sent(self, message: _Message) -> None:
        if message["type"] == "http.response.start":
            self.request()
            self._start = message
        elif message["type"] == "http.response.body":
            self._answered.add(message.get("body", b""))
            if not message.get("more_body", False):
                seconds = self._clock.monotonic() - self._since
                self._tell(Heading.SENT, self._start["status"], _texts(self._start.get("headers", ())), seconds)

    def request(self) -> None:
        if not self._told:
            self._told = True
            headers = _texts(self._scope["headers"])
            self._learn(headers, bytes(self._asked.kept))
            self._tell(Heading.RECEIVED, None, headers, 0.0)

    def _tell(
        self, direction: Heading, status: int | None, headers: tuple[tuple[str, str], ...], seconds: float
    ) -> None:
        body = self._asked if direction is Heading.RECEIVED else self._answered
        self._hear(
            Passed(
                protocol=self._scope["scheme"],
                peer=self._peer,
                direction=direction,
                method=self._scope["method"],
                url=_url(self._scope),
                status=status,
                headers=headers,
                body=bytes(body.kept),
                size=body.size,
                seconds=seconds,
            )
        )


def recorded(service: Service, clock: Clock, hear: Hear) -> Recorded:
    """Return the application of a service that tells what passes, each secret of a request declared before."""
    return Recorded(service.application, service.name, clock, hear, service.learn)


def _texts(headers: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers])


def _url(scope: _Message) -> str:
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "localhost")
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope['scheme']}://{host}{path}" + (f"?{query}" if query else "")
