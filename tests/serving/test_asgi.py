"""An application called in process is asked what a server would ask it; httpx's own transport is the oracle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import httpx
import pytest

from bifente.simulator.serving.calling import AsgiTransport

_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _Telling:
    """Answers in two pieces, and keeps what it was asked."""

    def __init__(self) -> None:
        self.scope: Mapping[str, Any] = {}
        self.body = b""

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        self.scope, self.body, more = dict(scope), b"", True
        while more:
            message = await receive()
            self.body += message["body"]
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 203, "headers": [(b"X-Said", b"a"), (b"X-Said", b"b")]})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})


REQUESTS = [
    httpx.Request("GET", "https://localhost"),
    httpx.Request("GET", "https://psc.test:8443/a%20b/%C3%A9?q=%20&r=1&r=2#there", headers={"X-Three": "3"}),
    httpx.Request("POST", "http://localhost/", data={"code": "a b", "é": "&"}),
    httpx.Request("PUT", "https://localhost/x", content=b"\x00\xff", headers=[("A", "1"), ("a", "2")]),
    httpx.Request("POST", "https://localhost/x", json={"a": [1, None]}),
    httpx.Request("HEAD", "https://localhost/x"),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: f"{one.method} {one.url}")
def test_an_application_is_asked_and_heard_as_httpx_does_it(request_: httpx.Request) -> None:
    ours, theirs = _Telling(), _Telling()

    async def oracle() -> httpx.Response:
        body = request_.read()
        sent = httpx.Request(request_.method, request_.url, headers=request_.headers.raw, content=body)
        answer = await httpx.ASGITransport(app=theirs).handle_async_request(sent)
        return httpx.Response(answer.status_code, headers=answer.headers.raw, content=await answer.aread())

    answer, expected = AsgiTransport(ours).handle_request(request_), asyncio.run(oracle())
    assert ours.scope == theirs.scope
    assert ours.body == theirs.body == request_.read()
    assert (answer.status_code, answer.headers.raw, answer.content) == (
        expected.status_code,
        expected.headers.raw,
        expected.content,
    )


def _call(application: Any) -> httpx.Response:
    return AsgiTransport(application).handle_request(httpx.Request("GET", "https://localhost/x"))


def test_after_its_answer_an_application_hears_that_the_client_went() -> None:
    heard = []

    async def listening(scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        await receive()
        leaving = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        heard.append(leaving.done())
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})
        heard.append((await leaving)["type"])

    assert (_call(listening).status_code, heard) == (204, [False, "http.disconnect"])


@pytest.mark.parametrize("said", [[], [{"type": "http.response.start", "status": 200}]], ids=["nothing", "no-body"])
def test_an_application_without_a_whole_answer_is_an_error(said: list[dict[str, Any]]) -> None:
    async def silent(scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        for message in said:
            await send(message)

    with pytest.raises(RuntimeError, match="GET https://localhost/x"):
        _call(silent)


def test_what_an_application_raises_is_raised_to_its_caller() -> None:
    async def failing(scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        _call(failing)


def test_an_application_may_call_another_one_while_it_answers() -> None:
    async def calling(scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        found = AsgiTransport(_Telling()).handle_request(httpx.Request("GET", "https://localhost/y"))
        await send({"type": "http.response.start", "status": found.status_code})
        await send({"type": "http.response.body", "body": found.content})

    answer = _call(calling)
    assert (answer.status_code, answer.content) == (203, b"one two")
