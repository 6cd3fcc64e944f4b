"""schemathesis against every service that ``bifente serve`` has: whatever they are sent, none of them fails.

The protocol of Pro Santé Connect has a test of its own. BIFENTE_EXAMPLES asks for more examples of each operation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings
from serving_bench import serving_bench

from bifente.conformance.bench.serving import services
from bifente.simulator.pki.keystore import KeySource

pytest.importorskip("schemathesis")

import schemathesis

pytestmark = pytest.mark.timeout(300)
TEXT, BYTES = {"type": "string"}, {"type": "string", "format": "binary"}
USER = "899900000011"
FHIR = "/fhir/v2"


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked: ``fields`` in the form of a POST, in the query of a GET."""

    service: str
    path: str
    method: str = "get"
    fields: tuple[str, ...] = ()
    body: str | None = None
    """The media type of a body of any bytes."""

    def described(self) -> dict[str, Any]:
        inside = [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
        inside += ["name"] if "{name}." in self.path else []
        parameters = [
            {"name": one, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for one in dict.fromkeys(inside)
        ]
        told: dict[str, Any] = {"responses": {"default": {"description": "any"}}}
        if self.method == "get":
            parameters += [{"name": one, "in": "query", "schema": field(one)} for one in self.fields]
        elif self.body is not None:
            told["requestBody"] = {"content": {self.body: {"schema": BYTES}}}
        else:
            form = {"type": "object", "properties": {one: field(one) for one in self.fields}}
            told["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
        return {**told, "parameters": parameters}


def field(name: str) -> dict[str, Any]:
    return {"anyOf": [TEXT, {"enum": KNOWN[name]}]} if name in KNOWN else TEXT


KNOWN = {
    "client_id": ["lgc-demo"],
    "redirect_uri": ["https://lgc.bifente.test/retour"],
    "response_type": ["code"],
    "scope": ["openid scope_all"],
    "acr_values": ["eidas1"],
    "id": [USER],
    "device": ["telephone-1"],
    "answer": ["accept", "refuse"],
    "means": ["card", "password"],
    "subject_token_type": ["urn:ietf:params:oauth:token-type:access_token"],
    "grant_type": ["urn:ietf:params:oauth:grant-type:token-exchange"],
    "_count": ["0", "50", "-1", "9" * 30],
    "nir": ["1801975349002"],
}
SEARCH = ("identifier", "family", "given", "name", "_id", "_count", "_include", "_lastUpdated", "page", "role")
OPERATIONS = (
    Operation(
        "wallet", "/auth", "get", ("client_id", "redirect_uri", "response_type", "scope", "acr_values", "prompt")
    ),
    Operation("wallet", "/auth", "post", ("client_id", "redirect_uri", "response_type", "scope", "acr_values")),
    Operation("wallet", "/login-page", "get", ("attempt", "tab")),
    Operation("wallet", "/login-page/ecps", "post", ("attempt", "id")),
    Operation("wallet", "/login-page/attente", "get", ("attempt",)),
    Operation("wallet", "/login-page/etat", "get", ("attempt",)),
    Operation("wallet", "/login-page/annuler", "get", ("attempt",)),
    Operation("wallet", "/login-page/diagnostic", "get", ("attempt",)),
    Operation("wallet", "/login-page/retour", "get", ("ticket",)),
    Operation("wallet", "/login-page/delegation", "get", ("attempt", "alias")),
    Operation("wallet", "/login-page/delegation/retour", "get", ("alias", "state", "id_token")),
    Operation("wallet", "/login-page/confirmer", "post", ("attempt",)),
    Operation("wallet", "/logout-confirm", "get", ("client_id", "post_logout_redirect_uri", "state")),
    Operation("wallet", "/logout-confirm", "post", ("client_id", "post_logout_redirect_uri", "state")),
    Operation("wallet", "/bifente/telephone/{device}", "get"),
    Operation("wallet", "/bifente/telephone/{device}", "post", ("answer", "key", "number")),
    Operation("wallet", "/bifente/activation", "post", ("device", "id", "email", "mobile")),
    Operation("wallet", "/bifente/activation/codes", "post", ("device", "by_email", "by_mobile")),
    Operation("mtls", "/carte", "get", ("attempt",)),
    Operation("mtls", "/activation", "get", ("device",)),
    Operation("api", "/auth/realms/api/protocol/openid-connect/token", "post", ("grant_type", "subject_token")),
    Operation("api", "/bifente/ressource", "get"),
    Operation("idp", "/bifente/fournisseur/{alias}", "get", ("state", "nonce")),
    Operation("idp", "/bifente/fournisseur/{alias}", "post", ("account", "means", "state", "nonce")),
    Operation("pki", "/CRL/{name}"),
    Operation("pki", "/AC/{name}"),
    Operation("pki", "/ocsp/{request}"),
    Operation("pki", "/ocsp", "post", body="application/octet-stream"),
    Operation("annuaire", f"{FHIR}/Practitioner", "get", SEARCH),
    Operation("annuaire", f"{FHIR}/PractitionerRole", "get", SEARCH),
    Operation("annuaire", f"{FHIR}/Organization", "get", SEARCH),
    Operation("annuaire", f"{FHIR}/{{kind}}", "get", SEARCH),
    Operation("annuaire", f"{FHIR}/{{kind}}/{{id}}", "get"),
    Operation("annuaire", f"{FHIR}/Practitioner/_search", "post", SEARCH),
    Operation("annuaire", FHIR, "get", ("page", "_getpages")),
    Operation("annuaire", "/annuaire/personnes", "get", ("nom", "departement", "profession")),
    Operation("annuaire", "/annuaire/personnes/{number}", "get"),
    Operation("component", "/bifente/version", "get"),
    Operation("component", "/bifente/vitale", "get", ("code",)),
    Operation("insi", "/lps", "post", body="application/soap+xml"),
    Operation("dmp", "/DocumentRegistry_Service", "post", body="application/soap+xml"),
    Operation("dmp", "/GDP_Service", "post", body="application/soap+xml"),
)


def schema_of() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for one in OPERATIONS:
        paths.setdefault(f"/{one.service}{one.path}", {})[one.method] = one.described()
    return {"openapi": "3.0.3", "info": {"title": "services", "version": "1"}, "paths": paths}


@dataclass
class Standing:
    bases: dict[str, str]
    key: str
    trust: str
    """The authorities of all of them, in one file."""


@pytest.fixture(scope="module")
def standing(shared_keys: KeySource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    with ExitStack() as stack:
        bench = serving_bench(shared_keys, tmp_path_factory.mktemp("services"), stack)
        told = {name: services()[name]()(bench) for name in ("psc", "pki", "annuaire", "portal", "insi", "dmp")}
        addresses = told["psc"].services[0].core.addresses  # type: ignore[attr-defined]
        said = {name: dict(one.settings) for name, one in told.items()}
        trust = bench.folder / "trust.pem"
        trust.write_bytes(b"".join((bench.folder / name).read_bytes() for name in ("ca.pem", "srvsvcnam.pem")))
        yield Standing(
            {
                "wallet": addresses.wallet,
                "mtls": addresses.mtls,
                "api": addresses.api,
                "idp": addresses.idp,
                "pki": said["pki"]["ocsp"].removesuffix("/ocsp"),
                "annuaire": said["annuaire"]["url"].removesuffix(FHIR),
                "component": said["portal"]["component"],
                "insi": said["insi"]["url"].removesuffix("/lps"),
                "dmp": said["dmp"]["url"],
            },
            said["annuaire"]["api key"],
            str(trust),
        )
    # An operation that only ever gives 404, its path being a fixed one, is none: nothing was asked.
    assert [path for path, found in FOUND.items() if found == {404} and "{" not in path] == []


SCHEMA = schemathesis.openapi.from_dict(schema_of())
EXAMPLES = int(os.environ.get("BIFENTE_EXAMPLES", "2"))
# Every value of every field, every other method: some hundred requests for each operation, where they are asked for.
SCHEMA.config.phases.coverage.enabled = EXAMPLES > 2
FOUND: dict[str, set[int]] = {}


@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_service_fails(case: Any, standing: Standing) -> None:
    _nothing, service, *rest = case.operation.path.split("/", 2)
    case.operation.path, kept = "/" + "".join(rest) if rest else "", case.operation.path
    case.path = case.operation.path
    try:
        headers = {"ESANTE-API-KEY": standing.key} if service == "annuaire" else None
        answer = case.call(
            base_url=standing.bases[service], headers=headers, verify=standing.trust, allow_redirects=False
        )
    finally:
        case.operation.path = kept
    assert answer.status_code < 500, answer.text
    FOUND.setdefault(kept, set()).add(answer.status_code)
