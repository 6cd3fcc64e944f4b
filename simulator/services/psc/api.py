"""An "API Pro Santé Connectée": its own authorization server exchanges tokens, its resource takes what that gave.

RFC 8693 and RFC 8705 as the guide on securing REST transport asks (sources#psc-documentation): mutual TLS with an
organisation's certificate, grant type, subject token and its type, scope; the token is bound to the certificate. Paths,
the scope and what the resource answers are modelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bifente.simulator.formats.jose.refusals import SealError
from bifente.simulator.pki.judging import Chain
from bifente.simulator.services.psc.bearing import Bearing
from bifente.simulator.services.psc.errors import BearerError, OAuthError, invalid_request
from bifente.simulator.services.psc.grant_types import EXCHANGE
from bifente.simulator.services.psc.state import ProviderState
from bifente.simulator.services.psc.tokens import TokenGrant, thumbprint

TOKEN_TYPES = frozenset({"urn:ietf:params:oauth:token-type:access_token", "urn:ietf:params:oauth:token-type:jwt"})
SCOPES = frozenset({"openid", "scope_all", "api"})
_CERTIFICATE = "Client certificate missing, or its thumbprint and one in the access token did NOT match"


class ConnectedApi:
    """Exchanges tokens, and answers who presents what it gave."""

    def __init__(self, state: ProviderState, bearing: Bearing) -> None:
        self._state = state
        self._bearing = bearing

    @property
    def issuer(self) -> str:
        """Who signs its tokens."""
        return f"{self._state.addresses.api}/auth/realms/api"

    def exchanged(self, form: Mapping[str, str], chain: Chain) -> dict[str, Any]:
        """Return the answer to an exchange. Raise OAuthError."""
        state = self._state
        if not chain:
            raise OAuthError("invalid_client", "a client certificate is required", 401)
        if (why := state.believes(chain)) is not None:
            raise OAuthError("invalid_client", why, 401)
        if form.get("grant_type") != EXCHANGE:
            raise OAuthError("unsupported_grant_type", "Unsupported grant_type")
        for name in ("subject_token", "subject_token_type", "scope"):
            if not form.get(name):
                raise invalid_request(f"Missing parameter: {name}")
        if form["subject_token_type"] not in TOKEN_TYPES:
            raise invalid_request("Invalid parameter: subject_token_type")
        if form.get("subject_issuer", "psc") != "psc":
            raise invalid_request("Invalid parameter: subject_issuer")
        if unknown := sorted(set(form["scope"].split()) - SCOPES):
            raise OAuthError("invalid_scope", f"Invalid scopes: {' '.join(unknown)}")
        try:
            claims, session = self._bearing.believed(form["subject_token"], chain)
        except BearerError as error:
            raise OAuthError("invalid_token", error.description) from None
        if state.exchanged.get(claims["jti"]) and state.parameters.exchange_once:
            state.conduct.note(claims["azp"], "exchanged-twice")
            raise OAuthError("invalid_grant", "the subject token was exchanged before")
        state.exchanged.put(claims["jti"], True, state.parameters.access)
        now = int(state.now)
        token = state.api_mint.signed(
            {
                "iss": self.issuer,
                "sub": claims["sub"],
                "azp": claims["azp"],
                "iat": now,
                "exp": now + state.parameters.api,
                "jti": state.api_mint.identifier(f"trrt{TokenGrant.EXCHANGE.value}:"),
                "typ": "Bearer",
                "scope": form["scope"],
                "SubjectNameID": session.professional.id,
                "cnf": {"x5t#S256": thumbprint(chain[0])},
            }
        )
        return {
            "access_token": token,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": state.parameters.api,
            "scope": form["scope"],
        }

    def called(self, token: str, chain: Chain) -> dict[str, Any]:
        """Return what the API answers to a call. Raise BearerError."""
        state = self._state
        try:
            claims = state.api_mint.read(token)
        except SealError:
            raise BearerError("Token verification failed") from None
        if claims.get("iss") != self.issuer or claims["exp"] <= state.now:
            raise BearerError("Token verification failed")
        if claims["cnf"]["x5t#S256"] != (thumbprint(chain[0]) if chain else None):
            state.conduct.note(str(claims["azp"]), "other-certificate")
            raise BearerError(_CERTIFICATE)
        return {"modelled": True, "SubjectNameID": claims["SubjectNameID"], "client": claims["azp"]}
