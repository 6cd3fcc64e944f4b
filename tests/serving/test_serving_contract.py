"""The contract of a service, its callers, and what is told of what passes."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bifente.ground.clock import VirtualClock
from bifente.ground.text import Text
from bifente.simulator.formats.jose import SigningKey
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.readers.wireless import Pairing, Platform, Terminal, TerminalParameters
from bifente.simulator.services.cloudfsv import Bearers, CloudFsv, CloudFsvService
from bifente.simulator.serving.calling import Caller, in_process, over_tls
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import LONGEST_BODY, Heading, Passed, Recorded
from bifente.simulator.serving.service import Asgi, Declare, Service, ServiceError, to_nobody
from bifente.simulator.serving.tls import ServerIdentity

KEYS = MemoryKeys()


class Echo(Service):
    """Answers what it is told, late, unless it is in trouble."""

    name = "echo"
    title = Text("Écho", "Echo")
    offered = frozenset({"echo-hoarse"})

    def __init__(self, clock: VirtualClock, declare: Declare = to_nobody) -> None:
        super().__init__(declare)
        self._clock = clock
        self._application = Starlette(
            routes=[
                Route("/say", self._say, methods=["POST"]),
                Route("/unread", self._unread, methods=["POST"]),
                Route("/long", self._long),
            ]
        )

    @property
    def application(self) -> Asgi:
        return self._application

    def state(self) -> Mapping[str, Any]:
        return {}

    async def _say(self, request: Request) -> Response:
        self._clock.advance(1.5)
        body = await request.body()
        self.declare(body)
        return PlainTextResponse(b"hoarse" if "echo-hoarse" in self.troubles else body)

    async def _unread(self, request: Request) -> Response:
        return PlainTextResponse("no", 403)

    async def _long(self, request: Request) -> Response:
        async def pieces() -> Any:
            for _ in range(3):
                yield b"x" * LONGEST_BODY

        return StreamingResponse(pieces())


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def told(application: Callable[..., Any], clock: VirtualClock) -> tuple[Recorded, list[Passed]]:
    heard: list[Passed] = []
    return Recorded(application, "echo", clock, heard.append), heard


def test_a_call_in_process_is_told_in_two_messages(clock: VirtualClock) -> None:
    recorded, heard = told(Echo(clock).application, clock)
    with in_process(recorded, {"X-Who": "me"}) as caller:
        assert caller.request("POST", "/say?twice=1", content="bonjour").text == "bonjour"
    asked, answered = heard
    assert (asked.protocol, asked.peer, asked.method) == ("https", "echo", "POST")
    assert asked.url == answered.url == "https://localhost/say?twice=1"
    assert (asked.direction, asked.status, asked.body, asked.seconds) == (Heading.RECEIVED, None, b"bonjour", 0.0)
    assert ("x-who", "me") in asked.headers
    assert (answered.direction, answered.status, answered.body) == (Heading.SENT, 200, b"bonjour")
    assert answered.seconds == pytest.approx(1.5)


def test_over_tls_the_same_service_gives_the_same_answer_and_the_same_messages(clock: VirtualClock) -> None:
    identity = ServerIdentity.make(Pki(KEYS), KEYS, datetime.now(UTC))
    recorded, heard = told(Echo(clock).application, clock)

    def asks(caller: Caller) -> str:
        return caller.request("POST", "/say", content="bonjour").text

    with LoopbackServer(recorded, identity.context()) as server, over_tls(server.url, identity.trust) as caller:
        assert asks(caller) == "bonjour"
    with in_process(recorded) as caller:
        assert asks(caller) == "bonjour"
    kept = [(one.protocol, one.direction, one.method, one.status, one.body, one.size) for one in heard]
    assert kept[:2] == kept[2:]


def test_a_caller_that_trusts_another_authority_says_nothing(clock: VirtualClock) -> None:
    identity = ServerIdentity.make(Pki(KEYS), KEYS, datetime.now(UTC))
    others = MemoryKeys()
    stranger = ServerIdentity.make(Pki(others), others, datetime.now(UTC))
    recorded, heard = told(Echo(clock).application, clock)
    with (
        LoopbackServer(recorded, identity.context()) as server,
        over_tls(server.url, stranger.trust) as caller,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        caller.request("POST", "/say", content="bonjour")
    assert heard == []


def test_a_body_that_the_service_does_not_read_is_told_as_unread_and_before_the_answer(clock: VirtualClock) -> None:
    recorded, heard = told(Echo(clock).application, clock)
    with in_process(recorded) as caller:
        assert caller.request("POST", "/unread", content="bonjour").status_code == 403
    assert [(one.direction, one.status, one.size) for one in heard] == [
        (Heading.RECEIVED, None, 0),
        (Heading.SENT, 403, 2),
    ]


def test_what_a_request_brings_is_learnt_before_it_is_told(clock: VirtualClock) -> None:
    order: list[Any] = []
    application = Recorded(
        Echo(clock).application,
        "echo",
        clock,
        lambda passed: order.append(passed.line),
        lambda headers, body: order.append((dict(headers)["x-who"], body)),
    )
    with in_process(application, {"X-Who": "me"}) as caller:
        caller.request("POST", "/say?twice=1", content="bonjour")
        caller.request("GET", "/nowhere")
    assert order == [
        ("me", b"bonjour"),
        "POST /say?twice=1",
        "200 OK",
        ("me", b""),
        "GET /nowhere",
        "404 Not Found",
    ]


def test_a_service_that_breaks_leaves_its_request_in_the_record(clock: VirtualClock) -> None:
    async def broken(*given: Any) -> None:
        raise RuntimeError("broken")

    recorded, heard = told(broken, clock)
    with in_process(recorded) as caller, pytest.raises(RuntimeError, match="broken"):
        caller.request("GET", "/breaks")
    assert [(one.direction, one.url) for one in heard] == [(Heading.RECEIVED, "https://localhost/breaks")]


def test_of_a_long_body_the_beginning_is_kept_and_the_length_counted(clock: VirtualClock) -> None:
    recorded, heard = told(Echo(clock).application, clock)
    with in_process(recorded) as caller:
        assert len(caller.request("GET", "/long").content) == 3 * LONGEST_BODY
    assert (len(heard[1].body), heard[1].size) == (LONGEST_BODY, 3 * LONGEST_BODY)


def test_a_trouble_is_suffered_until_it_is_taken_away(clock: VirtualClock) -> None:
    echo = Echo(clock)
    echo.strike("echo-hoarse")
    with in_process(echo.application) as caller:
        assert caller.request("POST", "/say", content="bonjour").text == "hoarse"
        echo.relieve("echo-hoarse")
        echo.relieve("echo-hoarse")
        assert caller.request("POST", "/say", content="bonjour").text == "bonjour"
    assert echo.troubles == frozenset()


def test_what_a_service_does_not_have_is_refused_with_what_it_has(clock: VirtualClock) -> None:
    echo = Echo(clock)
    for act in (echo.strike, echo.relieve):
        with pytest.raises(ServiceError, match="echo: no fault 'mute'; it has echo-hoarse"):
            act("mute")
    with pytest.raises(ServiceError, match="echo: no state 'mood' can be set"):
        echo.set_state({"mood": "good"})


def test_secrets_are_declared_as_they_are_seen(clock: VirtualClock) -> None:
    heard: list[str | bytes] = []
    with in_process(Echo(clock, heard.append).application) as caller:
        caller.request("POST", "/say", content="1234")
    assert heard == [b"1234"]


def cloud(declare: Declare = to_nobody) -> tuple[CloudFsvService, Terminal]:
    clock, chance = VirtualClock(), random.Random(1)
    platform = Platform(clock, TerminalParameters(), chance, SigningKey.es256("k"))
    platform.declare = declare
    terminal = Terminal({}, platform, chance)
    bearers = Bearers(clock, SigningKey.es256("b"), chance)
    core = CloudFsv(platform, bearers, clock)
    core.terminals[terminal.id] = terminal
    return CloudFsvService(core, declare), terminal


def test_the_state_of_the_reading_service_is_set_and_told() -> None:
    service, terminal = cloud()
    for pairing in Pairing:
        service.set_state({"terminals": {terminal.id: {"pairing": pairing.value}}})
        assert terminal.pairing is pairing
        assert service.state()["terminals"][terminal.id]["pairing"] == pairing.value


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "2"},
        {"terminals": []},
        {"terminals": {"nobody": {"pairing": "paired"}}},
        {"terminals": {"own": {"pairing": "married"}}},
        {"terminals": {"own": {"pairing": ["paired"]}}},
        {"terminals": {"own": {"link": "up"}}},
        {"terminals": {"own": None}},
    ],
)
def test_a_state_that_it_does_not_have_changes_nothing(wrong: dict[str, Any]) -> None:
    service, terminal = cloud()
    service.set_state({"terminals": {terminal.id: {"pairing": "paired"}}})
    if isinstance(wrong.get("terminals"), dict) and "own" in wrong["terminals"]:
        wrong = {"terminals": {terminal.id: wrong["terminals"]["own"]}}
    with pytest.raises(ServiceError, match=r"^cloudfsv: "):
        service.set_state(wrong)
    assert terminal.pairing is Pairing.PAIRED


def test_every_token_of_a_terminal_is_declared_before_it_travels() -> None:
    heard: list[str | bytes] = []
    service, terminal = cloud(heard.append)
    service.set_state({"terminals": {terminal.id: {"pairing": "paired"}}})
    first = terminal.open_session()
    assert heard == [first]
    second = terminal.renew_session(first)
    assert heard == [first, second]


@pytest.mark.parametrize("garbage", [b"\0" * 512, b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A" * 90_000 + b"\r\n\r\n"])
def test_a_client_s_garbage_is_answered_to_it_and_told_nobody_else(
    garbage: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("no request was made")

    with LoopbackServer(application, None) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=120) as client:
            client.sendall(garbage)
            assert client.recv(100).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
        assert server.alive
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
