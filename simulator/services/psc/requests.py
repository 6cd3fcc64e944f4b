"""What a request of the provider's hosts holds: bounded forms, tokens, cookies, the client's certificate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import ClientDisconnect, Request

from bifente.simulator.pki.judging import Chain
from bifente.simulator.services.psc.errors import BearerError, OAuthError, invalid_request
from bifente.simulator.serving.client_certificates import client_chain

LONGEST_BODY = 65_536
MOST_FIELDS = 60
BROWSER_COOKIE, SSO_COOKIE = "AUTH_SESSION_ID", "KEYCLOAK_IDENTITY"
_FORM = "application/x-www-form-urlencoded"
_SECRET_FIELDS = frozenset(
    {
        *("code", "code_verifier", "client_secret", "refresh_token", "access_token", "token", "id_token_hint"),
        *(
            "subject_token",
            "auth_req_id",
            "client_assertion",
            "id_token",
            "ticket",
            "attempt",
            "by_email",
            "by_mobile",
            "actor_token",
        ),
    }
)
_SECRET_COOKIES = frozenset({BROWSER_COOKIE, SSO_COOKIE})
_SHORTEST = 4


async def form_of(request: Request) -> Mapping[str, str]:
    """Return the fields of a form. Raise OAuthError for what is no form, too long, or says a thing twice."""
    if request.headers.get("content-type", _FORM).partition(";")[0].strip().lower() != _FORM:
        raise OAuthError("invalid_request", "Unsupported media type", 415)
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LONGEST_BODY:
                raise OAuthError("invalid_request", "the form is too long", 413)
    except ClientDisconnect:
        raise invalid_request("the form was cut") from None
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise invalid_request("the form cannot be read") from None
    return _once(pairs)


def query_of(request: Request) -> Mapping[str, str]:
    """Return the parameters of the address. Raise OAuthError if one comes twice."""
    return _once(request.query_params.multi_items())


def _once(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise invalid_request("duplicated parameter")
        found[name] = value
    return found


def bearer_of(request: Request, form: Mapping[str, str]) -> str:
    """Return the access token of a request, from its header or its form. Raise BearerError."""
    header = request.headers.get("authorization", "")
    kind, _blank, token = header.partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    if form.get("access_token"):
        return form["access_token"]
    raise BearerError("Token not provided", "invalid_request")


def chain_of(request: Request) -> Chain:
    """Return the client's certificate and what came with it; nothing if it showed none (ASGI TLS extension)."""
    return client_chain(request.scope)


def secrets_in(headers: Iterable[tuple[str, str]], body: bytes, url: str = "") -> Iterator[str]:
    """Yield what is secret in a request: tokens, cookies, codes and client secrets, right or forged."""
    for name, value in headers:
        if name == "authorization":
            yield from _long(value.partition(" ")[2].strip())
        elif name == "cookie":
            for part in value.split(";"):
                key, _equals, cookie = part.strip().partition("=")
                if key in _SECRET_COOKIES:
                    yield from _long(cookie)
        elif name == "referer":
            yield from _secret_fields(urlsplit(value).query)
    yield from _secret_fields(body[:LONGEST_BODY].decode("latin-1"))
    yield from _secret_fields(urlsplit(url).query)


def _secret_fields(text: str) -> Iterator[str]:
    if "=" not in text:
        return
    try:
        pairs = parse_qsl(text, max_num_fields=MOST_FIELDS)
    except ValueError:
        return
    for name, value in pairs:
        if name in _SECRET_FIELDS:
            yield from _long(value)


def _long(value: str) -> Iterator[str]:
    if len(value) >= _SHORTEST:
        yield value
