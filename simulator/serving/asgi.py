"""One request to an ASGI application of this process: what a server would do, less the server."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import httpx

from bifente.simulator.serving.service import Asgi

_CLIENT = ("127.0.0.1", 123)


async def answered(application: Asgi, request: httpx.Request) -> httpx.Response:
    """Return the whole answer of an application. Raise RuntimeError if it gives none, and whatever it raises."""
    content, url = request.read(), request.url
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": _CLIENT,
        "root_path": "",
    }
    start: MutableMapping[str, Any] = {}
    pieces: list[bytes] = []
    asked, ended = False, asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        nonlocal asked
        if asked:
            await ended.wait()
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                ended.set()

    await application(scope, receive, send)
    if not ended.is_set():
        raise RuntimeError(f"{request.method} {url}: the application ended before its answer did")
    body = b"" if request.method == "HEAD" else b"".join(pieces)
    return httpx.Response(start["status"], headers=list(start.get("headers", ())), content=body)
