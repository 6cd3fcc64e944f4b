"""What an access token opens, and what is said of one: UserInfo, introspection, revocation (RFC 6750, 7662, 7009)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bifente.simulator.formats.jose.refusals import SealError
from bifente.simulator.pki.judging import Chain
from bifente.simulator.services.psc import troubles
from bifente.simulator.services.psc.claims import user_information
from bifente.simulator.services.psc.errors import BearerError, OAuthError, invalid_request
from bifente.simulator.services.psc.model import RegisteredClient
from bifente.simulator.services.psc.sessions import SsoSession
from bifente.simulator.services.psc.state import ProviderState
from bifente.simulator.services.psc.tokens import thumbprint

_FAILED = "Token verification failed"


class Bearing:
    """Believes access tokens."""

    def __init__(self, state: ProviderState) -> None:
        self._state = state

    def believed(self, token: str, chain: Chain) -> tuple[dict[str, Any], SsoSession]:
        """Return the claims of an access token that is good now, and its session. Raise BearerError."""
        state = self._state
        try:
            claims = state.mint.read(token)
        except SealError:
            raise BearerError(_FAILED) from None
        client = str(claims.get("azp"))
        if claims.get("typ") != "Bearer" or claims.get("iss") != state.addresses.issuer:
            raise BearerError(_FAILED)
        user = str(claims.get("preferred_username"))
        if claims["exp"] <= state.now:
            state.conduct.note(client, "token-used-late")
            raise BearerError(_FAILED)
        if state.suffers(troubles.TOKEN_REFUSED, client=client, user=user):
            raise BearerError(_FAILED)
        session = state.session(str(claims.get("sid")))
        if session is None or client not in session.uses:
            raise BearerError("User session not found or doesn't have client attached on it")
        bound = claims.get("cnf", {}).get("x5t#S256")
        if bound is not None and bound != (thumbprint(chain[0]) if chain else None):
            state.conduct.note(client, "other-certificate")
            raise BearerError("Client certificate missing, or its thumbprint and one in the access token did NOT match")
        return claims, session

    def information(self, token: str, chain: Chain) -> tuple[RegisteredClient | None, dict[str, Any]]:
        """Return the client of an access token, and what UserInfo says. Raise BearerError."""
        state = self._state
        claims, session = self.believed(token, chain)
        if "openid" not in str(claims.get("scope", "")).split():
            raise BearerError("Missing openid scope", "insufficient_scope", 403)
        client, user = str(claims["azp"]), session.professional
        whom = {"client": client, "user": user.id}
        if state.suffers(troubles.OTHER_USER, **whom):
            # What a leak between two sessions looks like from outside: the client has to compare (PSC-39).
            user = next((one for one in state.registry.professionals if one.id != user.id), user)
        short = state.suffers(troubles.SHORT_PROFILE, **whom)
        said = user_information(user, session.mode, state.parameters.form, short=short)
        # The subject stays the token's: an identity that differs shows by SubjectNameID alone.
        said["sub"] = claims["sub"]
        return state.registry.client(client), said

    def introspected(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return what introspection says of a token: identity for an access token alone (PSC-21). Raise OAuthError."""
        token = form.get("token")
        if not token:
            raise invalid_request("Token not provided.")
        try:
            claims, session = self._of_any_kind(token)
        except (BearerError, SealError):
            return {"active": False}
        if claims.get("typ") != "Bearer":
            kept = ("exp", "iat", "auth_time", "jti", "iss", "sub", "typ", "azp", "sid", "acr")
            return {key: claims[key] for key in kept if key in claims} | {"active": True}
        return {
            **claims,
            "client_id": claims["azp"],
            "username": session.professional.id,
            "token_type": "Bearer",
            "active": True,
        }

    def _of_any_kind(self, token: str) -> tuple[dict[str, Any], SsoSession]:
        state = self._state
        try:
            claims = state.mint.read(token)
        except SealError:
            claims = state.mint.read_own(token)
        session = state.session(str(claims.get("sid")))
        use = session.uses.get(str(claims.get("azp"))) if session is not None else None
        if claims["exp"] <= state.now or claims.get("iss") != state.addresses.issuer or session is None or use is None:
            raise BearerError(_FAILED)
        if state.suffers(troubles.TOKEN_REFUSED, client=str(claims["azp"]), user=session.professional.id):
            raise BearerError(_FAILED)
        if claims.get("typ") == "Refresh" and claims.get("jti") != use.refresh:
            raise BearerError(_FAILED)
        return claims, session

    def revoke(self, client: RegisteredClient, form: Mapping[str, str]) -> None:
        """End what a token opens; one that is not ours is no error (RFC 7009, section 2.2). Raise OAuthError."""
        token = form.get("token")
        if not token:
            raise invalid_request("Token not provided")
        try:
            claims, session = self._of_any_kind(token)
        except (BearerError, SealError):
            return
        if claims["azp"] != client.id:
            raise OAuthError("invalid_token", "Unmatching clients")
        session.uses.pop(client.id, None)
        if not session.uses and session.cookie is None:
            self._state.close_session(session.sid)
