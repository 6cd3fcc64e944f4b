from __future__ import annotations

import json
import random
import threading
from typing import Any

import pytest
from cloud_tools import Cloud, refusal, zone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifente.simulator.formats.jose.seal import SigningKey
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.readers.wireless import RadioLink, Refusal, TokenRefusedError
from bifente.simulator.readers.wireless.claims import ACCESS
from bifente.simulator.services.cloudfsv import UNAVAILABLE, BearerParameters, Bearers, FsvAnswer
from bifente.simulator.services.cloudfsv.bearer import BEARER

BAD_TOKEN = "Token invalide"


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


# -- what is answered -----------------------------------------------------------------------------------------------


def test_an_answer_has_the_observed_form(cloud: Cloud) -> None:
    cloud.recorder.answer = FsvAnswer(0, bytes(range(200)))
    response = cloud.call()
    assert response.status_code == 200
    assert response.headers["content-type"].lower() == "application/json; charset=utf-8"
    assert set(response.json()) == {"codeResult", "dataResult"}
    assert set(response.json()["dataResult"]) == {"arraySize", "data"}
    assert zone(response) == bytes(range(200))
    assert cloud.recorder.asked == [("config",)]


def test_each_function_gets_what_it_needs(cloud: Cloud) -> None:
    body = json.dumps({"codePorteur": "1234", "dateConsultation": "2023-05-31"})
    cloud.call("LireCartePS", content=body)
    cloud.call("LireDroitsVitale", content=body)
    cloud.call("LireDateLecteur")
    cloud.call("LireDateLecteur", "GET")
    assert cloud.recorder.asked == [
        ("ps", "CPS", "Log_SV", "1234"),
        ("droits", "CPS", "Log_SV", "1234", "20230531"),
        ("date", "Log_SV"),
        ("date", "Log_SV"),
    ]


def test_the_day_of_the_consultation_is_the_bench_day_unless_given(cloud: Cloud) -> None:
    cloud.call("LireDroitsVitale", content='{"codePorteur": "1234"}')
    assert cloud.recorder.asked[-1][-1] == "20260101"


@pytest.mark.parametrize("code", [0xF001, 0xF011, 0xF014, 0xFF07, 0xFF0C, 0xFF20, 0xFFFF])
def test_a_refusal_of_the_library_is_http_200(cloud: Cloud, code: int) -> None:
    cloud.recorder.answer = FsvAnswer(code)
    response = cloud.call("LireDroitsVitale", content='{"codePorteur": "1234"}')
    assert response.status_code == 200
    assert response.json() == {"codeResult": code, "dataResult": {"arraySize": 0, "data": ""}}


@pytest.mark.parametrize(("mode", "size"), [(None, 4), ("0", 4), ("2", 4), ("1", 0)])
def test_without_professional_card_data_come_unless_in_turbo_mode(cloud: Cloud, mode: str | None, size: int) -> None:
    cloud.recorder.answer = FsvAnswer(SsvCode.PS_ABSENT, b"data")
    cloud.slots["cps"].remove()
    response = cloud.call("LireDroitsVitale", content=json.dumps({"mode": mode}))
    assert response.json()["codeResult"] == 61441
    assert len(zone(response)) == size
    assert cloud.recorder.asked == [("droits", "CPS", "Log_SV", "", "20260101")]


@pytest.mark.parametrize("code", [0, 0xF011])
def test_turbo_takes_nothing_from_other_answers(cloud: Cloud, code: int) -> None:
    cloud.recorder.answer = FsvAnswer(code, b"data")
    assert zone(cloud.call("LireDroitsVitale", content='{"mode": "1", "codePorteur": "1234"}')) == b"data"


# -- the holder code ------------------------------------------------------------------------------------------------


def test_a_code_never_presented_is_lost(cloud: Cloud) -> None:
    for function in ("LireCartePS", "LireDroitsVitale"):
        assert cloud.call(function).json()["codeResult"] == 0xFF21
    assert not cloud.recorder.asked, "no card was asked anything: no try can be lost"


