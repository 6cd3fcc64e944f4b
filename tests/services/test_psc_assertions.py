"""Clients that sign: which keys are taken, which assertions are believed, and that garbage is refused in words."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from bifente.ground.clock import VirtualClock
from bifente.simulator.fault import Aim
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.services.psc import troubles
from bifente.simulator.services.psc.assertions import ASSERTION_TYPE, LONGEST_ASSERTION
from bifente.simulator.services.psc.model import RegisteredClient, Registry
from bifente.simulator.services.psc.service import PscService
from bifente.simulator.serving.calling import AsgiTransport

KEYS = MemoryKeys()
SECRET = "un-secret-assez-long-pour-signer-avec"
RETURN = "https://lgc.bifente.test/retour"
FIRST, SECOND = ECKey.generate_key("P-256", {"kid": "un"}), ECKey.generate_key("P-384", {"kid": "deux"})


def pem(key: Any) -> str:
    return str(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


CLIENTS = (
    RegisteredClient(id="fait", authentication="private_key_jwt", **{"redirect-uris": (RETURN,)}),
    RegisteredClient(
        id="jwk",
        authentication="private_key_jwt",
        keys=(FIRST.as_dict(private=False), SECOND.as_dict(private=False)),
    ),
    RegisteredClient(id="pem", authentication="private_key_jwt", keys=(pem(FIRST.public_key),)),
    RegisteredClient(id="partage", authentication="client_secret_jwt", secret=SECRET),
    RegisteredClient(id="secret", secret=SECRET),
)


class Provider:
    """The provider, and what a client posts to it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.declared: set[str | bytes] = set()
        self.service = PscService(
            self.clock, KEYS, random.Random(1), Registry(clients=CLIENTS), declare=self.declared.add
        )
        self.addresses = self.service.core.addresses
        self.http = httpx.Client(transport=AsgiTransport(self.service.application))
        self.count = 0

    def assertion(self, client: str, key: Any, alg: str, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        self.count += 1
        now = int(self.clock.now().timestamp())
        said = {"iss": client, "sub": client, "aud": self.addresses.issuer, "iat": now, "exp": now + 30}
        content = json.dumps({**said, "jti": f"{self.count}", **claims}).encode()
        registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
        return jws.serialize_compact({"alg": alg, **(header or {})}, content, key, registry=registry)

    def asked(self, assertion: str, endpoint: str = "token/introspect", **more: str) -> httpx.Response:
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, "token": "x", **more}
        return self.http.post(self.addresses.protocol(endpoint), data=form)

    def told(self, assertion: str) -> str:
        answer = self.asked(assertion)
        assert answer.status_code in (200, 400, 401)
        return str(answer.json().get("error_description", "believed"))


@pytest.fixture(scope="module")
def provider() -> Provider:
    return Provider()


def own() -> RSAKey:
    return RSAKey.import_key(KEYS.key("psc/client/fait"))


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256"])
def test_the_key_that_the_bench_makes_signs_in_each_way_of_rsa(provider: Provider, alg: str) -> None:
    assert provider.told(provider.assertion("fait", own(), alg)) == "believed"


@pytest.mark.parametrize(
    ("client", "key", "alg", "header", "told"),
    [
        ("jwk", FIRST, "ES256", {"kid": "un"}, "believed"),
        ("jwk", SECOND, "ES384", {"kid": "deux", "typ": "JWT", "x5t#S256": "abc"}, "believed"),
        ("jwk", SECOND, "ES384", {}, "believed"),
        ("jwk", SECOND, "ES384", {"kid": "un"}, "Signature"),
        ("jwk", FIRST, "ES256", {"kid": "trois"}, "Unable to load public key"),
        ("pem", FIRST, "ES256", {"kid": "as-it-calls-it"}, "believed"),
        ("pem", SECOND, "ES384", {}, "Signature"),
        ("partage", OctKey.import_key(SECRET), "HS256", {}, "believed"),
        ("partage", OctKey.import_key(SECRET), "HS512", {}, "believed"),
        ("partage", OctKey.import_key(SECRET + "x"), "HS256", {}, "Signature"),
        ("secret", OctKey.import_key(SECRET), "HS256", {}, "Invalid client"),
        ("inconnu", OctKey.import_key(SECRET), "HS256", {}, "Invalid client"),
    ],
)
def test_which_keys_are_taken(
    provider: Provider, client: str, key: Any, alg: str, header: Mapping[str, Any], told: str
) -> None:
    assert told in provider.told(provider.assertion(client, key, alg, header))


def test_a_public_key_is_no_secret(provider: Provider) -> None:
    """The attack of algorithm confusion: what is published of a key signs nothing."""
    forged = provider.assertion("pem", OctKey.import_key(pem(FIRST.public_key).replace("-----", "")), "HS256")
    assert provider.told(forged) == "Invalid signature algorithm"


