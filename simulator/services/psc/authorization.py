"""The authorization endpoint: what a request must say, and how a login ends (OpenID Connect Core, section 3.1.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from bifente.simulator.services.psc import troubles
from bifente.simulator.services.psc.claims import AuthMode
from bifente.simulator.services.psc.errors import OAuthError, PageError, invalid_request
from bifente.simulator.services.psc.model import ListedProfessional, RegisteredClient
from bifente.simulator.services.psc.parameters import AcrPolicy
from bifente.simulator.services.psc.sessions import ClientUse, IssuedCode, LoginAttempt, SsoSession
from bifente.simulator.services.psc.state import ProviderState

EIDAS1 = "eidas1"
SCOPES = (
    *("openid", "scope_all", "identity", "rpps", "referentiel", "interop", "profile", "email", "phone", "address"),
    *("roles", "eidas1", "eidas2", "scope_1", "scope_2", "offline_access", "acr", "basic", "microprofile-jwt"),
    "web-origins",
)
RESPONSE_MODES = ("query", "form_post")
_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuthorizationAnswer:
    """What a client is told at its address: in the query, or by a form that the browser posts (``posted``)."""

    target: str
    said: Mapping[str, str]
    posted: bool = False

    @property
    def location(self) -> str:
        """Return the address with what is said in its query."""
        return f"{self.target}{'&' if urlsplit(self.target).query else '?'}{urlencode(self.said)}"


class ReturnedError(Exception):
    """A request that is refused by sending the browser back to the client with an error."""

    def __init__(self, answer: AuthorizationAnswer, error: OAuthError) -> None:
        self.answer = answer
        self.error = error
        super().__init__(str(error))


class Authorization:
    """Checks requests, opens sessions and gives codes."""

    def __init__(self, state: ProviderState) -> None:
        self._state = state

    # -- the request ---------------------------------------------------------------------------------------------------

    def checked(self, given: Mapping[str, str]) -> tuple[RegisteredClient, Mapping[str, str]]:
        """Return the client and the parameters of a request. Raise PageError, ReturnedError."""
        state = self._state
        client = state.registry.client(given.get("client_id", ""))
        if client is None:
            raise PageError("Client introuvable." if given.get("client_id") else "Paramètre manquant : client_id")
        if "request_uri" in given:
            pushed = state.pushed.pop(given["request_uri"])
            if pushed is None or pushed.get("client_id") != client.id:
                raise PageError("Paramètre invalide : request_uri")
            given = pushed
        wanted = given.get("redirect_uri", "")
        # Exact, to the case and the final slash: anything looser sends a code to somebody else.
        if wanted not in client.redirect_uris or state.suffers(troubles.REDIRECT_REFUSED, client=client.id):
            state.conduct.note(client.id, "redirect-unregistered")
            raise PageError("Paramètre invalide : redirect_uri")
        try:
            self._check(client, given)
        except OAuthError as error:
            raise ReturnedError(self.returned(given, **error.body), error) from None
        self._judge(client, given)
        return client, given

    def _check(self, client: RegisteredClient, given: Mapping[str, str]) -> None:
        if "response_type" not in given:
            raise invalid_request("Missing parameter: response_type")
        if given["response_type"] != "code":
            raise OAuthError(
                "unauthorized_client", "Client is not allowed to initiate browser login with given response_type."
            )
        if given.get("response_mode", "query") not in RESPONSE_MODES:
            raise invalid_request("Invalid parameter: response_mode")
        if unknown := sorted(set(given.get("scope", "openid").split()) - set(SCOPES)):
            raise OAuthError("invalid_scope", f"Invalid scopes: {' '.join(unknown)}")
        if "request" in given:
            raise OAuthError("request_not_supported", "")
        self._check_pkce(client, given)
        if self._state.parameters.acr is AcrPolicy.REFUSE and given.get("acr_values") != EIDAS1:
            raise invalid_request("Invalid parameter: acr_values")

    @staticmethod
    def _check_pkce(client: RegisteredClient, given: Mapping[str, str]) -> None:
        challenge, method = given.get("code_challenge"), given.get("code_challenge_method")
        if challenge is None and method is None:
            if client.pkce == "required":
                raise invalid_request("Missing parameter: code_challenge_method")
            return
        if challenge is None:
            raise invalid_request("Missing parameter: code_challenge")
        if method not in (None, "plain", "S256"):
            raise invalid_request("Invalid parameter: code_challenge_method")
        if client.pkce == "required" and method != "S256":
            raise invalid_request("Invalid parameter: code challenge method is not matching the configured one")
        if not _CHALLENGE.fullmatch(challenge):
            raise invalid_request("Invalid parameter: code_challenge")

    def _judge(self, client: RegisteredClient, given: Mapping[str, str]) -> None:
        conduct = self._state.conduct
        for key in ("state", "nonce"):
            if not given.get(key):
                conduct.note(client.id, f"{key}-missing")
            elif not conduct.once(client.id, key, given[key]):
                conduct.note(client.id, f"{key}-reused")
        if given.get("code_challenge_method") != "S256":
            conduct.note(client.id, "pkce-missing")
        if given.get("acr_values") != EIDAS1:
            conduct.note(client.id, "acr-not-asked")
        if not {"openid", "scope_all"} <= set(given.get("scope", "").split()):
            conduct.note(client.id, "scope-not-asked")

    # -- the login -----------------------------------------------------------------------------------------------------

    def taken_up(
        self, client: RegisteredClient, given: Mapping[str, str], cookie: str | None
    ) -> AuthorizationAnswer | None:
        """Return where to send a browser whose session is alive, None if it has to log in. Raise ReturnedError."""
        prompt = given.get("prompt", "").split()
        session = self._state.session_of(cookie)
        if session is not None and self._state.suffers(
            troubles.SESSION_LOST, client=client.id, user=session.professional.id
        ):
            self._state.close_session(session.sid)
            session = None
        if session is not None and "login" not in prompt and not self._too_old(session, given):
            return self.answered(session, client, given)
        if "none" in prompt:
            error = OAuthError("login_required")
            raise ReturnedError(self.returned(given, **error.body), error)
        return None

    def _too_old(self, session: SsoSession, given: Mapping[str, str]) -> bool:
        age = given.get("max_age", "")
        return age.isdecimal() and len(age) < 10 and self._state.now - session.auth_time > int(age)

    def begin(self, client: RegisteredClient, given: Mapping[str, str], browser: str | None) -> LoginAttempt:
        """Return a login under way, tied to a browser by its cookie: the one it has, else a new one."""
        state = self._state
        known = browser if browser and any(one.browser == browser for one in state.attempts.values()) else None
        attempt = LoginAttempt(state.mint.secret(16), known or state.mint.secret(), client, given)
        state.attempts.put(attempt.key, attempt, state.parameters.login)
        return attempt

    def attempt(self, key: str, browser: str | None) -> LoginAttempt:
        """Return a login under way. Raise PageError if it is over, or was begun on another browser."""
        found = self._state.attempts.get(key)
        if found is None or not browser or found.browser != browser:
            raise PageError("Cette connexion a expiré, ou a été commencée dans un autre navigateur. Recommencez.")
        return found

    def prove(self, attempt: LoginAttempt, professional: ListedProfessional, mode: AuthMode) -> None:
        """Take it that the user of a login under way is this professional."""
        attempt.proven = (professional, mode)

    def finish(self, attempt: LoginAttempt) -> tuple[SsoSession, AuthorizationAnswer]:
        """Return the session of a user who has proved who it is, and where to send the browser. Raise PageError."""
        if attempt.proven is None:
            raise PageError("Cette connexion n'est pas terminée.")
        professional, mode = attempt.proven
        self._state.attempts.pop(attempt.key)
        session = self._state.open_session(professional, mode, browser=True)
        return session, self.answered(session, attempt.client, attempt.parameters)

    def abandoned(self, attempt: LoginAttempt) -> AuthorizationAnswer:
        """Return where to send a browser whose user gave up."""
        self._state.attempts.pop(attempt.key)
        return self.returned(attempt.parameters, error="access_denied", error_description="User denied access")

    def answered(self, session: SsoSession, client: RegisteredClient, given: Mapping[str, str]) -> AuthorizationAnswer:
        """Return where to send the browser, with a code."""
        state = self._state
        session.seen = state.now
        code = state.mint.secret()
        scope = given.get("scope", "openid")
        session.uses.setdefault(client.id, ClientUse(scope, given.get("nonce")))
        state.codes.put(
            code,
            IssuedCode(
                client=client.id,
                redirect_uri=given["redirect_uri"],
                sid=session.sid,
                scope=scope,
                nonce=given.get("nonce"),
                challenge=given.get("code_challenge"),
                method=given.get("code_challenge_method", "plain"),
            ),
            state.parameters.code,
        )
        return self.returned(given, session_state=session.sid, code=code)

    def returned(self, given: Mapping[str, str], **said: str) -> AuthorizationAnswer:
        """Return what is said to the client at its address, with the request's state and the issuer (RFC 9207)."""
        state = self._state
        kept = {"state": given["state"]} if given.get("state") else {}
        if kept and state.suffers(troubles.STATE_LOST, client=given.get("client_id", "")):
            kept = {}
        posted = given.get("response_mode") == "form_post"
        return AuthorizationAnswer(given["redirect_uri"], {**kept, **said, "iss": state.addresses.issuer}, posted)
