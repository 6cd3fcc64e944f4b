"""The suites of Pro Santé Connect: well made, passing, free of secrets; each check, removed, is seen by one of them."""

from __future__ import annotations
import __future__ as future

import inspect
import json
import re
import textwrap
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.journal import FILE_NAME, Recorder, read_journal
from bifente.reports.render import FORMATS, render
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict
from bifente.simulator.formats.jose.seal import Seal
from bifente.simulator.middleware.srvsvcnam.component import SrvSvCnam
from bifente.simulator.pki.judging import CertificateJudge
from bifente.simulator.pki.revocation import SourcesInTurn
from bifente.simulator.services.portal import patient
from bifente.simulator.services.portal import service as portal
from bifente.simulator.services.portal.service import Portal
from bifente.simulator.services.psc import asking
from bifente.simulator.services.psc.api import ConnectedApi
from bifente.simulator.services.psc.assertions import AssertionJudge, ClientAssertion
from bifente.simulator.services.psc.authorization import Authorization
from bifente.simulator.services.psc.backchannel import Backchannel
from bifente.simulator.services.psc.bearing import Bearing
from bifente.simulator.services.psc.delegation import Delegation
from bifente.simulator.services.psc.ecps import EcpsPlatform
from bifente.simulator.services.psc.grants import Grants
from bifente.simulator.services.psc.leaving import Leaving
from bifente.simulator.services.psc.proving import ClientProof
from bifente.simulator.services.psc.service import PscService
from bifente.simulator.services.psc.state import ProviderState
from bifente.simulator.services.psc.tokens import TokenMint
from bifente.simulator.serving.client_certificates import ClientCertificates
from bifente.simulator.software.relying_party import client, verifying
from bifente.simulator.software.relying_party.client import OpenIdClient

pytestmark = pytest.mark.long

LEAST = 200
FOLDER = default_paths()[0] / "authentication"
SUITES = tuple(sorted([*FOLDER.glob("psc-*.yaml"), FOLDER / "ciba.yaml", FOLDER / "portals.yaml"]))


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=SUITES), workshop)


@dataclass
class Recorded:
    events: list[Event]
    journal: Path
    secrets: set[str]


