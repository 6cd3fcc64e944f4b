"""Who a request is of, as far as it says, before anybody looks at whether that is true: whom an aimed fault strikes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request

from bifente.simulator.formats.jose.refusals import SealError
from bifente.simulator.services.psc.assertions import ClientAssertion
from bifente.simulator.services.psc.errors import OAuthError
from bifente.simulator.services.psc.requests import LONGEST_BODY, MOST_FIELDS

if TYPE_CHECKING:
    from bifente.simulator.services.psc.state import ProviderState

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
_TOKENS = ("access_token", "token", "refresh_token", "subject_token", "id_token_hint")


async def asked_by(state: ProviderState, request: Request, receive: Receive) -> tuple[Mapping[str, str], Receive]:
    """Return ``client`` and ``user`` of a request, those it names, and what gives its body once more."""
    body, more = b"", True
    kept: list[Mapping[str, Any]] = []
    while more and len(body) <= LONGEST_BODY:
        message = await receive()
        kept.append(message)
        body += message.get("body", b"")
        more = message["type"] == "http.request" and bool(message.get("more_body"))

    async def again() -> Mapping[str, Any]:
        return kept.pop(0) if kept else await receive()

    said = {**_fields(request.url.query), **_fields(body[:LONGEST_BODY].decode("latin-1"))}
    return _named(state, said, request.headers.get("authorization", "")), again


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, max_num_fields=MOST_FIELDS))
    except ValueError:
        return {}


def _named(state: ProviderState, said: Mapping[str, str], header: str) -> Mapping[str, str]:
    kind, _blank, proof = header.partition(" ")
    tokens = [said[name] for name in _TOKENS if name in said]
    client, user = said.get("client_id", ""), said.get("login_hint", "")
    if not client and "client_assertion" in said:
        client = _asserted(said)
    if kind.lower() == "basic":
        client = client or _basic(proof)
    elif kind.lower() == "bearer":
        tokens.insert(0, proof.strip())
    attempt = state.attempts.get(said.get("attempt", ""))
    if attempt is not None:
        client, user = client or attempt.client.id, user or said.get("id", "")
    for token in tokens:
        claims = _claims(state, token)
        client = client or str(claims.get("azp", ""))
        session = state.sessions.get(str(claims.get("sid", "")))
        user = user or (session.professional.id if session is not None else "")
    professional = state.registry.professional(user) if user else None
    named = {"client": client, "user": professional.id if professional is not None else user}
    return {key: value for key, value in named.items() if value}


def _basic(proof: str) -> str:
    try:
        return unquote_plus(base64.b64decode(proof, validate=True).decode("utf-8").partition(":")[0])
    except (binascii.Error, ValueError):
        return ""


def _asserted(said: Mapping[str, str]) -> str:
    try:
        return ClientAssertion(said["client_assertion"]).client(said)
    except OAuthError:
        return ""


def _claims(state: ProviderState, token: str) -> Mapping[str, Any]:
    for read in (state.mint.read, state.mint.read_own):
        try:
            return read(token)
        except (SealError, ValueError):
            continue
    return {}
