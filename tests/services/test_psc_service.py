"""The provider as a service: faults aimed, memory that follows what is alive, and no request that makes it fail."""

from __future__ import annotations

import random
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws

from bifente.ground.clock import VirtualClock
from bifente.simulator.fault import Aim
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.services.psc import troubles
from bifente.simulator.services.psc.addresses import Addresses, Face
from bifente.simulator.services.psc.claims import AuthMode
from bifente.simulator.services.psc.discovery import document
from bifente.simulator.services.psc.expiring import Expiring
from bifente.simulator.services.psc.model import RegisteredClient, Registry, laboratory
from bifente.simulator.services.psc.requests import secrets_in
from bifente.simulator.services.psc.service import PscService
from bifente.simulator.services.psc.sessions import ClientUse
from bifente.simulator.services.psc.tokens import TokenGrant
from bifente.simulator.serving.calling import AsgiTransport
from bifente.simulator.serving.service import ServiceError

USER = "899900000011"
KEYS = MemoryKeys()


def made(**more: object) -> PscService:
    return PscService(VirtualClock(), KEYS, random.Random(1), **more)  # type: ignore[arg-type]


def test_the_keys_of_a_mint_are_published_from_the_first_though_none_was_used() -> None:
    mints = [made().core.mint for _ in range(2)]
    first = mints[1].jwks["keys"]
    token = mints[1].signed({"sub": USER})
    for mint in mints:
        mint.rotate()
    assert mints[0].jwks == mints[1].jwks
    assert [len(first), len(mints[0].jwks["keys"])] == [1, 2]
    assert first[0] in mints[0].jwks["keys"]
    assert mints[0].read(token) == {"sub": USER}
    header = jws.extract_compact(mints[0].signed({"sub": USER}).encode()).headers()
    assert header["kid"] == mints[0].jwks["keys"][1]["kid"] != first[0]["kid"]


def test_of_faces_at_one_address_the_first_answers() -> None:
    shared = Addresses(wallet="https://ici.test", auth="https://ici.test")
    assert shared.face("ici.test") is Face.WALLET
    assert shared.face("api.psc.bifente.test") is Face.API
    assert shared.face("auth.psc.bifente.test") is None
    assert Addresses().face("auth.psc.bifente.test") is Face.AUTH


def test_the_document_is_of_the_addresses_it_is_asked_at() -> None:
    for auth in ("https://un.test", "https://deux.test", "https://un.test"):
        service = made(addresses=Addresses(auth=auth))
        with caller(service) as client:
            answer = client.get(service.core.addresses.discovery)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == document(Addresses(auth=auth))
        assert answer.json()["issuer"].startswith(auth)


def caller(service: PscService) -> httpx.Client:
    return httpx.Client(transport=AsgiTransport(service.application))


@pytest.mark.parametrize(
    ("aim", "struck"),
    [
        (None, [True, True, True]),
        (Aim(command=2), [False, True, False]),
        (Aim(command=2, times="always"), [False, True, True]),
        (Aim(times=1), [True, False, False]),
        (Aim(only={"client": "lgc-demo"}), [True, True, True]),
        (Aim(only={"client": "messagerie-demo"}), [False, False, False]),
        (Aim(only={"client": "lgc-demo", "user": "autre"}), [False, False, False]),
    ],
)
def test_a_fault_strikes_whom_it_is_aimed_at(aim: Aim | None, struck: list[bool]) -> None:
    service = made()
    service.strike(troubles.TOKEN_REFUSED, aim)
    assert [service.suffers(troubles.TOKEN_REFUSED, client="lgc-demo", user=USER) for _ in range(3)] == struck
    service.relieve(troubles.TOKEN_REFUSED)
    assert not service.suffers(troubles.TOKEN_REFUSED, client="lgc-demo", user=USER)


def test_a_fault_that_is_not_offered_is_refused() -> None:
    with pytest.raises(ServiceError, match="no fault"):
        made().strike("psc-unheard-of")