def test_a_code_that_was_right_is_remembered(cloud: Cloud) -> None:
    cloud.call("LireCartePS", content='{"codePorteur": "1234"}')
    assert cloud.call("LireDroitsVitale").json()["codeResult"] == 0
    assert cloud.recorder.asked[-1][3] == "1234"
    cloud.terminal.forget_code()
    assert cloud.call("LireDroitsVitale").json()["codeResult"] == 0xFF21


@pytest.mark.parametrize("code", [SsvCode.WRONG_CODE, SsvCode.PS_BLOCKED, SsvCode.PS_ABSENT])
def test_a_code_that_was_not_is_not(cloud: Cloud, code: int) -> None:
    cloud.recorder.answer = FsvAnswer(code)
    cloud.call("LireCartePS", content='{"codePorteur": "1234"}')
    assert cloud.terminal.code is None


def test_a_wrong_code_makes_the_terminal_forget_the_right_one(cloud: Cloud) -> None:
    cloud.call("LireCartePS", content='{"codePorteur": "1234"}')
    cloud.recorder.answer = FsvAnswer(SsvCode.WRONG_CODE)
    cloud.call("LireCartePS", content='{"codePorteur": "0000"}')
    assert cloud.terminal.code is None


# -- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Authorization": None}, "no-bearer"),
        ({"Authorization": "Bearer"}, "no-bearer"),
        ({"Authorization": "Bearer  "}, "no-bearer"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "no-bearer"),
        ({"Authorization": "Bearer x"}, "bearer-malformed"),
        ({"accessHealthcareToken": None}, "no-access-token"),
        ({"accessHealthcareToken": "x"}, "malformed"),
    ],
)
def test_without_both_tokens_nothing_is_read(cloud: Cloud, headers: dict[str, str | None], reason: str) -> None:
    assert refusal(cloud.call(headers=cloud.headers(**headers))) == (401, BAD_TOKEN, reason)
    assert not cloud.recorder.asked


def test_the_two_tokens_cannot_take_each_others_place(cloud: Cloud) -> None:
    bearer = cloud.bearers.issue()
    assert refusal(cloud.call(headers=cloud.headers(accessHealthcareToken=bearer)))[2] == "algorithm"
    assert refusal(cloud.call(headers=cloud.headers(Authorization=f"Bearer {cloud.token}")))[2] == "bearer-algorithm"


def test_a_header_given_twice_is_refused(cloud: Cloud) -> None:
    for name in ("Authorization", "accessHealthcareToken"):
        headers = list(cloud.headers().items())
        value = dict(headers)[name]
        assert refusal(cloud.call(headers=[*headers, (name, value)])) == (401, BAD_TOKEN, f"{name.lower()}-twice")


def test_an_access_token_expires_for_the_service_too(cloud: Cloud) -> None:
    cloud.clock.advance(119)
    assert cloud.call().status_code == 200
    cloud.clock.advance(1)
    assert refusal(cloud.call()) == (401, BAD_TOKEN, "expired")


def test_a_bearer_expires(cloud: Cloud) -> None:
    headers = cloud.headers()
    for _ in range(36):
        cloud.clock.advance(99)
        cloud.token = cloud.terminal.renew_session(cloud.token)
    assert cloud.call(headers={**headers, "accessHealthcareToken": cloud.token}).status_code == 200
    cloud.clock.advance(36)
    assert refusal(cloud.call(headers={**headers, "accessHealthcareToken": cloud.token}))[2] == "bearer-expired"


