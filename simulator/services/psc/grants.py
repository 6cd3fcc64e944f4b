"""The token endpoint: by which grant, and what is given (RFC 6749, RFC 7636, RFC 8705, OpenID CIBA Core)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from bifente.simulator.formats.jose.refusals import SealError
from bifente.simulator.pki.judging import Chain
from bifente.simulator.services.psc import troubles
from bifente.simulator.services.psc.authorization import EIDAS1
from bifente.simulator.services.psc.backchannel import Backchannel
from bifente.simulator.services.psc.claims import other_ids, subject
from bifente.simulator.services.psc.errors import OAuthError, invalid_grant, invalid_request
from bifente.simulator.services.psc.grant_types import CIBA, DEVICE
from bifente.simulator.services.psc.model import RegisteredClient
from bifente.simulator.services.psc.parameters import TokenForm
from bifente.simulator.services.psc.sessions import ClientUse, SsoSession
from bifente.simulator.services.psc.state import ProviderState
from bifente.simulator.services.psc.tokens import TokenGrant, left_half, thumbprint

_CLOSED_GRANTS = {
    "password": "Client not allowed for direct access grants",
    "client_credentials": "Client not enabled to retrieve service account",
    "implicit": "Unsupported grant_type",
    DEVICE: "Client is not allowed to initiate OAuth 2.0 Device "
    "Authorization Grant. The flow is disabled for the client.",
}
"""Grants that the document advertises and that no client has (sources#psc-code)."""


class Grants:
    """Gives tokens."""

    def __init__(self, state: ProviderState, backchannel: Backchannel) -> None:
        self._state = state
        self._backchannel = backchannel

    # -- what is given -------------------------------------------------------------------------------------------------

    def given(self, client: RegisteredClient, form: Mapping[str, str], chain: Chain) -> dict[str, Any]:
        """Return the answer of the token endpoint. Raise OAuthError."""
        grant = form.get("grant_type")
        if grant is None:
            raise invalid_request("Missing form parameter: grant_type")
        if grant == "authorization_code":
            return self._by_code(client, form, chain)
        if grant == "refresh_token":
            return self._by_refresh(client, form, chain)
        if grant == CIBA:
            request = self._backchannel.redeemed(client, form)
            session = self._state.open_session(request.professional, request.mode, browser=False)
            session.uses[client.id] = ClientUse(request.scope, None)
            return self._issued(client, session, TokenGrant.CIBA, chain)
        if grant in _CLOSED_GRANTS:
            raise OAuthError("unauthorized_client", _CLOSED_GRANTS[grant])
        raise OAuthError("unsupported_grant_type", "Unsupported grant_type")

    def _by_code(self, client: RegisteredClient, form: Mapping[str, str], chain: Chain) -> dict[str, Any]:
        state, code = self._state, form.get("code")
        if not code:
            raise invalid_request("Missing parameter: code")
        if state.suffers(troubles.CODE_REFUSED, client=client.id):
            raise invalid_grant("Code not valid")
        found = state.codes.pop(code)
        if found is None:
            if (sid := state.spent.get(code)) is not None:
                # RFC 6749, section 4.1.2: whoever has the code twice may have stolen it, so all it gave is void.
                state.close_session(sid)
                state.conduct.note(client.id, "code-replayed")
            raise invalid_grant("Code not valid")
        state.spent.put(code, found.sid, state.parameters.refresh)
        if found.client != client.id:
            raise invalid_grant("Auth error")
        if form.get("redirect_uri") != found.redirect_uri:
            raise invalid_grant("Incorrect redirect_uri")
        self._check_verifier(found.challenge, found.method, form.get("code_verifier"))
        session = state.session(found.sid)
        if session is None:
            raise invalid_grant("Session not active")
        session.uses[client.id] = ClientUse(found.scope, found.nonce)
        return self._issued(client, session, TokenGrant.CODE, chain)

    @staticmethod
    def _check_verifier(challenge: str | None, method: str, verifier: str | None) -> None:
        if challenge is None:
            if verifier is not None:
                raise invalid_grant("PKCE code verifier specified but challenge not present in authorization")
            return
        if verifier is None:
            raise invalid_grant("PKCE code verifier not specified")
        made = verifier
        if method == "S256":
            digest = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
            made = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if not hmac.compare_digest(made.encode(), challenge.encode()):
            raise invalid_grant("PKCE verification failed: Code mismatch")

    def _by_refresh(self, client: RegisteredClient, form: Mapping[str, str], chain: Chain) -> dict[str, Any]:
        state, token = self._state, form.get("refresh_token")
        if not token:
            raise invalid_request("No refresh token")
        try:
            claims = state.mint.read_own(token)
        except SealError:
            raise invalid_grant("Invalid refresh token") from None
        if claims.get("azp") != client.id:
            raise invalid_grant("Invalid refresh token. Token client and authorized client don't match")
        session = state.session(str(claims.get("sid")))
        user = session.professional.id if session else ""
        if claims["exp"] <= state.now or state.suffers(troubles.REFRESH_REFUSED, client=client.id, user=user):
            state.conduct.note(client.id, "refresh-late")
            raise invalid_grant("Token is not active")
        use = session.uses.get(client.id) if session else None
        if session is None or use is None:
            raise invalid_grant("Session not active")
        if use.refresh != claims.get("jti"):
            raise invalid_grant("Maximum allowed refresh token reuse exceeded")
        if use.bound is not None and use.bound != (thumbprint(chain[0]) if chain else None):
            state.conduct.note(client.id, "other-certificate")
            raise invalid_grant(
                "Client certificate missing, or its thumbprint and one in the refresh token did NOT match"
            )
        session.seen = state.now
        return self._issued(client, session, TokenGrant.REFRESH, chain)

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _issued(self, client: RegisteredClient, session: SsoSession, grant: TokenGrant, chain: Chain) -> dict[str, Any]:
        state, now = self._state, int(self._state.now)
        use = session.uses[client.id]
        if state.suffers(troubles.KEYS_ROTATED, client=client.id):
            state.mint.rotate()
        use.bound = thumbprint(chain[0]) if client.bound and chain else None
        common = self._common(client, session, now)
        modern = state.parameters.form is TokenForm.OF_2026
        access = {
            **common,
            "exp": now + state.parameters.access,
            "jti": state.mint.identifier(f"onrt{grant.value}:" if modern else ""),
            "typ": "Bearer",
            "scope": use.scope if modern else f"openid profile {use.scope.replace('openid', '').strip()} identity",
            "authMode": session.mode.value,
            "preferred_username": session.professional.id,
        }
        if modern:
            access |= {
                "auth_level": "1",
                "SubjectNameID": session.professional.id,
                "PSISubjectNameID": session.professional.psi,
            }
        else:
            access["otherIds"] = other_ids(session.professional)
        if use.bound is not None:
            access["cnf"] = {"x5t#S256": use.bound}
        token = state.mint.signed(access)
        use.refresh = state.mint.identifier()
        life = min(state.parameters.refresh, int(session.auth_time + state.parameters.sso_max - now))
        refresh = {**common, "exp": now + life, "jti": use.refresh, "typ": "Refresh", "aud": common["iss"]}
        answer: dict[str, Any] = {
            "access_token": token,
            "expires_in": state.parameters.access,
            "refresh_expires_in": life,
            "refresh_token": state.mint.own(refresh),
            "token_type": "Bearer",
            "not-before-policy": 0,
            "session_state": session.sid,
            "scope": use.scope,
        }
        if "openid" in use.scope.split():
            answer["id_token"] = self._id_token(client, common, now, token)
        return answer

    def _common(self, client: RegisteredClient, session: SsoSession, now: int) -> dict[str, Any]:
        state, use = self._state, session.uses[client.id]
        modern = state.parameters.form is TokenForm.OF_2026
        form = state.parameters.form
        if state.suffers(troubles.SUBJECT_CHANGED, client=client.id, user=session.professional.id):
            form = TokenForm.OF_2023 if modern else TokenForm.OF_2026
        acr = EIDAS1 if modern else "eidas3"
        if state.suffers(troubles.ACR_OTHER, client=client.id, user=session.professional.id):
            acr = "0"
        return {
            "iat": now,
            "auth_time": session.auth_time,
            "iss": state.addresses.issuer,
            "sub": subject(session.professional, form),
            "azp": client.id,
            "sid": session.sid,
            "acr": acr,
            **({"nonce": use.nonce} if use.nonce is not None else {}),
            **({} if modern else {"session_state": session.sid}),
        }

    def _id_token(self, client: RegisteredClient, common: Mapping[str, Any], now: int, access: str) -> str:
        state = self._state
        claims = {
            **common,
            "exp": now + state.parameters.access,
            "jti": state.mint.identifier(),
            "aud": client.id,
            "typ": "ID",
            "at_hash": left_half(access),
        }
        if client.id_token == "HS256" and client.secret is not None:  # noqa: S105 - an algorithm
            return state.mint.shared(claims, client.secret)
        return state.mint.signed(claims)
