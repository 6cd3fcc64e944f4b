"""Logout (OpenID Connect RP-Initiated Logout): the session ends for every client that had a part in it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from bifente.simulator.services.psc import troubles
from bifente.simulator.services.psc.errors import PageError
from bifente.simulator.services.psc.state import ProviderState


class Leaving:
    """Ends sessions."""

    def __init__(self, state: ProviderState) -> None:
        self._state = state

    def asked(self, given: Mapping[str, str]) -> str | None:
        """End the session of the ID token that is given back, and return where to send the browser.

        None: no token was given, so that the user has to confirm on the page of its own browser. Raise PageError.
        """
        hint = given.get("id_token_hint")
        if hint is None:
            self.target(given, given.get("client_id"))
            return None
        claims = self._hinted(hint, given.get("client_id"))
        client = str(claims["azp"])
        if given.get("client_id", client) != client:
            raise PageError("Paramètre invalide : client_id")
        target = self.target(given, client)
        self._state.close_session(str(claims["sid"]))
        return target

    def confirmed(self, given: Mapping[str, str], cookie: str | None) -> str:
        """End the session of a browser whose user confirmed, and return where to send it. Raise PageError."""
        target = self.target(given, given.get("client_id"))
        session = self._state.session_of(cookie)
        if session is not None:
            self._state.close_session(session.sid)
        return target

    def target(self, given: Mapping[str, str], client_id: str | None) -> str:
        """Return where the browser goes afterwards; empty to stay on a page. Raise PageError."""
        wanted = given.get("post_logout_redirect_uri")
        if wanted is None:
            return ""
        client = self._state.registry.client(client_id or "")
        if client is None or wanted not in client.post_logout_redirect_uris:
            raise PageError("Paramètre invalide : redirect_uri")
        lost = self._state.suffers(troubles.LOGOUT_WITHOUT_STATE, client=client.id)
        if not given.get("state") or lost:
            return wanted
        return f"{wanted}{'&' if urlsplit(wanted).query else '?'}{urlencode({'state': given['state']})}"

    def _hinted(self, hint: str, client_id: str | None) -> Mapping[str, object]:
        registry, mint = self._state.registry, self._state.mint
        secrets = [one.secret for one in registry.clients if one.secret and client_id in (None, one.id)]
        for secret in [None, *secrets]:
            claims = mint.read_hint(hint, secret)
            # An ID token only: an access token travels to APIs, none of which may end a session.
            if claims is not None and claims.get("typ") == "ID" and claims.get("iss") == self._state.addresses.issuer:
                return claims
        raise PageError("Paramètre invalide : id_token_hint")
