"""The protocol by hand: tokens asked for, presented, exchanged, each thing that can be wrong with them."""

from __future__ import annotations

from abc import ABC
from base64 import b64encode
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.psc.claims_matcher import ClaimsMatcher, claims_of
from bifente.conformance.domains.psc.steps.login import Browser, Changes, ClientId
from bifente.conformance.domains.psc.steps.words import ANSWER, answered, body_of
from bifente.conformance.domains.psc.vocabulary import WORKSTATION, TokenForgery, psc
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Observation, Observes, Secret, Step
from bifente.ground.text import Text
from bifente.simulator.services.psc.assertions import ASSERTION_TYPE
from bifente.simulator.services.psc.grant_types import EXCHANGE

if TYPE_CHECKING:
    import httpx

FORM = {"content-type": "application/x-www-form-urlencoded"}
Token = Annotated[str, Field(max_length=8192), Secret()]
Certificate = Annotated[
    str | None,
    Field(default=None, max_length=64, description="common name of the organisation's certificate that is shown"),
]
TOKENS: Observes = {
    **ANSWER,
    "access": ValueMatcher(),
    "refresh": ValueMatcher(),
    "identity": ValueMatcher(),
    "access-claims": ClaimsMatcher(),
    "expires-in": ValueMatcher(),
}


def tokens_of(answer: httpx.Response) -> Observation:
    """Return an answer of a token endpoint."""
    body = body_of(answer)
    access = str(body.get("access_token", ""))
    return answered(
        answer,
        access=access,
        refresh=str(body.get("refresh_token", "")),
        identity=str(body.get("id_token", "")),
        **{"access-claims": claims_of(access), "expires-in": body.get("expires_in")},
    )


class FormStep(Step, ABC):
    """A step that posts a form to the provider as a client."""

    client: ClientId = "lgc-demo"
    proof: Literal["basic", "post", "certificate", "client_secret_jwt", "private_key_jwt", "none"] = Field(
        default="post", description="how the client proves who it is"
    )
    assertion: dict[str, str | int | list[str] | None] = Field(
        default_factory=dict,
        max_length=10,
        description="claims of its assertion instead of the right ones, null for none; times in seconds from now",
    )
    forge_proof: TokenForgery | None = Field(default=None, description="what is wrong with its assertion")
    secret: Annotated[str | None, Secret()] = Field(default=None, max_length=200, description="instead of its own")
    certificate: Certificate = None
    change: Changes = None

    def posted(self, act: Act, endpoint: str, form: dict[str, Any]) -> httpx.Response:
        """Post it."""
        bench = psc(act)
        known = bench.service.core.registry.client(self.client)
        secret = self.secret or (known.secret if known is not None else None) or ""
        headers = dict(FORM)
        if self.proof == "basic":
            pair = f"{quote_plus(self.client)}:{quote_plus(secret)}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form = {"client_id": self.client, **form}
            if self.proof == "post" and secret:
                form["client_secret"] = secret
            if self.proof in ("client_secret_jwt", "private_key_jwt"):
                shared = secret if self.proof == "client_secret_jwt" else None
                form["client_assertion_type"] = ASSERTION_TYPE
                form["client_assertion"] = bench.assertion(self.client, shared, self.assertion, self.forge_proof)
        sent = {key: value for key, value in {**form, **(self.change or {})}.items() if value is not None}
        chain = bench.chain_of(known) if known is not None and self.certificate is None else ()
        if self.certificate is not None:
            chain = bench.organisation(self.certificate)
        with bench.caller(
            chain if self.certificate is not None or self.proof in ("certificate", "post") else ()
        ) as caller:
            return caller.post(endpoint, content=urlencode(sent), headers=headers)


class RedeemCode(FormStep):
    """Redeem the code that a browser was sent back with, by hand: verifier, address and client right or changed."""

    name: ClassVar[str] = "redeem-code"
    title: ClassVar[Text] = Text("Échanger le code", "Redeem the code")
    observes: ClassVar[Observes] = TOKENS

    browser: Browser = WORKSTATION

    def run(self, act: Act) -> Observation:
        """Redeem it."""
        bench = psc(act)
        said = dict(parse_qsl(urlsplit(bench.browser(self.browser).arrived).query))
        own = bench.client(self.client)
        begun = own.begun.get(self.browser)
        form = {
            "grant_type": "authorization_code",
            "code": said.get("code", ""),
            "redirect_uri": own.settings.redirect_uri,
            "code_verifier": begun.verifier if begun is not None else None,
        }
        return tokens_of(self.posted(act, bench.service.core.addresses.protocol("token"), form))


class AskToken(FormStep):
    """Ask the token endpoint for tokens by any grant."""

    name: ClassVar[str] = "ask-token"
    title: ClassVar[Text] = Text("Demander des jetons", "Ask for tokens")
    observes: ClassVar[Observes] = TOKENS

    grant: str | None = Field(default="refresh_token", max_length=100, description="grant_type")
    refresh: Annotated[str | None, Secret()] = Field(default=None, max_length=8192, description="refresh token")
    forge: TokenForgery | None = Field(default=None, description="what is wrong with the refresh token")

    def run(self, act: Act) -> Observation:
        """Ask."""
        core = psc(act).service.core
        refresh = psc(act).forged(self.refresh, self.forge) if self.refresh is not None else None
        return tokens_of(
            self.posted(act, core.addresses.protocol("token"), {"grant_type": self.grant, "refresh_token": refresh})
        )