GOOD = {"iss": "bifente-laboratory", "aud": "bifente-cloudfsv", "sub": "software", "jti": "1"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"iss": "x"}, Refusal.ISSUER),
        ({"aud": "bifente-terminal"}, Refusal.AUDIENCE),
        ({"iss": None}, Refusal.CLAIMS),
        ({"aud": ["bifente-cloudfsv"]}, Refusal.CLAIMS),
        ({"sub": ""}, Refusal.CLAIMS),
        ({"iat": None}, Refusal.CLAIMS),
        ({"exp": "tomorrow"}, Refusal.CLAIMS),
        ({"life": 3601}, Refusal.LIFETIME),
        ({"life": 0}, Refusal.LIFETIME),
        ({"late": 6}, Refusal.NOT_YET),
        ({"late": -3600}, Refusal.EXPIRED),
    ],
    ids=str,
)
def test_each_claim_of_a_bearer_is_verified(cloud: Cloud, change: dict[str, Any], reason: Refusal | None) -> None:
    change = dict(change)
    issued = int(cloud.clock.now().timestamp()) + change.pop("late", 0)
    claims = {**GOOD, "iat": issued, "exp": issued + change.pop("life", 3600), **change}
    token = BEARER.close(claims, cloud.bearer_key.key, cloud.bearer_key.kid)
    if reason is None:
        assert cloud.bearers.verify(token) == "software"
        return
    with pytest.raises(TokenRefusedError) as error:
        cloud.bearers.verify(token)
    assert error.value.reason is reason
    response = cloud.call(headers=cloud.headers(Authorization=f"Bearer {token}"))
    assert refusal(response) == (401, BAD_TOKEN, f"bearer-{reason.value}")


def test_a_shorter_life_is_a_parameter(cloud: Cloud) -> None:
    bearers = Bearers(cloud.clock, cloud.bearer_key, random.Random(), BearerParameters(ttl=10))
    token = bearers.issue()
    cloud.clock.advance(10)
    with pytest.raises(TokenRefusedError):
        bearers.verify(token)


def test_a_token_of_another_key_with_the_right_name_is_refused(cloud: Cloud) -> None:
    stranger = SigningKey.es256(cloud.access_key.kid)
    token = ACCESS.close(ACCESS.open(cloud.token, cloud.access_key.public), stranger.key, stranger.kid)
    assert refusal(cloud.call(headers=cloud.headers(accessHealthcareToken=token)))[2] == "signature"


def test_no_refusal_shows_the_token(cloud: Cloud) -> None:
    cloud.clock.advance(500)
    response = cloud.call()
    shown = response.text + str(response.headers)
    assert not any(part in shown for part in cloud.token.split("."))


# -- the terminal ---------------------------------------------------------------------------------------------------


def test_out_of_range_is_428(cloud: Cloud) -> None:
    cloud.terminal.set_link(RadioLink.LOST)
    status, message, reason = refusal(cloud.call())
    assert (status, reason) == (428, "out-of-range")
    assert message.startswith("Terminal non connecté")
    assert cloud.call().json()["error"] == "Precondition Required"


def test_switched_off_is_428(cloud: Cloud) -> None:
    cloud.terminal.charge(0)
    assert refusal(cloud.call())[::2] == (428, "off")


def test_busy_is_503_and_the_other_call_goes_on(cloud: Cloud) -> None:
    begun, end = threading.Event(), threading.Event()
    answers: list[int] = []

    def stay() -> None:
        begun.set()
        assert end.wait(60)

    cloud.recorder.during = stay
    first = threading.Thread(target=lambda: answers.append(cloud.call().status_code))
    first.start()
    assert begun.wait(60)
    status, message, reason = refusal(cloud.call())
    end.set()
    first.join()
    assert (status, reason) == (503, "busy")
    assert message.startswith("Terminal indisponible")
    assert answers == [200]
    cloud.recorder.during = lambda: None
    assert cloud.call().status_code == 200


@pytest.mark.parametrize(
    ("accident", "reason"),
    [
        (lambda cloud: cloud.terminal.set_link(RadioLink.LOST), "gone-out-of-range"),
        (lambda cloud: cloud.terminal.charge(0), "gone-off"),
        (lambda cloud: cloud.platform.unpair(cloud.terminal.id, revoked=True), "gone-unpaired"),
        (lambda cloud: cloud.clock.advance(120), "gone-no-session"),
    ],
)
def test_a_terminal_that_leaves_in_the_middle_is_503(cloud: Cloud, accident: Any, reason: str) -> None:
    cloud.recorder.during = lambda: accident(cloud)
    assert refusal(cloud.call("LireDroitsVitale", content='{"codePorteur": "1234"}'))[::2] == (503, reason)