def test_state_is_set_in_its_own_words_alone() -> None:
    service = made()
    service.set_state({"unlisted": [USER]})
    assert service.state()["unlisted"] == [USER]
    with pytest.raises(ServiceError, match="no professional"):
        service.set_state({"unlisted": ["1"]})
    with pytest.raises(ServiceError, match="no state"):
        service.set_state({"sessions": []})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "x"}, "a secret, or the subject"),
        ({"id": "x", "secret": "12345678", "space": "confiance"}, "trust space"),
        ({"id": "x y", "secret": "12345678"}, "pattern"),
        ({"id": "x", "secret": "12345678", "redirect-uris": ["javascript:alert(1)"]}, "pattern"),
        ({"id": "x", "secret": "12345678", "redirect-uris": ["https://x/#fragment"]}, "pattern"),
    ],
)
def test_a_client_that_cannot_be_registered_is_told_why(row: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RegisteredClient.model_validate(row)


def test_twice_registered_is_refused() -> None:
    one = laboratory().clients[0]
    with pytest.raises(ValueError, match="registered twice"):
        Registry(clients=(one, one))


def test_what_expires_takes_no_room() -> None:
    clock = VirtualClock()
    kept: Expiring[int] = Expiring(clock)
    for number in range(10_000):
        kept.put(f"{number}", number, 10)
        clock.advance(1)
    assert len(kept) <= 10
    assert len(kept._ends) < 200
    kept.put("a", 1, 5)
    kept.put("a", 2, 50)
    clock.advance(10)
    assert kept.get("a") == 2
    assert kept.pop("a") == 2
    assert kept.get("a") is None


def test_sessions_that_are_over_take_no_room() -> None:
    """A few hundred here; a hundred thousand tokens in tests/benchmarks."""
    service = made()
    clock = service.core.clock
    assert isinstance(clock, VirtualClock)
    client = laboratory().clients[0]
    one = service.professional(USER)

    def log_in() -> None:
        session = service.core.open_session(one, AuthMode.MOBILE, browser=False)
        session.uses[client.id] = ClientUse("openid scope_all", None)
        service.grants._issued(client, session, TokenGrant.CIBA, ())
        clock.advance(10)

    for _ in range(300):
        log_in()
    core = service.core
    kept = (core.codes, core.spent, core.requests, core.attempts, core.tickets, core.exchanged, core.pushed)
    # Alive are those of half an hour, 180 of them; the others are swept away every 256.
    assert len(core.sessions) <= 180 + 256
    assert [len(one) for one in kept] == [0] * len(kept)


SERVICE = made()
ENDPOINTS = [
    *("token", "userinfo", "token/introspect", "revoke", "ext/ciba/auth", "ext/par/request", "logout", "certs"),
    "auth/device",
]
NAMES = st.sampled_from(
    [
        *("grant_type", "code", "redirect_uri", "client_id", "client_secret", "refresh_token", "token", "scope"),
        *("login_hint", "binding_message", "acr_values", "auth_req_id", "code_verifier", "id_token_hint", "state"),
        *("response_type", "request_uri", "max_age", "prompt", "attempt", "subject_token", "requested_expiry"),
    ]
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            *("authorization_code", "refresh_token", "urn:openid:params:grant-type:ciba", "lgc-demo", "confiance-demo"),
            *("secret-du-laboratoire-lgc", USER, "openid scope_all", "code", "https://lgc.bifente.test/retour", "42"),
            *("eyJhbGciOiJub25lIn0.e30.", "99999999999999999999", "none", "\x00", "٤٢"),
        ]
    ),
)


@settings(max_examples=100, deadline=None)
@given(
    form=st.lists(st.tuples(NAMES, VALUES), max_size=8),
    endpoint=st.sampled_from(ENDPOINTS),
    method=st.sampled_from(["POST", "GET"]),
    authorization=st.sampled_from([None, "Basic !!", "Basic Og==", "Bearer x", "Bearer", "Basic bGdjLWRlbW86eA=="]),
)
def test_no_request_makes_it_fail(
    form: list[tuple[str, str]], endpoint: str, method: str, authorization: str | None
) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if authorization is not None:
        headers["authorization"] = authorization
    url, query = SERVICE.core.addresses.protocol(endpoint), urlencode(form)
    with caller(SERVICE) as client:
        if method == "POST":
            assert client.post(url, content=query, headers=headers).status_code < 500
        else:
            assert client.get(f"{url}?{query}", headers=headers).status_code < 500


@settings(max_examples=80, deadline=None)
@given(
    form=st.lists(st.tuples(NAMES, VALUES), max_size=8),
    path=st.sampled_from(
        [
            *(
                "/auth",
                "/login-page",
                "/login-page/ecps",
                "/login-page/attente",
                "/login-page/retour",
                "/logout-confirm",
            ),
            *(
                "/login-page/delegation/retour",
                "/bifente/activation",
                "/bifente/telephone/x",
                "/bifente/style.css",
                "/..",
            ),
        ]
    ),
    method=st.sampled_from(["POST", "GET"]),
)
def test_no_page_fails(form: list[tuple[str, str]], path: str, method: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": "AUTH_SESSION_ID=x"}
    url, query = f"{SERVICE.core.addresses.wallet}{path}", urlencode(form)
    with caller(SERVICE) as client:
        if method == "POST":
            assert client.post(url, content=query, headers=headers).status_code < 500
        else:
            assert client.get(f"{url}?{query}", headers=headers).status_code < 500


@given(st.binary(max_size=300))
def test_whatever_a_body_is_its_secrets_can_be_looked_for(body: bytes) -> None:
    for secret in secrets_in(
        [("cookie", "KEYCLOAK_IDENTITY=abcd1234; other=x"), ("authorization", "Bearer tok-en")], body
    ):
        assert len(secret) >= 4


def test_another_host_is_told_so() -> None:
    with caller(SERVICE) as client:
        assert client.get("https://ailleurs.bifente.test/").status_code == 421


def test_a_form_too_long_or_of_another_kind_is_refused() -> None:
    url = SERVICE.core.addresses.protocol("token")
    form = {"content-type": "application/x-www-form-urlencoded"}
    with caller(SERVICE) as client:
        assert client.post(url, content=b"a=" + b"x" * 70_000, headers=form).status_code == 413
        assert client.post(url, json={"grant_type": "password"}).status_code == 415
        assert client.post(url, content=b"a=1&a=2", headers=form).json()["error_description"] == "duplicated parameter"
        assert client.post(url, content=b"\xff\xfe=1", headers=form).status_code == 400
        assert client.get(url).status_code == 405
        assert client.get(f"{url}/").status_code == 404