class UserInfo(Step):
    """Ask UserInfo with a token, right or forged."""

    name: ClassVar[str] = "userinfo"
    title: ClassVar[Text] = Text("Lire UserInfo", "Read UserInfo")
    shorthand: ClassVar[str] = "token"
    success: ClassVar[tuple[str, str]] = ("http", "200")
    observes: ClassVar[Observes] = {**ANSWER, "challenge": ValueMatcher()}

    token: Annotated[str | None, Secret()] = Field(default=None, max_length=8192, description="access token")
    forge: TokenForgery | None = Field(default=None, description="what is wrong with it")
    way: Literal["header", "form", "address"] = Field(default="header", description="how it travels")
    certificate: Certificate = None

    def run(self, act: Act) -> Observation:
        """Ask."""
        bench = psc(act)
        url = bench.service.core.addresses.protocol("userinfo")
        token = bench.forged(self.token, self.forge) if self.token is not None else None
        with bench.caller(bench.organisation(self.certificate) if self.certificate else ()) as caller:
            if token is None:
                answer = caller.get(url)
            elif self.way == "form":
                answer = caller.post(url, content=urlencode({"access_token": token}), headers=FORM)
            elif self.way == "address":
                answer = caller.get(url, params={"access_token": token})
            else:
                answer = caller.get(url, headers=dict(bench.bearer(token)))
        if answer.headers.get("content-type", "").startswith("application/jwt"):
            return answered(answer, claims=claims_of(answer.text), challenge="")
        return answered(answer, challenge=answer.headers.get("www-authenticate", ""))


class Introspect(FormStep):
    """Introspect a token."""

    name: ClassVar[str] = "introspect"
    title: ClassVar[Text] = Text("Interroger sur un jeton", "Introspect a token")
    shorthand: ClassVar[str] = "token"
    success: ClassVar[tuple[str, str]] = ("http", "200")
    observes: ClassVar[Observes] = {**ANSWER, "active": ValueMatcher()}

    token: Annotated[str | None, Secret()] = Field(default=None, max_length=8192, description="the token")
    forge: TokenForgery | None = Field(default=None, description="what is wrong with it")

    def run(self, act: Act) -> Observation:
        """Ask."""
        core = psc(act).service.core
        token = psc(act).forged(self.token, self.forge) if self.token else self.token
        answer = self.posted(act, core.addresses.protocol("token/introspect"), {"token": token})
        found = answered(answer)
        return Observation({**found.values, "active": body_of(answer).get("active")}, found.decoded)


class RevokeToken(FormStep):
    """Revoke a token."""

    name: ClassVar[str] = "revoke-token"
    title: ClassVar[Text] = Text("Révoquer un jeton", "Revoke a token")
    shorthand: ClassVar[str] = "token"
    success: ClassVar[tuple[str, str]] = ("http", "200")
    observes: ClassVar[Observes] = ANSWER

    token: Token = Field(description="the token")

    def run(self, act: Act) -> Observation:
        """Revoke it."""
        core = psc(act).service.core
        return answered(self.posted(act, core.addresses.protocol("revoke"), {"token": self.token}))


class ExchangeToken(Step):
    """Exchange an access token at the authorization server of an API, over mutual TLS."""

    name: ClassVar[str] = "exchange-token"
    title: ClassVar[Text] = Text("Échanger le jeton", "Exchange the token")
    shorthand: ClassVar[str] = "token"
    observes: ClassVar[Observes] = TOKENS

    token: Token = Field(description="access token of Pro Santé Connect")
    forge: TokenForgery | None = Field(default=None, description="what is wrong with it")
    certificate: str | None = Field(
        default="confiance-demo", max_length=64, description="common name of the certificate that is shown"
    )
    change: Changes = None

    def run(self, act: Act) -> Observation:
        """Exchange it."""
        bench = psc(act)
        token = bench.forged(self.token, self.forge)
        form = {
            "grant_type": EXCHANGE,
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_issuer": "psc",
            "scope": "openid api",
            **(self.change or {}),
        }
        url = f"{bench.service.core.addresses.api}/auth/realms/api/protocol/openid-connect/token"
        with bench.caller(bench.organisation(self.certificate) if self.certificate else ()) as caller:
            sent = urlencode({key: value for key, value in form.items() if value is not None})
            return tokens_of(caller.post(url, content=sent, headers=FORM))


class CallApi(Step):
    """Call the API with a token got by exchange."""

    name: ClassVar[str] = "call-api"
    title: ClassVar[Text] = Text("Appeler l'API", "Call the API")
    shorthand: ClassVar[str] = "token"
    success: ClassVar[tuple[str, str]] = ("http", "200")
    observes: ClassVar[Observes] = ANSWER

    token: Token = Field(description="token of the exchange")
    forge: TokenForgery | None = Field(default=None, description="what is wrong with it")
    certificate: str | None = Field(
        default="confiance-demo", max_length=64, description="common name of the certificate that is shown"
    )

    def run(self, act: Act) -> Observation:
        """Call it."""
        bench = psc(act)
        token = bench.forged(self.token, self.forge, "api")
        with bench.caller(bench.organisation(self.certificate) if self.certificate else ()) as caller:
            url = f"{bench.service.core.addresses.api}/bifente/ressource"
            return answered(caller.get(url, headers=dict(bench.bearer(token))))