def test_a_renewal_in_the_middle_leaves_the_call_alone(cloud: Cloud) -> None:
    first = cloud.token

    def renew() -> None:
        cloud.clock.advance(100)
        cloud.token = cloud.terminal.renew_session(cloud.token)
        cloud.clock.advance(100)

    cloud.recorder.during = renew
    assert cloud.call().status_code == 200
    cloud.recorder.during = lambda: None
    assert refusal(cloud.call(headers=cloud.headers(accessHealthcareToken=first)))[2] == "expired"


# -- requests that are not right ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "body-unreadable"),
        ("[]", "body-unreadable"),
        ('"x"', "body-unreadable"),
        ("[" * 10_000, "body-unreadable"),
        (b"\xff\xfe", "body-unreadable"),
        (" " * 20_000, "body-too-long"),
        (json.dumps({"codePorteur": 1234}), "field-codePorteur"),
        (json.dumps({"codePorteur": "1" * 65}), "field-codePorteur"),
        (json.dumps({"mode": True}), "field-mode"),
        (json.dumps({"dateConsultation": "20260101"}), "field-dateConsultation"),
        (json.dumps({"dateConsultation": "2026-13-01"}), "field-dateConsultation"),
        (json.dumps({"dateConsultation": "2026-W01-1"}), "field-dateConsultation"),
        (json.dumps({"labelCvVirtuelle": "0102.IN"}), "unknown-virtual-card"),
    ],
)
def test_a_bad_body_is_400_and_no_card_is_asked(cloud: Cloud, body: Any, reason: str) -> None:
    assert refusal(cloud.call("LireCartePS", content=body))[::2] == (400, reason)
    assert not cloud.recorder.asked


def test_a_card_changed_while_its_code_is_verified_leaves_no_code(cloud: Cloud) -> None:
    slot = cloud.slots["cps"]
    cloud.recorder.during = lambda: slot.insert(slot.remove())
    assert cloud.call("LireCartePS", content='{"codePorteur": "1234"}').json()["codeResult"] == 0
    assert cloud.terminal.code is None


@pytest.mark.parametrize("body", ["", "  ", "{}", '{"unknown": [1]}', '{"codePorteur": null, "mode": ""}'])
def test_nothing_in_a_body_is_obligatory(cloud: Cloud, body: str) -> None:
    cloud.terminal.remember_code("1234", cloud.terminal.occasion)
    assert cloud.call("LireCartePS", content=body).json()["codeResult"] == 0


@pytest.mark.parametrize("query", ["", "terminalId=", "terminalId=a&terminalId=b", "terminalid=x"])
def test_the_terminal_is_named_once(cloud: Cloud, query: str) -> None:
    assert refusal(cloud.call(params=query))[::2] == (400, "terminal-id")


def test_a_terminal_that_is_not_the_token_s_is_refused(cloud: Cloud) -> None:
    assert refusal(cloud.call(params={"terminalId": "someone-else"}))[::2] == (401, "other-terminal")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/fsv/1.40.13/ssv/LireConfig", 404),
        ("GET", "/fsv/1.40.14/ssv/LireConfig/", 404),
        ("GET", "/fsv/1.40.14/ssv/lireconfig", 404),
        ("POST", "/fsv/1.40.14/ssv/FormaterFactures", 404),
        ("GET", "/fsv/1.40.14/ssv/../../bifente/terminals", 404),
        ("POST", "/fsv/1.40.14/ssv/LireConfig", 405),
        ("GET", "/fsv/1.40.14/ssv/LireDroitsVitale", 405),
        ("PUT", "/fsv/1.40.14/ssv/LireCartePS", 405),
    ],
)
def test_nothing_else_is_served(cloud: Cloud, method: str, path: str, status: int) -> None:
    response = cloud.send(method, path, headers=cloud.headers(), params={"terminalId": cloud.terminal.id})
    assert refusal(response)[0] == status


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(body=st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=80),
    lambda inner: st.dictionaries(
        st.sampled_from(["codePorteur", "dateConsultation", "mode", "labelCvVirtuelle", "x"]), inner, max_size=4
    ),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_body_gets_an_answer_in_form(cloud: Cloud, body: bytes) -> None:
    response = cloud.call("LireDroitsVitale", content=body)
    if response.status_code == 200:
        zone(response)
    else:
        assert refusal(response)[0] == 400


