"""The channel over HTTP: JSON in and out, on loopback, behind a token; described by OpenAPI."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bifente.conformance.observation.channel import VERSION
from bifente.conformance.observation.channel.answers import CarriedOut, OrderRefusedError, Refused
from bifente.conformance.observation.channel.orders import Known
from bifente.ground.text import Text
from bifente.simulator.serving.loopback import LoopbackServer

URL, TOKEN = "BIFENTE_CHANNEL", "BIFENTE_CHANNEL_TOKEN"
PREFIX = f"/v{VERSION}"
FILE = "channel"
"""The file of the bench's private folder that tells ``bifente ctl`` where the channel is."""

_LONGEST = 1 << 20


class OrderTaker(Protocol):
    """Whoever carries orders out: a live bench, or services that stand."""

    def all(self) -> dict[str, Known]:
        """Return every order by its name."""
        ...

    def carry_out(self, name: str, given: Mapping[str, Any]) -> CarriedOut:
        """Carry an order out. Raise OrderRefusedError."""
        ...

    def declare(self, secret: str | bytes) -> None:
        """Keep a secret out of the record."""
        ...

    def stop(self) -> None:
        """Have it stopped, and whoever waits answered."""
        ...


class ChannelServer:
    """Serves orders until closed. ``folder`` is a private one of the bench."""

    def __init__(self, orders: OrderTaker, folder: Path) -> None:
        self.orders = orders
        self.token = secrets.token_urlsafe(24)
        orders.declare(self.token)
        self._application = Starlette(
            routes=[
                Route(f"{PREFIX}/openapi.json", self._openapi, methods=["GET"]),
                Route(f"{PREFIX}/{{order}}", self._order, methods=["POST"]),
            ]
        )
        self._server = LoopbackServer(self._application, None)
        self._file = folder / FILE
        self._file.touch(mode=0o600)
        self._file.write_text(json.dumps(self.environment), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """What a client's environment needs to reach the channel."""
        return {URL: f"{self._server.url}{PREFIX}", TOKEN: self.token}

    def close(self) -> None:
        """Serve no more."""
        self.orders.stop()
        self._server.close()
        with contextlib.suppress(OSError):
            self._file.unlink()

    async def _openapi(self, request: Request) -> Response:
        return self._refused_without_token(request) or JSONResponse(openapi(self.orders))

    async def _order(self, request: Request) -> Response:
        if (refused := self._refused_without_token(request)) is not None:
            return refused
        name = request.path_params["order"]
        try:
            given = await _body(request)
            answer = await run_in_threadpool(self.orders.carry_out, name, given)
        except OrderRefusedError as error:
            return JSONResponse(error.plain(name), status_code=int(error.refused))
        return JSONResponse(answer.plain(name))

    def _refused_without_token(self, request: Request) -> Response | None:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        # A page in a browser may guess the port; it has no token, and its Host is not ours.
        if secrets.compare_digest(shown.encode(), self.token.encode()):
            return None
        why = {"fr": "un jeton est attendu : Authorization: Bearer", "en": "a token is wanted: Authorization: Bearer"}
        return JSONResponse({"ok": False, "error": why}, status_code=401, headers={"www-authenticate": "Bearer"})


async def _body(request: Request) -> dict[str, Any]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            raise OrderRefusedError(Refused.WRONG, Text("l'ordre est trop long", "the order is too long"))
    if not body.strip():
        return {}
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise OrderRefusedError(Refused.WRONG, Text("un objet JSON est attendu", "a JSON object is expected"), "{}")
    return given


def openapi(orders: OrderTaker) -> dict[str, Any]:
    """Return the description of the channel (OpenAPI 3.1)."""
    answer = {"description": "done", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Done"}}}}
    refusal = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}}
    paths = {}
    schemas: dict[str, Any] = {"Done": _DONE, "Refusal": _REFUSAL}
    for name, one in orders.all().items():
        schema = dict(one.schema)
        for inner, definition in schema.pop("$defs", {}).items():
            schemas[inner] = definition
        body = json.loads(json.dumps(schema).replace("#/$defs/", "#/components/schemas/"))
        paths[f"/{name}"] = {
            "post": {
                "operationId": name,
                "summary": one.title.en,
                "description": one.does,
                "requestBody": {"content": {"application/json": {"schema": body}}},
                "responses": {
                    "200": answer,
                    **{
                        str(int(code)): {"description": said, **refusal}
                        for code, said in (
                            (401, "no token, or another one"),
                            (Refused.IMPOSSIBLE, "cannot be done with this bench as it stands"),
                            (Refused.WRONG, "no order as it is written"),
                        )
                    },
                },
            }
        }
    text = json.dumps(schemas).replace("#/$defs/", "#/components/schemas/")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bifente: control channel of a live bench", "version": f"{VERSION}"},
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {"schemas": json.loads(text), "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


_WORDS = {
    "type": "object",
    "properties": {"fr": {"type": "string"}, "en": {"type": "string"}},
    "required": ["fr", "en"],
}
_DONE = {
    "type": "object",
    "properties": {"ok": {"const": True}, "order": {"type": "string"}, "said": _WORDS},
    "required": ["ok", "order", "said"],
}
_REFUSAL = {
    "type": "object",
    "properties": {"ok": {"const": False}, "order": {"type": "string"}, "error": _WORDS, "cure": {"type": "string"}},
    "required": ["ok", "error"],
}
