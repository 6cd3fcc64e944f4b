"""Delegation ("PSC sans couture"): an establishment's own identity provider says who the user is (sources#psc-code).

Observed: ``kc_idp_hint`` names the local provider; its ID token carries ``tid``, ``oid`` and ``amr``; the first login
pairs the account with a card or an e-CPS, later ones only confirm. Modelled: how the two providers speak.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from bifente.simulator.formats.jose.refusals import SealError
from bifente.simulator.services.psc.claims import AuthMode
from bifente.simulator.services.psc.errors import PageError
from bifente.simulator.services.psc.model import ListedProfessional, LocalProvider
from bifente.simulator.services.psc.sessions import LoginAttempt
from bifente.simulator.services.psc.state import ProviderState

STRONG = (frozenset({"swk", "mfa", "pwd", "okta_verify"}), frozenset({"sc", "pin", "mfa", "hwk"}))
"""The two sets of methods that were seen: substantial, and a card (high)."""
_LIFE = 60


class Delegation:
    """Sends a login to a local provider and believes what comes back."""

    def __init__(self, state: ProviderState) -> None:
        self._state = state

    def provider(self, alias: str) -> LocalProvider:
        """Return a local provider. Raise PageError."""
        found = self._state.registry.provider(alias)
        if found is None:
            raise PageError("Fournisseur d'identité local introuvable.", 404)
        return found

    def sent(self, attempt: LoginAttempt, alias: str) -> str:
        """Return where to send a browser for a local login. Raise PageError."""
        found, state = self.provider(alias), self._state
        attempt.idp_nonce = state.mint.secret(16)
        query = urlencode({"nonce": attempt.idp_nonce, "state": attempt.key})
        return f"{state.addresses.idp}/bifente/fournisseur/{found.alias}?{query}"

    def token(self, provider: LocalProvider, account: str, nonce: str, amr: list[str]) -> str:
        """Return the ID token that the local provider gives for an account. Raise PageError."""
        if account not in provider.accounts:
            raise PageError("Compte inconnu.")
        now = int(self._state.now)
        return self._state.idp_mint.signed(
            {
                "iss": f"{self._state.addresses.idp}/bifente/fournisseur/{provider.alias}",
                "aud": "psc",
                "sub": account,
                "tid": provider.tenant,
                "oid": account,
                "amr": amr,
                "nonce": nonce,
                "iat": now,
                "exp": now + _LIFE,
            }
        )

    def returned(self, attempt: LoginAttempt, alias: str, token: str) -> ListedProfessional | None:
        """Return the professional paired with the account of a local ID token; None: pair it first. Raise PageError."""
        provider = self.provider(alias)
        claims = self._believed(attempt, provider, token)
        pairing = (str(claims["tid"]), str(claims["oid"]))
        known = self._state.registry.professional(self._state.pairings.get(pairing, ""))
        if known is None:
            attempt.pairing = pairing
            attempt.message = "Première connexion par délégation : prouvez votre identité par la carte ou par l'e-CPS."
        attempt.confirming = known
        return known

    def _believed(self, attempt: LoginAttempt, provider: LocalProvider, token: str) -> Mapping[str, Any]:
        state = self._state
        try:
            claims = state.idp_mint.read(token)
        except SealError:
            raise PageError("Le jeton du fournisseur local n'est pas signé par lui.") from None
        issuer = f"{state.addresses.idp}/bifente/fournisseur/{provider.alias}"
        if claims.get("iss") != issuer or claims.get("aud") != "psc" or claims.get("tid") != provider.tenant:
            raise PageError("Le jeton du fournisseur local ne vient pas de lui, ou n'est pas pour Pro Santé Connect.")
        nonce, attempt.idp_nonce = attempt.idp_nonce, ""
        if not nonce or claims.get("nonce") != nonce or claims["exp"] <= state.now:
            raise PageError("Le jeton du fournisseur local n'est pas celui de cette connexion, ou n'est plus valable.")
        if not any(strong <= set(claims.get("amr", ())) for strong in STRONG):
            raise PageError("L'authentification locale n'est pas à deux facteurs : elle n'est pas acceptée.")
        return claims

    def pair(self, attempt: LoginAttempt) -> None:
        """Pair the account of a login with the professional that it proved to be."""
        if attempt.pairing is not None and attempt.proven is not None:
            self._state.pairings[attempt.pairing] = attempt.proven[0].id
            attempt.proven = (attempt.proven[0], AuthMode.BROKER)
