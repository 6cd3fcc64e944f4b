"""The software of a client: what it takes of what comes back, and what becomes of its user's session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.psc.claims_matcher import ClaimsMatcher, claims_of
from bifente.conformance.domains.psc.steps.login import Browser, Changes, ClientId
from bifente.conformance.domains.psc.steps.words import ACCEPTED, OUTCOME, PAGE, shown
from bifente.conformance.domains.psc.vocabulary import WORKSTATION, AnswerFault, TokenForgery, psc
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import ImpossibleStepError, Observation, Observes, Step
from bifente.ground.text import Text
from bifente.simulator.software.relying_party.refusals import ClientRefusedError

if TYPE_CHECKING:
    from bifente.conformance.domains.psc.part import PscBench
    from bifente.simulator.software.relying_party.client import OpenIdClient, OpenIdSession

_SESSION: Observes = {
    "outcome": OUTCOME,
    "oauth-error": ValueMatcher(),
    "claims": ClaimsMatcher(),
    "user": ClaimsMatcher(),
    "access-claims": ClaimsMatcher(),
    "access": ValueMatcher(),
    "refresh": ValueMatcher(),
    "identity": ValueMatcher(),
}


class ClientReceive(Step):
    """Have a client take what a browser was sent back with: the address, the tokens, who the user is.

    ``change`` alters the address on its way, ``from-browser`` brings that of another browser, ``forge`` and ``fault``
    say what is wrong with the ID token.
    """

    name: ClassVar[str] = "client-receive"
    title: ClassVar[Text] = Text("Recevoir le retour de connexion", "Take what a login comes back with")
    shorthand: ClassVar[str] = "client"
    success: ClassVar[tuple[str, str]] = ("outcome", ACCEPTED)
    observes: ClassVar[Observes] = _SESSION

    client: ClientId = "lgc-demo"
    browser: Browser = WORKSTATION
    from_browser: Browser | None = Field(default=None, description="bring what another browser was sent back with")
    change: Changes = None
    forge: TokenForgery | None = Field(default=None, description="how the ID token is forged")
    fault: AnswerFault | None = Field(default=None, description="what is wrong with an ID token that is signed")

    def run(self, act: Act) -> Observation:
        """Take it."""
        bench = psc(act)
        url = bench.browser(self.from_browser or self.browser).arrived
        if not url:
            raise ImpossibleStepError(
                Text("le navigateur n'a pas été renvoyé vers un logiciel", "the browser was not sent back to a client")
            )
        if self.change:
            base, _mark, query = url.partition("?")
            said = {**dict(parse_qsl(query)), **self.change}
            url = f"{base}?{urlencode({key: value for key, value in said.items() if value is not None})}"
        tamper = None if self.forge is None and self.fault is None else lambda answer: self._tampered(bench, answer)
        return _held(bench.client(self.client), lambda client: client.receive(self.browser, url, tamper))

    def _tampered(self, bench: PscBench, answer: dict[str, Any]) -> dict[str, Any]:
        mint, token = bench.service.core.mint, answer["id_token"]
        secret = (
            bench.registered(self.client).secret if bench.client(self.client).settings.algorithm != "RS256" else None
        )
        if self.forge is not None:
            return {**answer, "id_token": bench.forged(token, self.forge)}
        if self.fault is AnswerFault.OTHER_ACCESS_TOKEN:
            other = mint.signed({**claims_of(answer["access_token"]), "jti": mint.identifier()})
            return {**answer, "access_token": other}
        changes: dict[AnswerFault | None, dict[str, Any]] = {
            AnswerFault.OTHER_AUDIENCE: {"aud": "messagerie-demo"},
            AnswerFault.OTHER_PARTY: {"azp": "messagerie-demo"},
            AnswerFault.OTHER_ISSUER: {"iss": "https://ailleurs.bifente.test/auth/realms/esante-wallet"},
            AnswerFault.OTHER_NONCE: {"nonce": mint.secret()},
            AnswerFault.NO_NONCE: {"nonce": None},
            AnswerFault.EXPIRED: {"exp": int(bench.service.core.now) - 60},
            AnswerFault.OTHER_SUBJECT: {"sub": mint.identifier()},
            AnswerFault.NO_LEVEL: {"acr": "0"},
        }
        return {**answer, "id_token": bench.resigned(token, changes[self.fault], secret=secret)}


class ClientRefresh(Step):
    """Have a client renew its tokens."""

    name: ClassVar[str] = "client-refresh"
    title: ClassVar[Text] = Text("Renouveler les jetons", "Renew the tokens")
    shorthand: ClassVar[str] = "client"
    success: ClassVar[tuple[str, str]] = ("outcome", ACCEPTED)
    observes: ClassVar[Observes] = _SESSION

    client: ClientId = "lgc-demo"
    browser: Browser = WORKSTATION

    def run(self, act: Act) -> Observation:
        """Renew them."""
        return _held(psc(act).client(self.client), lambda client: client.refresh(self.browser))


class ClientUser(Step):
    """Have a client ask again who its user is."""

    name: ClassVar[str] = "client-user"
    title: ClassVar[Text] = Text("Redemander l'identité", "Ask who the user is")
    shorthand: ClassVar[str] = "client"
    success: ClassVar[tuple[str, str]] = ("outcome", ACCEPTED)
    observes: ClassVar[Observes] = {"outcome": OUTCOME, "oauth-error": ValueMatcher(), "user": ClaimsMatcher()}

    client: ClientId = "lgc-demo"
    browser: Browser = WORKSTATION

    def run(self, act: Act) -> Observation:
        """Ask."""
        client = psc(act).client(self.client)
        try:
            return Observation({"outcome": ACCEPTED, "oauth-error": "", "user": client.user(self.browser)})
        except ClientRefusedError as refused:
            return _refused(refused)


class ClientLogout(Step):
    """Have a client log its user out, at Pro Santé Connect too unless ``local``."""

    name: ClassVar[str] = "client-logout"
    title: ClassVar[Text] = Text("Se déconnecter du logiciel", "Log out of the software")
    shorthand: ClassVar[str] = "client"
    observes: ClassVar[Observes] = PAGE

    client: ClientId = "lgc-demo"
    browser: Browser = WORKSTATION
    local: bool = Field(default=False, description="of the software alone: what a careless client does")
    state: str = Field(default="au-revoir", max_length=100, description="state sent along")

    def run(self, act: Act) -> Observation:
        """Log out."""
        bench = psc(act)
        try:
            url = bench.client(self.client).logout(self.browser, self.state)
        except ClientRefusedError:
            raise ImpossibleStepError(
                Text("le logiciel n'a pas de session sur ce navigateur", "the client has no session on this browser")
            ) from None
        if self.local:
            return Observation({"page": "other", "http": 200})
        return shown(bench.browser(self.browser).open(url))


class ClientSession(Step):
    """Look whether a client has a session on a browser, and whose."""

    name: ClassVar[str] = "client-session"
    title: ClassVar[Text] = Text("Regarder la session du logiciel", "Look at the software's session")
    shorthand: ClassVar[str] = "client"
    observes: ClassVar[Observes] = {"open": ValueMatcher(), "user": ClaimsMatcher()}

    client: ClientId = "lgc-demo"
    browser: Browser = WORKSTATION

    def run(self, act: Act) -> Observation:
        """Look."""
        found = psc(act).client(self.client).sessions.get(self.browser)
        return Observation({"open": found is not None, "user": found.user if found is not None else {}})


def _held(client: OpenIdClient, do: Callable[[OpenIdClient], OpenIdSession]) -> Observation:
    try:
        session = do(client)
    except ClientRefusedError as refused:
        return _refused(refused)
    values = {
        "outcome": ACCEPTED,
        "oauth-error": "",
        "claims": dict(session.claims),
        "user": dict(session.user),
        "access-claims": claims_of(session.access),
        "access": session.access,
        "refresh": session.refresh,
        "identity": session.identity,
    }
    user = str(session.user.get("SubjectNameID", ""))
    return Observation(values, (("utilisateur", user), ("authMode", str(session.user.get("authMode", "")))))


def _refused(refused: ClientRefusedError) -> Observation:
    reason = refused.refusal.value
    return Observation(
        {"outcome": reason, "oauth-error": refused.error}, (("refus", f"{reason} {refused.error}".strip()),)
    )
