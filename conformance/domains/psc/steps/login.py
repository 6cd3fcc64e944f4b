"""A professional logs in: the request of a client, the e-CPS, the card, a local provider, the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import Field

from bifente.conformance.bench.facets import Apdu
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.psc.holding import card_in_hand
from bifente.conformance.domains.psc.steps.words import PAGE, shown
from bifente.conformance.domains.psc.vocabulary import WORKSTATION, PscPage, TokenForgery, psc
from bifente.conformance.expectations import StatusMatcher, ValueMatcher
from bifente.conformance.scenario.step import Code, ImpossibleStepError, Observation, Observes, Secret, Step
from bifente.conformance.targets.facets import Facet
from bifente.ground.text import Text
from bifente.simulator.services.psc.errors import PageError

if TYPE_CHECKING:
    from bifente.conformance.domains.psc.browser import PageSeen
    from bifente.conformance.domains.psc.part import PscBench

Browser = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$", description="browser of which workstation")]
ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="client, by its id")]
Changes = Annotated[
    dict[str, str | None] | None,
    Field(default=None, max_length=20, description="parameters replaced; one that is null is left out"),
]


class ClientLogin(Step):
    """Have a client send a browser to Pro Santé Connect, its request right or changed."""

    name: ClassVar[str] = "client-login"
    title: ClassVar[Text] = Text("Demander une connexion", "Ask for a login")
    shorthand: ClassVar[str] = "client"
    observes: ClassVar[Observes] = PAGE

    client: ClientId = "lgc-demo"
    browser: Browser = WORKSTATION
    change: Changes = None
    pushed: bool = Field(default=False, description="by a pushed authorization request")
    redeemed_by: ClientId | None = Field(default=None, description="another client that takes the pushed request")

    def run(self, act: Act) -> Observation:
        """Send it."""
        bench = psc(act)
        url = bench.client(self.client).begin(self.browser, self.change)
        if self.pushed:
            url = _pushed(bench, self.client, url, self.redeemed_by or self.client)
        return shown(bench.browser(self.browser).open(url))


class LoginByEcps(Step):
    """Type a number in the e-CPS tab of the login page; the number that the page then shows is kept."""

    name: ClassVar[str] = "login-by-ecps"
    title: ClassVar[Text] = Text("Se connecter par e-CPS", "Log in by e-CPS")
    shorthand: ClassVar[str] = "id"
    observes: ClassVar[Observes] = PAGE

    id: str = Field(max_length=64, description="national id, or RPPS number")
    browser: Browser = WORKSTATION

    def run(self, act: Act) -> Observation:
        """Type it."""
        return shown(_form(act, self.browser, {"id": self.id}))


class ContinueLogin(Step):
    """Go on from the page that waits for the phone, or give up."""

    name: ClassVar[str] = "continue-login"
    title: ClassVar[Text] = Text("Continuer la connexion", "Go on with the login")
    shorthand: ClassVar[str] = "browser"
    observes: ClassVar[Observes] = PAGE

    browser: Browser = WORKSTATION
    give_up: bool = Field(default=False, description="touch the link that gives up")

    def run(self, act: Act) -> Observation:
        """Go on."""
        if not self.give_up:
            return shown(_form(act, self.browser, {}))
        browser = psc(act).browser(self.browser)
        return shown(browser.open(browser.link("/annuler")))


class LoginByCard(Step):
    """Touch the button of the card tab: code typed, certificate chosen, the handshake signed by the card's key."""

    name: ClassVar[str] = "login-by-card"
    title: ClassVar[Text] = Text("Se connecter par la carte", "Log in with the card")
    needs = frozenset[type[Facet]]({Apdu})
    observes: ClassVar[Observes] = {**PAGE, "alert": ValueMatcher(), "code-sw": StatusMatcher()}

    browser: Browser = WORKSTATION
    certificate: Literal["authentication", "signature", "technical", "none"] = Field(
        default="authentication", description="the one chosen in the browser's dialog"
    )
    code: Code | None = Field(default=None, description="the code typed, the card's own if left out")

    def run(self, act: Act) -> Observation:
        """Touch it."""
        from bifente.simulator.serving.calling import RefusedConnectionError
        from bifente.simulator.serving.handshake.card_key import CardSignatureError, card_identity
        from bifente.simulator.serving.handshake.primitives import drawing

        bench = psc(act)
        browser = bench.browser(self.browser)
        try:
            browser.open(browser.link("tab=carte"))
            target = browser.link("/carte?")
        except LookupError as error:
            raise ImpossibleStepError(not_there(error)) from None
        identity, sw = None, 0x9000
        if self.certificate != "none":
            card = card_in_hand(act)
            act.host.open()
            typed = card.template.codes.pin if self.code is None else self.code
            sw = act.host.verify(act.card.layout.secrets["pin"].reference, typed.encode()).sw
            identity = card_identity(act.host, card.certificates[self.certificate], self.certificate)
        try:
            with drawing(act.scene.random.randbytes):
                seen = browser.open(target, lambda: bench.with_card(identity))
        except RefusedConnectionError as refused:
            return _not_shaken(sw, refused.text.fr, str(refused.alert))
        except CardSignatureError as error:
            return _not_shaken(sw, error.text.fr, "none")
        found = shown(seen)
        return Observation({**found.values, "alert": "none", "code-sw": sw}, found.decoded)


