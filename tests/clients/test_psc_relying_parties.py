"""Relying parties that were not written here complete login, refresh, userinfo, logout and CIBA."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from bifente.simulator.pki.keystore import KeySource

pytest.importorskip("requests_oauth2client")

from psc_bench import PHONE, USER, Served, served
from requests_oauth2client import (
    AccessDenied,
    AuthorizationPending,
    BackChannelAuthenticationPollingJob,
    InvalidGrant,
    requests,
)

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def psc(shared_keys: KeySource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(shared_keys, tmp_path_factory.mktemp("psc")) as found:
        yield found


def logged_in(psc: Served, uri: str) -> str:
    """What a user does in a browser: e-CPS, the number compared on the phone; the address it ends at."""
    session = requests.Session()
    session.verify, session.trust_env = str(psc.ca), False
    platform, wallet = psc.service.core.ecps, psc.service.core.addresses.wallet
    page = session.get(uri)
    attempt = parse_qs(urlsplit(page.url).query)["attempt"][0]
    page = session.post(f"{wallet}/login-page/ecps", data={"attempt": attempt, "id": USER})
    number = re.search(r'id="nombre">(\d\d)<', page.text)
    assert number is not None
    pending = next(one for one in platform.pending(PHONE) if one.number == number[1])
    platform.accept(PHONE, pending.key, number[1])
    done = session.get(f"{wallet}/login-page/attente", params={"attempt": attempt}, allow_redirects=False)
    return urljoin(wallet, done.headers["location"])


def test_the_code_flow_of_requests_oauth2client(psc: Served) -> None:
    client = psc.oauth()
    asked = client.authorization_request(scope="openid scope_all", acr_values=["eidas1"])
    token = client.authorization_code(asked.validate_callback(logged_in(psc, asked.uri)), validate=True)
    assert token.expires_in == 120
    assert token.id_token.acr == "eidas1"
    user = client.userinfo(token)
    assert user["SubjectNameID"] == USER
    renewed = client.refresh_token(token)
    assert renewed.access_token != token.access_token
    assert client.introspect_token(renewed)["active"] is True
    with pytest.raises(InvalidGrant):
        client.refresh_token(token)
    client.revoke_refresh_token(str(renewed.refresh_token))
    assert client.introspect_token(renewed) == {"active": False}


def test_a_callback_that_was_altered_is_refused_by_that_library(psc: Served) -> None:
    client = psc.oauth()
    asked = client.authorization_request(scope="openid scope_all", acr_values=["eidas1"])
    callback = logged_in(psc, asked.uri)
    with pytest.raises(Exception, match=r"(?i)state"):
        asked.validate_callback(re.sub(r"state=[^&]+", "state=forge", callback))
    with pytest.raises(Exception, match=r"(?i)iss"):
        asked.validate_callback(re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fautre", callback))


def test_ciba_of_requests_oauth2client(psc: Served) -> None:
    client, platform = psc.oauth(), psc.service.core.ecps
    asked = client.backchannel_authentication_request(
        scope="openid scope_all", login_hint=USER, binding_message="17", acr_values=["eidas1"], channel="MOBILE"
    )
    assert (asked.expires_in, asked.interval) == (120, 1)
    waits: list[float] = []

    def approve_meanwhile() -> None:
        waits.append(1)
        # The bench's clock is the machine's here: the request is told that its time to poll has come.
        psc.service.core.requests.get(asked.auth_req_id).next_poll = 0.0
        if len(waits) == 2:
            one = next(one for one in platform.pending(PHONE) if one.number == "17")
            platform.accept(PHONE, one.key, "17")

    job = Polled(client, asked.auth_req_id, interval=1, before=approve_meanwhile)
    token = None
    while token is None:
        token = job()
    assert len(waits) == 2
    assert client.userinfo(token)["authMode"] == "MOBILE"


WAITS: dict[int, Callable[[], None]] = {}


class Polled(BackChannelAuthenticationPollingJob):
    """The library's own job, its sleep replaced."""

    def __init__(self, *arguments: Any, before: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        WAITS[id(self)] = before

    def sleep(self) -> None:
        WAITS[id(self)]()


def test_ciba_refused(psc: Served) -> None:
    client, platform = psc.oauth(), psc.service.core.ecps
    asked = client.backchannel_authentication_request(
        scope="openid scope_all", login_hint=USER, binding_message="18", acr_values=["eidas1"]
    )
    psc.service.core.requests.get(asked.auth_req_id).next_poll = 0.0
    with pytest.raises(AuthorizationPending):
        client.ciba(asked.auth_req_id)
    platform.refuse(PHONE, next(one.key for one in platform.pending(PHONE) if one.number == "18"))
    psc.service.core.requests.get(asked.auth_req_id).next_poll = 0.0
    with pytest.raises(AccessDenied):
        client.ciba(asked.auth_req_id)


def test_two_hundred_logins_at_once_lose_none(psc: Served) -> None:
    found: list[str] = []
    client = psc.oauth()
    before = len(psc.service.core.sessions)

    def one(number: int) -> None:
        asked = client.authorization_request(scope="openid scope_all", acr_values=["eidas1"])
        callback = logged_in(psc, asked.uri)
        token = client.authorization_code(asked.validate_callback(callback), validate=True)
        found.append(token.id_token.sid)

    def several() -> None:
        for number in range(25):
            one(number)

    threads = [threading.Thread(target=several) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 200
    assert len(psc.service.core.sessions) - before == 200
