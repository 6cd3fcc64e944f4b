"""schemathesis against the provider as it is served: whatever its endpoints are sent, none of them fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from bifente.simulator.pki.keystore import KeySource

pytest.importorskip("schemathesis")
pytest.importorskip("requests_oauth2client")

import schemathesis
from psc_bench import SECRET, USER, Served, served

pytestmark = pytest.mark.timeout(120)
TEXT = {"type": "string"}
ANY = {"default": {"description": "any"}}
FORMS = {
    "token": ("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "auth_req_id"),
    "token/introspect": ("token",),
    "revoke": ("token",),
    "ext/ciba/auth": ("scope", "login_hint", "binding_message", "channel", "requested_expiry"),
    "ext/par/request": ("redirect_uri", "scope", "state", "request_uri"),
    "userinfo": ("access_token",),
}
KNOWN = {
    "grant_type": ["authorization_code", "refresh_token", "urn:openid:params:grant-type:ciba", "password"],
    "login_hint": [USER, "0"],
    "binding_message": ["42", "4"],
    "channel": ["CARD", "MOBILE"],
    "scope": ["openid scope_all", "openid"],
}
PROTOCOL = "/auth/realms/esante-wallet/protocol/openid-connect"


def schema_of() -> dict[str, Any]:
    """The endpoints as OpenAPI: forms of a client that proves itself, each field free or as it should be."""

    def field(name: str) -> dict[str, Any]:
        return {"anyOf": [TEXT, {"enum": KNOWN[name]}]} if name in KNOWN else TEXT

    paths: dict[str, Any] = {}
    for name, fields in FORMS.items():
        proof = {"client_id": {"enum": ["tiers"]}, "client_secret": {"enum": [SECRET]}}
        form = {
            "type": "object",
            "properties": {**proof, **{one: field(one) for one in fields}},
            "required": list(proof),
        }
        content = {"application/x-www-form-urlencoded": {"schema": form}}
        paths[f"{PROTOCOL}/{name}"] = {
            "post": {"requestBody": {"content": content}, "responses": {"default": {"description": ""}}}
        }
    asked = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
    query = [{"name": one, "in": "query", "schema": TEXT} for one in asked]
    paths[f"{PROTOCOL}/logout"] = {"get": {"parameters": query, "responses": ANY}}
    return {"openapi": "3.0.3", "info": {"title": "psc", "version": "1"}, "paths": paths}


@pytest.fixture(scope="module")
def psc(shared_keys: KeySource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(shared_keys, tmp_path_factory.mktemp("psc")) as found:
        yield found


SCHEMA = schemathesis.openapi.from_dict(schema_of())


@SCHEMA.parametrize()
@settings(max_examples=3, deadline=None)
def test_no_endpoint_fails(case: Any, psc: Served) -> None:
    answer = case.call(base_url=psc.service.core.addresses.auth, verify=str(psc.ca), allow_redirects=False)
    assert answer.status_code < 500, answer.text
