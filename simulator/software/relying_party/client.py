"""The client: begins logins, takes what comes back, refreshes, asks who the user is, logs out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from bifente.ground.clock import Clock
from bifente.simulator.serving.calling import Caller
from bifente.simulator.serving.service import Declare, to_nobody
from bifente.simulator.software.relying_party.refusals import ClientRefusal, ClientRefusedError
from bifente.simulator.software.relying_party.verifying import check_access_hash, check_claims, keys_of, opened

_DOWN = 500


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """How a client is set up. ``secret`` is None where it proves itself by the certificate of its caller."""

    client: str
    secret: str | None
    redirect_uri: str
    logout_uri: str
    discovery: str
    algorithm: str = "RS256"
    scope: str = "openid scope_all"
    level: str = "eidas1"


@dataclass(slots=True)
class BegunLogin:
    """What a login was begun with, until it comes back."""

    state: str
    nonce: str
    verifier: str


@dataclass(slots=True)
class OpenIdSession:
    """What the client holds of a user."""

    access: str
    refresh: str
    identity: str
    claims: Mapping[str, Any]
    user: Mapping[str, Any] = field(default_factory=dict)


Tamper = Callable[[dict[str, Any]], dict[str, Any]]
"""Changes an answer of the token endpoint on its way, as an attacker or a provider at fault would."""


class OpenIdClient:
    """A client with one user a browser; browsers are known by a name. ``random`` draws state, nonce and verifier."""

    def __init__(
        self,
        settings: OpenIdSettings,
        caller: Caller,
        clock: Clock,
        random: Callable[[int], bytes],
        declare: Declare = to_nobody,
    ) -> None:
        self.settings = settings
        self.sessions: dict[str, OpenIdSession] = {}
        self._caller = caller
        self._clock = clock
        self._random = random
        self._declare = declare
        self.begun: dict[str, BegunLogin] = {}
        self._document: Mapping[str, Any] = {}
        self._keys: dict[str, Any] = {}

    # -- the login -----------------------------------------------------------------------------------------------------

    def begin(self, browser: str, changes: Mapping[str, str | None] | None = None) -> str:
        """Return where to send a browser to log in; ``changes`` replace parameters, None takes one away."""
        begun = BegunLogin(self._drawn(), self._drawn(), self._drawn(48))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).decode().rstrip("=")
        wanted: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.settings.client,
            "redirect_uri": self.settings.redirect_uri,
            "scope": self.settings.scope,
            "acr_values": self.settings.level,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **(changes or {}),
        }
        self.begun[browser] = begun
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        return f"{self.document['authorization_endpoint']}?{query}"

    def receive(self, browser: str, url: str, tamper: Tamper | None = None) -> OpenIdSession:
        """Take what a browser brings back, and open the user's session. Raise ClientRefusedError."""
        said = dict(parse_qsl(urlsplit(url).query))
        begun = self.begun.pop(browser, None)
        if begun is None:
            raise ClientRefusedError(ClientRefusal.NO_LOGIN)
        self._check_return(said, begun)
        answer = self._tokens(
            {
                "grant_type": "authorization_code",
                "code": said.get("code", ""),
                "redirect_uri": self.settings.redirect_uri,
                "code_verifier": begun.verifier,
            }
        )
        session = self._believed(tamper(answer) if tamper is not None else answer, begun.nonce)
        session.user = self._user(session)
        self.sessions[browser] = session
        return session

    def _check_return(self, said: Mapping[str, str], begun: BegunLogin) -> None:
        if said.get("state") != begun.state:
            raise ClientRefusedError(ClientRefusal.STATE)
        if said.get("iss") != self.document["issuer"]:
            raise ClientRefusedError(ClientRefusal.ISSUER)
        if "error" in said:
            raise ClientRefusedError(ClientRefusal.PROVIDER_ERROR, said["error"])

    def _believed(self, answer: Mapping[str, Any], nonce: str | None) -> OpenIdSession:
        token, access = str(answer.get("id_token", "")), str(answer["access_token"])
        claims = self._opened(token)
        check_claims(claims, self.document["issuer"], self.settings.client, self._clock.now().timestamp())
        if nonce is not None and claims.get("nonce") != nonce:
            raise ClientRefusedError(ClientRefusal.NONCE)
        check_access_hash(claims, access)
        self._check_level(claims)
        return OpenIdSession(access, str(answer.get("refresh_token", "")), token, claims)

    def _check_level(self, claims: Mapping[str, Any]) -> None:
        level = str(claims.get("acr", ""))
        # Tokens of 2023 say eidas3 where eidas1 was asked for: a level above is enough.
        if not (level.startswith("eidas") and level >= self.settings.level):
            raise ClientRefusedError(ClientRefusal.LEVEL)

    def _opened(self, token: str) -> dict[str, Any]:
        try:
            return opened(token, self.settings.algorithm, self._known_keys(), self.settings.secret)
        except ClientRefusedError as refused:
            if refused.refusal is not ClientRefusal.KEY:
                raise
        # The provider may have taken another key since: read the set once more, once.
        self._keys = {}
        return opened(token, self.settings.algorithm, self._known_keys(), self.settings.secret)

    def _known_keys(self) -> dict[str, Any]:
        if not self._keys:
            self._keys = dict(keys_of(self._get(self.document["jwks_uri"])))
        return self._keys

    # -- the session ---------------------------------------------------------------------------------------------------

    def refresh(self, browser: str, tamper: Tamper | None = None) -> OpenIdSession:
        """Renew the tokens of a browser's user. Raise ClientRefusedError; refused, the session is over."""
        before = self._session(browser)
        try:
            answer = self._tokens({"grant_type": "refresh_token", "refresh_token": before.refresh})
            session = self._believed(tamper(answer) if tamper is not None else answer, None)
            if session.claims.get("sub") != before.claims.get("sub"):
                raise ClientRefusedError(ClientRefusal.SUBJECT)
        except ClientRefusedError as refused:
            if refused.refusal is not ClientRefusal.UNAVAILABLE:
                self.sessions.pop(browser, None)
            raise
        session.user = before.user
        self.sessions[browser] = session
        return session

    def user(self, browser: str) -> Mapping[str, Any]:
        """Ask again who the user is. Raise ClientRefusedError; somebody else than before ends the session."""
        session = self._session(browser)
        try:
            session.user = self._user(session)
        except ClientRefusedError as refused:
            if refused.refusal in (ClientRefusal.IDENTITY, ClientRefusal.SUBJECT):
                self.sessions.pop(browser, None)
            raise
        return session.user

    def _user(self, session: OpenIdSession) -> Mapping[str, Any]:
        answer = self._request(
            "GET", self.document["userinfo_endpoint"], headers={"authorization": f"Bearer {session.access}"}
        )
        if answer.status_code != httpx.codes.OK:
            raise ClientRefusedError(ClientRefusal.TOKEN_ERROR, str(_json(answer).get("error", answer.status_code)))
        jwt = answer.headers.get("content-type", "").startswith("application/jwt")
        found = opened(answer.text, "RS256", self._known_keys(), None) if jwt else _json(answer)
        if found.get("sub") != session.claims.get("sub"):
            raise ClientRefusedError(ClientRefusal.SUBJECT)
        identity = self._access_identity(session)
        if identity is not None and found.get("SubjectNameID") != identity:
            raise ClientRefusedError(ClientRefusal.IDENTITY)
        return found

    def _access_identity(self, session: OpenIdSession) -> str | None:
        """The national id that the access token itself names, where it does: sub alone would not show a mix-up."""
        claims = opened(session.access, "RS256", self._known_keys(), None)
        return claims.get("SubjectNameID")

    def logout(self, browser: str, state: str = "") -> str:
        """Forget a browser's user, and return where to send the browser so that the provider does too."""
        session = self._session(browser)
        del self.sessions[browser]
        wanted = {"id_token_hint": session.identity, "post_logout_redirect_uri": self.settings.logout_uri}
        return f"{self.document['end_session_endpoint']}?{urlencode(wanted | ({'state': state} if state else {}))}"

    def _session(self, browser: str) -> OpenIdSession:
        found = self.sessions.get(browser)
        if found is None:
            raise ClientRefusedError(ClientRefusal.NO_LOGIN)
        return found

    # -- the provider --------------------------------------------------------------------------------------------------

    @property
    def document(self) -> Mapping[str, Any]:
        """The provider's document, read once. Raise ClientRefusedError."""
        if not self._document:
            self._document = self._get(self.settings.discovery)
        return self._document

    def _get(self, url: str) -> Mapping[str, Any]:
        answer = self._request("GET", url)
        if answer.status_code != httpx.codes.OK:
            raise ClientRefusedError(ClientRefusal.UNAVAILABLE, str(answer.status_code))
        return _json(answer)

    def _tokens(self, form: Mapping[str, str]) -> dict[str, Any]:
        sent = {**form, "client_id": self.settings.client}
        if self.settings.secret is not None:
            sent["client_secret"] = self.settings.secret
        answer = self._request(
            "POST",
            self.document["token_endpoint"],
            headers={"content-type": "application/x-www-form-urlencoded"},
            content=urlencode(sent),
        )
        body = _json(answer)
        if answer.status_code != httpx.codes.OK:
            raise ClientRefusedError(ClientRefusal.TOKEN_ERROR, str(body.get("error", answer.status_code)))
        return dict(body)

    def _request(self, method: str, url: str, **more: Any) -> httpx.Response:
        try:
            answer = self._caller.request(method, url, **more)
        except httpx.HTTPError as error:
            raise ClientRefusedError(ClientRefusal.UNAVAILABLE, type(error).__name__) from None
        if answer.status_code >= _DOWN:
            raise ClientRefusedError(ClientRefusal.UNAVAILABLE, str(answer.status_code))
        return answer

    def _drawn(self, size: int = 32) -> str:
        made = base64.urlsafe_b64encode(self._random(size)).decode().rstrip("=")
        self._declare(made)
        return made


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