# -- our own endpoints ----------------------------------------------------------------------------------------------


def test_pairing_and_tokens_over_http(cloud: Cloud) -> None:
    one = f"/bifente/terminals/{cloud.terminal.id}"
    revoked = cloud.send("DELETE", f"{one}/pairing", headers=cloud.headers())
    assert revoked.json()["modelled"] is True
    assert revoked.json()["pairing"] == "revoked"
    assert (
        refusal(cloud.send("POST", f"{one}/token", headers=cloud.headers(accessHealthcareToken=None)))[2] == "revoked"
    )
    assert cloud.send("POST", f"{one}/pairing", headers=cloud.headers()).json()["pairing"] == "paired"
    opened = cloud.send("POST", f"{one}/token", headers=cloud.headers(accessHealthcareToken=None)).json()
    assert opened["modelled"] is True
    assert opened["expiresIn"] == 120
    cloud.token = opened["accessHealthcareToken"]
    assert cloud.call().status_code == 200
    cloud.clock.advance(100)
    renewed = cloud.send("POST", f"{one}/token", headers=cloud.headers()).json()
    assert refusal(cloud.call())[2] == "replayed"
    cloud.token = renewed["accessHealthcareToken"]
    cloud.clock.advance(100)
    assert cloud.call().status_code == 200
    (told,) = cloud.send("GET", "/bifente/terminals", headers=cloud.headers()).json()["terminals"]
    assert told["session"] == "open"
    assert told["remaining"] == 20
    cloud.clock.advance(20)
    assert refusal(cloud.send("POST", f"{one}/token", headers=cloud.headers()))[::2] == (401, "expired")


def test_our_endpoints_want_a_bearer_and_a_terminal(cloud: Cloud) -> None:
    one = f"/bifente/terminals/{cloud.terminal.id}"
    for method, path in (
        ("GET", "/bifente/terminals"),
        ("POST", f"{one}/pairing"),
        ("DELETE", f"{one}/pairing"),
        ("POST", f"{one}/token"),
    ):
        assert refusal(cloud.send(method, path))[::2] == (401, "no-bearer")
    assert cloud.terminal.pairing.value == "paired"
    unknown = cloud.send("POST", "/bifente/terminals/nobody/token", headers=cloud.headers())
    assert refusal(unknown)[::2] == (404, "unknown-terminal")
    cloud.terminal.set_link(RadioLink.LOST)
    assert refusal(cloud.send("POST", f"{one}/token", headers=cloud.headers()))[::2] == (428, "out-of-range")


def test_in_trouble_every_reading_is_told_that_the_terminal_is_unavailable() -> None:
    cloud = Cloud()
    cloud.served.strike(UNAVAILABLE)
    assert refusal(cloud.call()) == (
        503,
        "Terminal indisponible : retirer les cartes ou redémarrer le terminal",
        "trouble",
    )
    assert cloud.recorder.asked == []
    cloud.served.relieve(UNAVAILABLE)
    assert cloud.call().status_code == 200


def test_the_tokens_that_a_client_shows_are_declared_even_where_they_are_refused() -> None:
    cloud = Cloud()
    heard: list[str | bytes] = []
    cloud.served.declare = heard.append
    assert cloud.call(headers=cloud.headers(Authorization="Bearer stranger")).status_code == 401
    assert heard == ["stranger", cloud.token]
