"""Pro Santé Connect: logins a second beside bare signatures of joserfc in the same run, and memory over many tokens."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import time
import tracemalloc

import pytest
from benchmark_tools import sized

from bifente.ground.clock import VirtualClock
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.services.psc.claims import AuthMode
from bifente.simulator.services.psc.service import PscService
from bifente.simulator.services.psc.sessions import ClientUse
from bifente.simulator.services.psc.tokens import TokenGrant

USER = "899900000011"
LOGINS = sized(300, 100)
TOKENS = int(os.environ.get("BIFENTE_PSC_TOKENS", sized(4000, 2048)))
"""A hundred thousand take two minutes: BIFENTE_PSC_TOKENS=100000."""
SIGNATURES = 2
"""Of a login: the access token and the ID token; the refresh token is a HMAC."""


@pytest.fixture
def service() -> PscService:
    return PscService(VirtualClock(), MemoryKeys(), random.Random(1))


def log_in(service: PscService, verifier: str, challenge: str) -> None:
    """The whole code flow at the provider, without HTTP: request, phone, code, tokens, UserInfo."""
    client, core = service.core.registry.clients[0], service.core
    asked = {
        "client_id": client.id,
        "response_type": "code",
        "scope": "openid scope_all",
        "redirect_uri": client.redirect_uris[0],
        "state": core.mint.identifier(),
        "nonce": core.mint.identifier(),
        "acr_values": "eidas1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    known, parameters = service.authorization.checked(asked)
    attempt = service.authorization.begin(known, parameters, None)
    sent = core.ecps.notify(USER, client.name, core.two_digits(), 120)
    core.ecps.accept("telephone-1", sent.key, sent.number)
    service.authorization.prove(attempt, service.professional(USER), AuthMode.MOBILE)
    _session, target = service.authorization.finish(attempt)
    code = target.said["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uris[0],
        "code_verifier": verifier,
    }
    tokens = service.grants.given(client, form, ())
    service.bearing.information(tokens["access_token"], ())


def test_logins_beside_bare_signatures(service: PscService) -> None:
    service.core.ecps.activate_by_card("telephone-1", service.professional(USER), USER)
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    log_in(service, verifier, challenge)
    began = time.process_time()
    for _ in range(LOGINS):
        log_in(service, verifier, challenge)
    ours = time.process_time() - began
    mint, claims = service.core.mint, {"sub": USER, "exp": 2_000_000_000, "iss": "x" * 60, "azp": "lgc-demo"}
    began = time.process_time()
    for _ in range(LOGINS):
        for _ in range(SIGNATURES):
            token = mint.signed(claims)
        mint.read(token)
    bare = time.process_time() - began
    print(f"\n{LOGINS / ours:.0f} logins/s, {LOGINS / bare:.0f}/s for their two signatures and one verification alone")
    print(f"ratio {ours / bare:.2f}")
    assert ours < 3 * bare


def test_memory_is_flat_over_many_tokens(service: PscService) -> None:
    client, core = service.core.registry.clients[0], service.core
    one, clock = service.professional(USER), core.clock
    assert isinstance(clock, VirtualClock)

    def issue(count: int) -> None:
        for _ in range(count // SIGNATURES):
            session = core.open_session(one, AuthMode.MOBILE, browser=False)
            session.uses[client.id] = ClientUse("openid scope_all", None)
            answer = service.grants._issued(client, session, TokenGrant.CIBA, ())
            service.bearing.information(answer["access_token"], ())
            clock.advance(10)

    issue(1024)
    tracemalloc.start()
    began = tracemalloc.get_traced_memory()[0]
    issue(TOKENS - TOKENS % 1024)
    grown = tracemalloc.get_traced_memory()[0] - began
    tracemalloc.stop()
    print(f"\n{TOKENS - TOKENS % 1024} tokens: {grown / 1024:.0f} KiB more, {len(core.sessions)} sessions kept")
    assert grown < 325 * (TOKENS - TOKENS % 1024)
