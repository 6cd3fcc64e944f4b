"""What the steps share: expectations of a page, of an answer of the protocol, of a client's own judgement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bifente.conformance.domains.psc.claims_matcher import ClaimsMatcher
from bifente.conformance.domains.psc.vocabulary import PscPage
from bifente.conformance.expectations import ChoiceMatcher, Matcher, ValueMatcher
from bifente.conformance.scenario.step import Observation
from bifente.simulator.software.relying_party.refusals import ClientRefusal

if TYPE_CHECKING:
    import httpx

    from bifente.conformance.domains.psc.browser import PageSeen

ACCEPTED = "accepted"
PAGE: Mapping[str, Matcher] = {
    "http": ValueMatcher(),
    "page": ChoiceMatcher(frozenset(page.value for page in PscPage)),
    "message": ValueMatcher(),
    "heading": ValueMatcher(),
    "number": ValueMatcher(),
    "oauth-error": ValueMatcher(),
    "description": ValueMatcher(),
    "code": ValueMatcher(),
    "state": ValueMatcher(),
    "returned-to": ValueMatcher(),
}
ANSWER: Mapping[str, Matcher] = {
    "http": ValueMatcher(),
    "oauth-error": ValueMatcher(),
    "description": ValueMatcher(),
    "claims": ClaimsMatcher(),
}
OUTCOME = ChoiceMatcher(frozenset({ACCEPTED, *(one.value for one in ClientRefusal)}))


def shown(seen: PageSeen) -> Observation:
    """Return what a browser shows."""
    values = {
        "http": seen.http,
        "page": seen.page.value,
        "message": seen.message,
        "heading": seen.heading,
        "number": seen.number,
        "oauth-error": seen.said.get("error", ""),
        "description": seen.said.get("error_description", ""),
        "code": seen.said.get("code", ""),
        "state": seen.said.get("state", ""),
        "returned-to": seen.url.partition("?")[0] if seen.page is PscPage.RETURNED else "",
    }
    told = (
        ("page", seen.page.value),
        ("message", seen.message or seen.heading),
        ("erreur", str(values["oauth-error"])),
    )
    return Observation(values, tuple((label, text) for label, text in told if text))


def body_of(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer, an empty one if it has none."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def answered(answer: httpx.Response, **more: Any) -> Observation:
    """Return an answer of the protocol."""
    body = body_of(answer)
    error = str(body.get("error", ""))
    values = {
        "http": answer.status_code,
        "oauth-error": error,
        "description": str(body.get("error_description", "")),
        "claims": body,
        **more,
    }
    told = (("HTTP", str(answer.status_code)), ("erreur", f"{error} {values['description']}".strip()))
    return Observation(values, tuple((label, text) for label, text in told if text))