@pytest.mark.parametrize("number", [True, "1767225600", -1, 2**70, 10**400, float("nan"), float("inf"), [1], {}])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_a_time_that_is_none_is_told(provider: Provider, name: str, number: Any) -> None:
    assert f"{name} is no time" in provider.told(provider.assertion("fait", own(), "RS256", **{name: number}))


@pytest.mark.parametrize("aud", [{}, [], [[]], 1, "", ["https://autre.test"]])
def test_an_audience_of_any_other_kind_is_refused(provider: Provider, aud: Any) -> None:
    assert provider.told(provider.assertion("fait", own(), "RS256", aud=aud)) == "Invalid token audience"


def test_clocks_may_differ_by_fifteen_seconds_and_no_more() -> None:
    one = Provider()
    late, early = one.assertion("fait", own(), "RS256"), int(one.clock.now().timestamp())
    one.clock.advance(44)
    assert one.told(late) == "believed"
    assert one.told(one.assertion("fait", own(), "RS256", iat=early, exp=early + 29)) == "Token is not active"
    assert one.told(one.assertion("fait", own(), "RS256", iat=early + 59, exp=early + 90)) == "believed"
    assert "future" in one.told(one.assertion("fait", own(), "RS256", iat=early + 60, exp=early + 90))


def test_an_assertion_is_used_once_and_forgotten_once_it_is_over() -> None:
    one = Provider()
    same = one.assertion("fait", own(), "RS256")
    assert [one.told(same), one.told(same)] == ["believed", "Token reuse detected"]
    assert one.told(one.assertion("jwk", FIRST, "ES256", jti="1")) == "believed"
    one.clock.advance(91)
    assert len(one.service.core.asserted) == 0


def test_it_is_secret_and_faults_find_whom_they_are_aimed_at() -> None:
    one = Provider()
    one.service.strike(troubles.UNAVAILABLE, Aim(only={"client": "fait"}))
    assert one.asked(one.assertion("fait", own(), "RS256")).status_code == 503
    signed = one.assertion("jwk", FIRST, "ES256")
    assert one.told(signed) == "believed"
    one.service.learn((), f"client_assertion={signed}".encode())
    assert signed in one.declared


def test_a_pushed_request_is_created_and_keeps_no_proof(provider: Provider) -> None:
    answer = provider.asked(provider.assertion("fait", own(), "RS256"), "ext/par/request", redirect_uri=RETURN)
    assert answer.status_code == 201
    kept = provider.service.core.pushed.get(answer.json()["request_uri"])
    assert kept is not None
    assert not {"client_assertion", "client_assertion_type"} & set(kept)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(st.text(max_size=80), st.from_regex(r"[A-Za-z0-9_-]{0,30}(\.[A-Za-z0-9_-]{0,30}){1,3}", fullmatch=True))
)
def test_garbage_is_refused_in_words(garbage: str) -> None:
    one = Provider()
    answer = one.asked(garbage)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("part", ["null", "[]", '"x"', "1", "{", '{"alg":1}', '{"alg":["RS256"]}', "{}"])
def test_headers_and_claims_of_any_form_are_refused_in_words(provider: Provider, part: str) -> None:
    def encoded(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    claims, header = encoded('{"iss":"fait","sub":"fait"}'), encoded('{"alg":"RS256"}')
    assert provider.told(f"{encoded(part)}.{claims}.AA") != "believed"
    assert provider.told(f"{header}.{encoded(part)}.AA") != "believed"


def test_what_is_too_long_is_not_looked_at(provider: Provider) -> None:
    assert str(LONGEST_ASSERTION) in provider.told("a" * (LONGEST_ASSERTION + 1))


PRIVATE = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"authentication": "client_secret_jwt"}, "signs with the secret"),
        ({"secret": SECRET, "keys": [pem(PRIVATE.public_key())]}, "say authentication: private_key_jwt"),
        ({"authentication": "private_key_jwt", "keys": ["no key"]}, "BEGIN PUBLIC KEY"),
        ({"authentication": "private_key_jwt", "keys": [FIRST.as_dict(private=True)]}, "stays with the client"),
        ({"authentication": "private_key_jwt", "keys": [{"kty": "oct", "k": "AAAA"}]}, "the public one"),
        ({"authentication": "private_key_jwt", "keys": [{"kty": "EC", "crv": "P-256"}]}, "the public one"),
        ({"authentication": "private_key_jwt", "keys": [{}]}, "the public one"),
        (
            {"authentication": "private_key_jwt", "keys": [pem(ed25519.Ed25519PrivateKey.generate().public_key())]},
            "the public one",
        ),
        (
            {
                "authentication": "private_key_jwt",
                "keys": [PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()],
            },
            "the public one",
        ),
        ({"authentication": "private_key_jwt", "space": "confiance", "subject": "x"}, "certificate alone"),
        ({"authentication": "none"}, "private_key_jwt"),
    ],
)
def test_a_client_that_cannot_sign_is_told_why(row: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RegisteredClient.model_validate({"id": "x", **row})
