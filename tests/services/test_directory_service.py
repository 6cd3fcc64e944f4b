"""The directory: no request breaks it, its limit and its pages hold, its key is told to nobody."""

from __future__ import annotations

import random
from typing import Any

import pytest
import schemathesis
from certificates_bench import Laboratory
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error

from bifente.ground.clock import VirtualClock
from bifente.simulator.services.directory import DirectoryService, DirectoryTrouble, Register, entry_of
from bifente.simulator.services.directory.entries import crowd
from bifente.simulator.services.directory.search import PARAMETERS
from bifente.simulator.services.directory.service import A_MINUTE, API_KEY, BASE
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.service import ServiceError


def made(heard: list[str | bytes] | None = None) -> DirectoryService:
    lab = Laboratory(VirtualClock())
    entries = [entry_of(lab.card()), *crowd(60)]
    told = heard.append if heard is not None else lambda secret: None
    return DirectoryService(Register(entries), lab.clock, random.Random(1), told)


SERVICE = made()
TEXT = {"schema": {"type": "string"}}


def document() -> dict[str, Any]:
    """What the service answers, as OpenAPI: enough for requests nobody would write by hand."""
    parameters = sorted(
        {name for of in PARAMETERS.values() for name in of} | {"_count", "_getpages", "_getpagesoffset"}
    )
    query = [{"name": name, "in": "query", **TEXT} for name in parameters]
    key = {"name": "ESANTE-API-KEY", "in": "header", "required": True, "schema": {"enum": [SERVICE.key]}}
    kind = {"name": "kind", "in": "path", "required": True, "schema": {"enum": [*PARAMETERS, "Patient"]}}
    one = {"name": "id", "in": "path", "required": True, **TEXT}
    answers = {"responses": {"200": {"description": "an answer"}}}
    form = {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}
    number = {"name": "number", "in": "path", "required": True, **TEXT}
    return {
        "openapi": "3.0.3",
        "info": {"title": "annuaire", "version": "2"},
        "paths": {
            BASE: {"get": {"parameters": [key, *query], **answers}},
            f"{BASE}/{{kind}}": {"get": {"parameters": [key, kind, *query], **answers}},
            f"{BASE}/{{kind}}/_search": {"post": {"parameters": [key, kind], "requestBody": form, **answers}},
            f"{BASE}/{{kind}}/{{id}}": {"get": {"parameters": [key, kind, one], **answers}},
            f"{BASE}/metadata": {"get": answers},
            "/annuaire/personnes": {"get": {"parameters": [{"name": "nom", "in": "query", **TEXT}], **answers}},
            "/annuaire/personnes/{number}": {"get": {"parameters": [number], **answers}},
        },
    }


SCHEMA = schemathesis.openapi.from_dict(document())
SCHEMA.app = SERVICE.application


@SCHEMA.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_gives_a_server_error(case: Any) -> None:
    SERVICE._asked.clear()
    case.call_and_validate(checks=[not_a_server_error])


def test_the_limit_of_a_minute_holds_and_passes() -> None:
    service = made()
    headers = {API_KEY: service.key}
    with in_process(service.application, headers) as caller:
        url = f"{BASE}/Practitioner/003-99880000001"
        for _ in range(A_MINUTE):
            service._asked.append(service._clock.monotonic())
        refused = caller.get(url)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "60"
        service._clock.wait(60)
        assert caller.get(url).status_code == 200


def test_pages_are_walked_by_their_links() -> None:
    service = made()
    with in_process(service.application, {API_KEY: service.key}) as caller:
        bundle, seen = caller.get(f"{BASE}/Practitioner", params={"_count": "7"}).json(), []
        while True:
            seen += [one["resource"]["id"] for one in bundle["entry"]]
            link = [one["url"] for one in bundle["link"] if one["relation"] == "next"]
            if not link:
                break
            bundle = caller.get(link[0]).json()
        assert len(seen) == len(set(seen)) == bundle["total"] == 61
        gone = caller.get(BASE, params={"_getpages": "nobody"})
        assert gone.status_code == 410
        assert gone.json()["resourceType"] == "OperationOutcome"


def test_keys_are_declared_right_or_wrong() -> None:
    heard: list[str | bytes] = []
    service = made(heard)
    assert heard == [service.key]
    service.learn([("ESANTE-API-KEY", "wrong"), ("accept", "x")], b"")
    assert heard == [service.key, "wrong"]


def test_state_is_told_and_set() -> None:
    service = made()
    service.set_state({"close": ["99880000000"], "remove": ["99880000001"]})
    assert service.state() == {"persons": 60, "inactive": ["003-99880000000"]}
    mistakes: list[dict[str, Any]] = [{"x": []}, {"close": "99880000000"}, {"remove": ["1"]}]
    for wrong in mistakes:
        with pytest.raises(ServiceError, match=r"^directory: "):
            service.set_state(wrong)


def test_a_page_shows_no_markup_of_an_entry() -> None:
    service = made()
    entry = next(iter(service.register))
    object.__setattr__(entry, "family", "<script>alert(1)</script>")
    with in_process(service.application) as caller:
        page = caller.get(f"/annuaire/personnes/{entry.rpps}").text
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
        assert "<script>" not in caller.get("/annuaire/personnes").text


def test_every_trouble_strikes_and_passes() -> None:
    service = made()
    with in_process(service.application, {API_KEY: service.key}) as caller:

        def look() -> tuple[int, str]:
            answer = caller.get(f"{BASE}/Practitioner", params={"_count": "201"})
            return answer.status_code, answer.text.replace(service.key, "")

        sound = look()[0]
        for trouble in DirectoryTrouble:
            before = service._clock.monotonic()
            service.suffer(trouble)
            status, text = look()
            changed = status != sound or "extension-2019" in text or service._clock.monotonic() > before
            assert changed or trouble is DirectoryTrouble.WRONG_NEXT, trouble
            service.suffer()
            assert look()[0] == sound