@pytest.fixture(scope="module")
def recorded(plan: RunPlan, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """One run of all, its journal, and everything secret that was born in it."""
    events: list[Event] = []
    path = tmp_path_factory.mktemp("record") / FILE_NAME
    secrets, moment = Secrets(), datetime(2026, 1, 1, tzinfo=UTC)
    born: set[str] = set()
    with pytest.MonkeyPatch.context() as patch, Recorder(path, now=lambda: moment, secrets=secrets) as recorder:
        watch(patch, born)

        def emit(event: Event) -> None:
            events.append(event)
            recorder.emit(event)

        execute(plan, workshop, run_id="20260101-000000-000000", command=(), emit=emit, secrets=secrets)
    return Recorded(events, path, born)


def watch(patch: pytest.MonkeyPatch, born: set[str]) -> None:
    """Keep whatever the provider signs, draws or hears that is secret."""
    signed, drawn, made = TokenMint._born, TokenMint.secret, PscService.__init__

    def keep_signed(self: TokenMint, token: str) -> str:
        born.add(token)
        return signed(self, token)

    def keep_drawn(self: TokenMint, size: int = 32) -> str:
        found = drawn(self, size)
        born.add(found)
        return found

    def keep_clients(self: PscService, *args: Any, **more: Any) -> None:
        made(self, *args, **more)
        born.update(one.secret for one in self.core.registry.clients if one.secret)

    patch.setattr(TokenMint, "_born", keep_signed)
    patch.setattr(TokenMint, "secret", keep_drawn)
    patch.setattr(PscService, "__init__", keep_clients)


def verdicts(events: list[Event]) -> dict[str, Verdict]:
    return {event.scenario: event.verdict for event in events if isinstance(event, ScenarioFinished)}


def test_all_pass(plan: RunPlan, recorded: Recorded) -> None:
    found = verdicts(recorded.events)
    assert set(found) == {scenario.id for scenario in plan.scenarios}
    assert {name: verdict for name, verdict in found.items() if verdict is not Verdict.PASSED} == {}


def test_there_are_enough_and_they_cite_known_requirements(plan: RunPlan) -> None:
    catalogue = load_catalogue()
    assert len(plan.scenarios) >= LEAST
    for scenario in plan.scenarios:
        cited = scenario.model.requirements
        assert len(set(cited)) == len(cited), scenario.id
        assert all(requirement in catalogue for requirement in cited), scenario.id


def test_every_requirement_of_the_sets_has_a_scenario_or_a_written_reason(plan: RunPlan) -> None:
    cited = {requirement for scenario in plan.scenarios for requirement in scenario.model.requirements}
    wanted = {
        name for name in load_catalogue() if re.match(r"(SEED-PSC|SEED-ECPS|PSC|SEED-WEBMEDECIN|LOCAL-SRV)-", name)
    }
    assert sorted(wanted - cited - REASONS.keys()) == []
    assert sorted(REASONS.keys() & cited) == []


REASONS = {
    "SEED-WEBMEDECIN-13": "old versions of TLS are refused by every server: tests/serving/test_client_certificates.py",
    "SEED-PSC-04": "a date of the law: nothing to try",
    "SEED-PSC-12": "which authority signs the server's certificate: tried with TLS in tests/clients/test_psc_pages.py",
    "PSC-FIELD-06": "the identity interface (API PSI) is not simulated",
    "PSC-60": "the files of a software: tests/observation/test_client_logs.py",
    "PSC-15": "what an API does half an hour later is the API's own; the bench's forgets at its end",
}


def test_the_same_seed_gives_the_same_journal(plan: RunPlan, workshop: Workshop, tmp_path: Path) -> None:
    some = replace(plan, scenarios=tuple(one for one in plan.scenarios if one.id.endswith("a-login-from-end-to-end")))

    def told(name: str) -> list[Event]:
        secrets, path = Secrets(), tmp_path / name
        with Recorder(path, now=lambda: datetime(2026, 1, 1, tzinfo=UTC), secrets=secrets) as recorder:
            execute(some, workshop, run_id="20260101-000000-000000", command=(), emit=recorder.emit, secrets=secrets)
        events = [structs.replace(event, time="") for event in read_journal(path).events]
        return [structs.replace(event, duration_us=0) if hasattr(event, "duration_us") else event for event in events]

    assert told("one") == told("other")


def test_no_secret_is_in_any_file_of_a_run(recorded: Recorded) -> None:
    folder = recorded.journal.parent
    render(recorded.journal, FORMATS, folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 3
    content = b"".join(path.read_bytes() for path in files)
    assert len(recorded.secrets) > 1000
    assert [secret for secret in recorded.secrets if secret.encode() in content] == []
    # Nor a token that somebody forged, nor a part of one.
    assert re.findall(rb"eyJ[A-Za-z0-9_-]{12,}\.", content) == []
    assert b"/protocol/openid-connect/token" in content


# -- each check removed ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutation:
    """A check taken out of the source: ``old`` becomes ``new`` in a function; ``seen_by`` says who turns red."""

    name: str
    owner: Any
    function: str
    old: str
    new: str
    seen_by: str


def of(owner: Any, function: str, old: str, new: str, seen_by: str) -> Any:
    name = f"{function}: {old[:50]}"
    return pytest.param(Mutation(name, owner, function, old, new, seen_by), id=name)


_REFUSED = "psc-tokens/assertion-refused"
MUTATIONS = [
    # The provider: the request.
    of(
        Authorization,
        "checked",
        "wanted not in client.redirect_uris",
        "not any(one.rstrip('/').casefold() == wanted.rstrip('/').casefold() for one in client.redirect_uris)",
        "psc-login/redirect-altered",
    ),
    of(
        Authorization,
        "checked",
        "wanted not in client.redirect_uris",
        "not wanted",
        "psc-login/another-clients-address",
    ),
    of(Authorization, "_check_pkce", 'if client.pkce == "required":', "if False:", "psc-login/pkce-required"),
    of(
        Authorization,
        "_check_pkce",
        'client.pkce == "required" and method',
        "False and method",
        "psc-login/pkce-required",
    ),
    of(
        Authorization, "checked", 'pushed.get("client_id") != client.id', "False", "psc-login/pushed-request-of-another"
    ),
    of(Authorization, "_check", 'given.get("acr_values") != EIDAS1', "False", "psc-login/acr-refused"),
    of(Authorization, "attempt", "or found.browser != browser", "", "psc-login/login-link-passed-on"),
    of(
        Authorization,
        "_too_old",
        "self._state.now - session.auth_time > int(age)",
        "False",
        "psc-sso/login-asked-again",
    ),
    of(
        Authorization,
        "returned",
        '"iss": state.addresses.issuer',
        '"from": state.addresses.issuer',
        "psc-ecps/a-login-from-end-to-end",
    ),
    # The provider: tokens.
    of(Grants, "_by_code", "state.codes.pop(code)", "state.codes.get(code)", "psc-tokens/code-replayed"),
    of(Grants, "_by_code", "state.close_session(sid)", "pass", "psc-tokens/code-replayed"),
    of(Grants, "_by_code", "if found.client != client.id:", "if False:", "psc-tokens/code-of-another-client"),
    of(
        Grants, "_by_code", 'if form.get("redirect_uri") != found.redirect_uri:', "if False:", "psc-tokens/code-misused"
    ),
    of(
        Grants,
        "_check_verifier",
        "if not hmac.compare_digest(made.encode(), challenge.encode()):",
        "if False:",
        "psc-tokens/code-misused",
    ),
    of(
        Grants,
        "_check_verifier",
        'raise invalid_grant("PKCE code verifier not specified")',
        "return",
        "psc-tokens/code-misused",
    ),
    of(
        ClientProof,
        "client",
        "if not hmac.compare_digest(secret.encode(), client.secret.encode()):",
        "if False:",
        "psc-tokens/client-not-proven",
    ),
    of(
        ClientProof,
        "client",
        "if client.subject is None or not self._is_certificate_of(client, chain):",
        "if False:",
        "psc-tokens/client-not-proven",
    ),
    of(ClientProof, "_is_certificate_of", "or self._state.believes(chain) is not None", "", "psc-tokens/trust-space"),
    of(ClientProof, "_is_certificate_of", "== [client.subject]", "!= []", "psc-tokens/trust-space"),
    # The assertion that a client signs.
    of(ClientProof, "client", "if client.authentication is not None:", "if False:", "psc-tokens/client-signs"),
    of(ClientAssertion, "client", 'if form.get("client_id", said) != said:', "if False:", _REFUSED),
    of(ClientAssertion, "client", 'if self.claims.get("iss") != said:', "if False:", _REFUSED),
    of(AssertionJudge, "_check_signature", "if algorithm not in algorithms:", "if False:", "psc-tokens/client-signs"),
    of(
        AssertionJudge,
        "_check_signature",
        "if not any(_holds(assertion, key, registry) for key in fitting):",
        "if False:",
        "psc-tokens/assertion-forged",
    ),
    of(AssertionJudge, "_check_audience", 'raise refused("Invalid token audience")', "pass", _REFUSED),
    of(AssertionJudge, "_check_audience", "if len(told) > 1:", "if False:", _REFUSED),
    of(AssertionJudge, "_check_life", "if end is None:", "if end is None:\n        return\n    if False:", _REFUSED),
    of(AssertionJudge, "_check_life", "now >= end + _SKEW", "False", _REFUSED),
    of(AssertionJudge, "_check_life", "now + _SKEW < start", "False", _REFUSED),
    of(AssertionJudge, "_check_life", "if end - now > _LONGEST_LIFE:", "if False:", _REFUSED),
    of(AssertionJudge, "_check_life", "elif issued - _SKEW > now:", "elif False:", _REFUSED),
    of(AssertionJudge, "_check_life", "elif now > issued + _LONGEST_LIFE:", "elif False:", _REFUSED),
    of(AssertionJudge, "_check_once", "if not isinstance(said, str) or not said:", "if False:", _REFUSED),
    of(AssertionJudge, "_check_once", "if self._state.asserted.get(key):", "if False:", "psc-tokens/assertion-once"),
    of(
        Grants, "_by_refresh", 'if claims.get("azp") != client.id:', "if False:", "psc-tokens/refresh-of-another-client"
    ),
    of(Grants, "_by_refresh", 'claims["exp"] <= state.now or', "", "psc-tokens/refresh-after-thirty-minutes"),
    of(Grants, "_by_refresh", 'if use.refresh != claims.get("jti"):', "if False:", "psc-tokens/refresh-used-twice"),
    of(Bearing, "believed", 'claims["exp"] <= state.now', "False", "psc-tokens/two-minutes"),
    of(Bearing, "_of_any_kind", 'claims["exp"] <= state.now or', "", "psc-tokens/two-minutes"),
    of(Bearing, "believed", 'claims.get("typ") != "Bearer" or', "", "psc-tokens/other-kinds-of-token"),
    of(Bearing, "introspected", 'if claims.get("typ") != "Bearer":', "if False:", "psc-tokens/other-kinds-of-token"),
    of(Bearing, "believed", "if bound is not None and bound !=", "if False and bound !=", "psc-tokens/trust-space"),
    of(Bearing, "believed", " or client not in session.uses", "", "psc-tokens/revoked"),
    of(Bearing, "revoke", 'if claims["azp"] != client.id:', "if False:", "psc-tokens/revoked"),
    of(Seal, "_check_header", 'if header.get("alg") != self.algorithm:', "if False:", "psc-login/id-token-forged"),
    of(Seal, "open", "if not holds:", "if False:", "psc-tokens/forged-access-token"),
    # The provider: the API behind an exchange.
    of(
        ConnectedApi,
        "exchanged",
        "if (why := state.believes(chain)) is not None:",
        "if False:",
        "psc-tokens/exchange-incomplete",
    ),
    of(
        ConnectedApi,
        "exchanged",
        'if form["subject_token_type"] not in TOKEN_TYPES:',
        "if False:",
        "psc-tokens/exchange-incomplete",
    ),
    of(ConnectedApi, "exchanged", 'state.exchanged.get(claims["jti"])', "False", "psc-tokens/exchange-once"),
    of(
        ConnectedApi,
        "called",
        'if claims["cnf"]["x5t#S256"] !=',
        'if False and claims["cnf"] !=',
        "psc-tokens/exchange",
    ),
    of(ConnectedApi, "called", 'or claims["exp"] <= state.now', "", "psc-tokens/exchange"),
    # The provider: sessions and logout.
    of(ProviderState, "_is_over", "now >= one.auth_time + limits.sso_max or", "", "psc-sso/four-hours-at-most"),
    of(ProviderState, "_is_over", "or now >= one.seen + limits.sso_idle", "", "psc-sso/idle-for-thirty-minutes"),
    of(
        Leaving,
        "target",
        "client is None or wanted not in client.post_logout_redirect_uris",
        "False",
        "psc-sso/logout-address",
    ),
    of(Leaving, "_hinted", 'claims.get("typ") == "ID" and', "", "psc-sso/logout-hint-of-the-wrong-kind"),
    of(
        Leaving,
        "asked",
        'if given.get("client_id", client) != client:',
        "if False:",
        "psc-sso/logout-hint-of-the-wrong-kind",
    ),
    of(Leaving, "asked", 'self._state.close_session(str(claims["sid"]))', "pass", "psc-sso/logout"),
    # The phone.
    of(EcpsPlatform, "accept", "if number != found.number:", "if False:", "psc-ecps/numbers-differ"),
    of(
        EcpsPlatform,
        "answer_of",
        "if one.answer is NotificationState.PENDING and self._now >= one.end",
        "if False",
        "psc-ecps/silence",
    ),
    of(
        EcpsPlatform,
        "activate_by_card",
        "if card != professional.id:",
        "if False:",
        "psc-ecps/activation-by-another-card",
    ),
    of(
        EcpsPlatform,
        "begin_by_contact",
        "if professional.profession not in LISTED_PROFESSIONS:",
        "if False:",
        "psc-ecps/activation-refused",
    ),
    of(
        EcpsPlatform,
        "begin_by_contact",
        "if (email.casefold(), mobile) !=",
        "if False and (email, mobile) !=",
        "psc-ecps/wrong-contact-data",
    ),
    of(
        EcpsPlatform,
        "finish_by_contact",
        "if (by_email, by_mobile) != phone.secrets:",
        "if {by_email, by_mobile} != set(phone.secrets):",
        "psc-ecps/wrong-codes",
    ),
    of(
        EcpsPlatform, "_activated", "other.activation = Activation.REPLACED", "pass", "psc-ecps/another-device-replaces"
    ),
    of(
        EcpsPlatform,
        "_open",
        "found = phone.notifications.get(key)\n    if found is None or found.professional != phone.owner:",
        "found = next(p.notifications[key] for p in self.phones.values() if key in p.notifications)\n    if False:",
        "psc-ecps/no-cross-approval",
    ),
    # CIBA.
    of(Backchannel, "asked", "if not client.ciba:", "if False:", "ciba/not-enabled"),
    of(Backchannel, "asked", "if not _MESSAGE.fullmatch(message):", "if False:", "ciba/binding-message"),
    of(Backchannel, "redeemed", "if request.client != client.id:", "if False:", "ciba/request-of-another-client"),
    of(Backchannel, "redeemed", "if state.now >= request.end:", "if False:", "ciba/silence"),
    of(Backchannel, "_keep_pace", "early = state.now < request.next_poll", "early = False", "ciba/polled-too-fast"),
    of(Backchannel, "_keep_pace", "request.interval += state.parameters.slower", "pass", "ciba/polled-too-fast"),
    of(
        Backchannel,
        "answer_by_card",
        "elif card != request.professional.id:",
        "elif False:",
        "ciba/card-channel-other-card",
    ),
    # The card and the local provider.
    of(
        ClientCertificates,
        "look",
        "return self.judge.judge_der(presented)",
        "return tuple(x509.load_der_x509_certificate(one) for one in presented)",
        "psc-card/signature-certificate",
    ),
    of(CertificateJudge, "judge", "if self.revocation is not None:", "if False:", "psc-card/card-reported[lost]"),
    of(CertificateJudge, "judge", "if self.revocation is not None:", "if False:", "psc-card/card-revoked-before"),
    of(CertificateJudge, "judge", "if self.revocation is not None:", "if False:", "portals/reported-card[ameli]"),
    of(
        SourcesInTurn,
        "check",
        "if error.refusal not in _UNAVAILABLE:",
        "if True:",
        "psc-card/responder-down-the-list-answers[pki-ocsp-down]",
    ),
    of(
        SourcesInTurn,
        "check",
        "if error.refusal not in _UNAVAILABLE:",
        "if False:",
        "psc-card/status-forged[pki-ocsp-foreign]",
    ),
    of(
        SourcesInTurn,
        "check",
        "last.check(certificate, issuer, at)",
        "pass",
        "psc-card/no-status-at-all[pki-crl-missing]",
    ),
    of(asking, "_named", "client = client or str", "client = '' and str", "psc-login/unavailable-for-one"),
    of(
        asking,
        "_named",
        "user = user or (session.professional.id",
        'user = "" and (session',
        "psc-login/unavailable-for-one",
    ),
    of(
        Delegation,
        "_believed",
        "if not any(strong <=",
        "if False and not any(strong <=",
        "psc-delegation/password-alone",
    ),
    of(
        Delegation,
        "_believed",
        'if not nonce or claims.get("nonce") != nonce or',
        "if",
        "psc-delegation/local-token-wrong[nonce]",
    ),
    of(Delegation, "_believed", 'claims.get("aud") != "psc" or', "", "psc-delegation/local-token-wrong[audience]"),
    # The portals and the component of the workstation.
    of(Portal, "_site", "if why is not None:", "if False:", "portals/without-the-card"),
    of(SrvSvCnam, "_answered", "if origin not in self.origins:", "if False:", "portals/another-site"),
    of(
        patient,
        "from_number",
        "if len(nir) == 15 and int(nir[13:]) != _key(nir[:13]):",
        "if False:",
        "portals/wrong-number",
    ),
    of(patient, "_panel", "_covers(period, day) for period in rights", "True for period in rights", "portals/exempted"),
    # The client.
    of(OpenIdClient, "_check_return", 'if said.get("state") != begun.state:', "if False:", "psc-login/state-forged"),
    of(
        OpenIdClient,
        "_check_return",
        'if said.get("iss") != self.document["issuer"]:',
        "if False:",
        "psc-login/issuer-of-another",
    ),
    of(OpenIdClient, "_believed", 'claims.get("nonce") != nonce', "False", "psc-login/id-token-wrong[nonce]"),
    of(OpenIdClient, "_check_level", "if not (level", "if False and not (level", "psc-login/level-not-reached"),
    of(
        OpenIdClient,
        "_user",
        'if found.get("sub") != session.claims.get("sub"):',
        "if False:",
        "psc-login/id-token-wrong[subject]",
    ),
    of(
        OpenIdClient,
        "_user",
        'identity is not None and found.get("SubjectNameID") != identity',
        "False",
        "psc-tokens/other-users-identity",
    ),
    of(
        verifying,
        "check_claims",
        "client not in (audience if isinstance(audience, list) else [audience]) or",
        "",
        "psc-login/id-token-wrong[audience]",
    ),
    of(
        verifying,
        "check_claims",
        ' or claims.get("azp", client) != client',
        "",
        "psc-login/id-token-wrong[authorized-party]",
    ),
    of(verifying, "check_claims", 'if claims.get("iss") != issuer:', "if False:", "psc-login/id-token-wrong[issuer]"),
    of(verifying, "check_claims", 'now >= claims["exp"] + _LEEWAY', "False", "psc-login/id-token-wrong[expired]"),
    of(
        verifying,
        "check_access_hash",
        'claims["at_hash"] != made',
        "False",
        "psc-login/id-token-wrong[access-token-swapped]",
    ),
]


def mutate(patch: pytest.MonkeyPatch, mutation: Mutation) -> None:
    """Replace a piece of a function's source, and the function by what that gives."""
    found = inspect.getattr_static(mutation.owner, mutation.function)
    plain = found.__func__ if isinstance(found, staticmethod) else found
    source = textwrap.dedent(inspect.getsource(plain))
    assert mutation.old in source, f"{mutation.name}: the check is written in other words now"
    changed = source.replace(mutation.old, mutation.new)
    names = dict(plain.__globals__)
    flags = future.annotations.compiler_flag
    exec(compile(changed, mutation.name, "exec", flags=flags, dont_inherit=True), names)  # noqa: S102 - our own source
    made = names[mutation.function]
    patch.setattr(mutation.owner, mutation.function, made)
    for module in (client, portal) if inspect.ismodule(mutation.owner) else ():
        if hasattr(module, mutation.function):
            patch.setattr(module, mutation.function, made)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_check_that_is_removed_is_seen_by_a_scenario(
    mutation: Mutation, plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [one for one in plan.scenarios if one.id.startswith(f"authentication.{mutation.seen_by}")]
    assert wanted, f"no scenario is named {mutation.seen_by}"
    mutate(monkeypatch, mutation)
    chosen = replace(plan, scenarios=tuple(wanted))
    events: list[Event] = []
    execute(chosen, workshop, run_id="20260101-000000-000000", command=(), emit=events.append)
    found = verdicts(events)
    assert len(found) == len(wanted)
    red = [name for name, verdict in found.items() if verdict is Verdict.FAILED]
    print(json.dumps({mutation.name: red}))
    assert red, found