def _not_shaken(sw: int, said: str, alert: str) -> Observation:
    values = {"http": 0, "page": PscPage.OTHER.value, "message": said, "alert": alert, "code-sw": sw}
    return Observation(values, (("TLS", said),))


class OpenDiagnosis(Step):
    """Touch the link of the card tab that leads to the diagnosis of the workstation."""

    name: ClassVar[str] = "open-diagnosis"
    title: ClassVar[Text] = Text("Diagnostiquer mon poste", "Diagnose my workstation")
    shorthand: ClassVar[str] = "browser"
    observes: ClassVar[Observes] = PAGE

    browser: Browser = WORKSTATION

    def run(self, act: Act) -> Observation:
        """Touch it."""
        browser = psc(act).browser(self.browser)
        try:
            browser.open(browser.link("tab=carte"))
            return shown(browser.open(browser.link("/diagnostic")))
        except LookupError as error:
            raise ImpossibleStepError(not_there(error)) from None


class DelegatedLogin(Step):
    """Log in by the identity provider of an establishment, its token right or broken."""

    name: ClassVar[str] = "delegated-login"
    title: ClassVar[Text] = Text("Se connecter par délégation", "Log in by delegation")
    observes: ClassVar[Observes] = PAGE

    alias: str = Field(default="ght-specimen", max_length=64, description="local provider")
    account: str = Field(default="d.generaliste", max_length=64, description="account at the local provider")
    means: Literal["card", "app", "password"] = Field(default="card", description="how the account proved itself")
    browser: Browser = WORKSTATION
    forge: TokenForgery | None = Field(default=None, description="what is wrong with the local ID token")
    token: dict[str, str] | None = Field(default=None, description="claims of the local ID token that are replaced")

    def run(self, act: Act) -> Observation:
        """Log in there, and come back."""
        bench = psc(act)
        browser = bench.browser(self.browser)
        try:
            if browser.at and f"/fournisseur/{self.alias}" not in browser.at:
                browser.open(browser.link("tab=delegation"))
                browser.open(browser.link(f"alias={self.alias}"))
            if self.forge is None and self.token is None:
                return shown(browser.submit({"account": self.account, "means": self.means}))
            return shown(browser.open(self._tampered(bench)))
        except LookupError as error:
            raise ImpossibleStepError(not_there(error)) from None

    def _tampered(self, bench: PscBench) -> str:
        core, said = bench.service.core, dict(parse_qsl(urlsplit(bench.browser(self.browser).at).query))
        if not {"nonce", "state"} <= said.keys():
            raise LookupError(f"the browser is not at the local provider {self.alias}")
        try:
            provider = bench.service.delegation.provider(self.alias)
            token = bench.service.delegation.token(provider, self.account, said["nonce"], ["sc", "pin", "mfa", "hwk"])
        except PageError as error:
            raise LookupError(str(error)) from None
        if self.token is not None:
            token = bench.resigned(token, self.token, "idp")
        if self.forge is not None:
            token = bench.forged(token, self.forge, "idp")
        act = {"alias": self.alias, "state": said["state"], "id_token": token}
        return f"{core.addresses.wallet}/login-page/delegation/retour?{urlencode(act)}"


class ConfirmLogin(Step):
    """Touch the button of a page that asks to confirm."""

    name: ClassVar[str] = "confirm-page"
    title: ClassVar[Text] = Text("Confirmer", "Confirm")
    shorthand: ClassVar[str] = "browser"
    observes: ClassVar[Observes] = PAGE

    browser: Browser = WORKSTATION

    def run(self, act: Act) -> Observation:
        """Touch it."""
        return shown(_form(act, self.browser, {}))


class TakeAddress(Step):
    """Open in a browser the address that another one is at, with or without its cookies: a link that was passed on."""

    name: ClassVar[str] = "open-address-of"
    title: ClassVar[Text] = Text("Ouvrir l'adresse d'un autre navigateur", "Open another browser's address")
    shorthand: ClassVar[str] = "of"
    observes: ClassVar[Observes] = PAGE

    of: Browser
    browser: Browser = "poste-2"
    cookies: bool = Field(default=False, description="with the cookies of the other one")

    def run(self, act: Act) -> Observation:
        """Open it."""
        bench = psc(act)
        other, mine = bench.browser(self.of), bench.browser(self.browser)
        if self.cookies:
            mine.copy_cookies(other)
        return shown(mine.open(other.at))


class LogoutPage(Step):
    """Send a browser to the end-session endpoint with what is given, and no more."""

    name: ClassVar[str] = "psc-logout"
    title: ClassVar[Text] = Text("Se déconnecter de Pro Santé Connect", "Log out of Pro Santé Connect")
    observes: ClassVar[Observes] = PAGE

    browser: Browser = WORKSTATION
    hint: Annotated[str | None, Secret()] = Field(default=None, max_length=8192, description="id_token_hint")
    forge: TokenForgery | None = Field(default=None, description="what is wrong with the hint")
    client: str | None = Field(default=None, max_length=64, description="client_id")
    target: str | None = Field(default=None, max_length=500, description="post_logout_redirect_uri")
    state: str | None = Field(default=None, max_length=200, description="state")

    def run(self, act: Act) -> Observation:
        """Send it."""
        bench = psc(act)
        hint = bench.forged(self.hint, self.forge) if self.hint is not None else None
        said = {
            "id_token_hint": hint,
            "client_id": self.client,
            "post_logout_redirect_uri": self.target,
            "state": self.state,
        }
        query = urlencode({name: value for name, value in said.items() if value is not None})
        url = bench.service.core.addresses.protocol("logout")
        return shown(bench.browser(self.browser).open(f"{url}?{query}"))


def not_there(error: LookupError) -> Text:
    """Return why a page does not have what a step touches."""
    return Text(f"la page affichée ne le permet pas : {error}", str(error))


def _form(act: Act, browser: str, fields: dict[str, str]) -> PageSeen:
    one = psc(act).browser(browser)
    try:
        return one.submit(fields)
    except LookupError as error:
        raise ImpossibleStepError(not_there(error)) from None


def _pushed(bench: PscBench, client: str, url: str, redeemed_by: str) -> str:
    known = bench.registered(client)
    form = urlsplit(url).query + ("" if known.secret is None else f"&client_secret={known.secret}")
    with bench.caller(bench.chain_of(known)) as caller:
        answer = caller.post(
            bench.service.core.addresses.protocol("ext/par/request"),
            content=form,
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
    said = {"client_id": redeemed_by, "request_uri": answer.json().get("request_uri", "")}
    return f"{bench.service.core.addresses.wallet}/auth?{urlencode(said)}"
