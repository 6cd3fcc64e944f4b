"""CIBA: a login asked for by a server, approved on the phone or with the card of the workstation (OpenID CIBA Core).

Only poll works, though ping is advertised; a client must be enabled for it (sources#psc-documentation). Channels CARD
and MOBILE (sources#psc-code). Modelled: that CPS-Gestion answers for the card channel through ``answer_by_card``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bifente.simulator.services.psc import troubles
from bifente.simulator.services.psc.authorization import EIDAS1
from bifente.simulator.services.psc.claims import AuthMode
from bifente.simulator.services.psc.ecps import EcpsError, NotificationState
from bifente.simulator.services.psc.errors import OAuthError, invalid_grant, invalid_request
from bifente.simulator.services.psc.model import RegisteredClient
from bifente.simulator.services.psc.sessions import BackchannelRequest
from bifente.simulator.services.psc.state import ProviderState

CHANNELS = {"CARD": AuthMode.CARD, "MOBILE": AuthMode.MOBILE}
_MESSAGE = re.compile(r"[0-9]{2}", re.ASCII)
_KEPT_AFTER = 300
"""Seconds for which a request that is over is still told from one that never was. A free choice."""
_RETRIED_WITHIN = 30


class Backchannel:
    """Requests and polls."""

    def __init__(self, state: ProviderState) -> None:
        self._state = state

    def asked(self, client: RegisteredClient, form: Mapping[str, str]) -> dict[str, Any]:
        """Return the answer to a request. Raise OAuthError."""
        state, limits = self._state, self._state.parameters
        if not client.ciba:
            raise OAuthError("unauthorized_client", "Client not allowed OIDC CIBA Grant")
        for name in ("scope", "login_hint"):
            if not form.get(name):
                raise invalid_request(f"missing parameter : {name}")
        if form.get("acr_values") != EIDAS1:
            state.conduct.note(client.id, "acr-not-asked")
        message = form.get("binding_message", "")
        if not _MESSAGE.fullmatch(message):
            state.conduct.note(client.id, "binding-message")
            raise OAuthError("invalid_binding_message", "the binding_message has two digits, 00 to 99")
        mode = CHANNELS.get(form.get("channel", "MOBILE"))
        if mode is None:
            raise invalid_request("Invalid parameter: channel")
        hint = form["login_hint"]
        professional = state.registry.professional(hint)
        if professional is None or state.suffers(troubles.UNKNOWN_USER, client=client.id, user=hint):
            raise OAuthError("unknown_user_id", "no user is known by this login_hint")
        whom = {"client": client.id, "user": professional.id}
        if state.refused.get(f"{client.id} {professional.id}"):
            state.conduct.note(client.id, "refused-retried")
        life = limits.ciba
        if (asked := form.get("requested_expiry", "")).isdecimal() and 0 < len(asked) < 6:
            life = max(1, min(life, int(asked)))
        now = state.now
        request = BackchannelRequest(
            key=state.mint.secret(),
            client=client.id,
            professional=professional,
            scope=form["scope"],
            mode=mode,
            message=message,
            end=now + life,
            interval=limits.interval,
            next_poll=now + limits.interval,
        )
        if state.suffers(troubles.USER_REFUSES, **whom):
            request.refused = True
        elif mode is AuthMode.MOBILE and not state.suffers(troubles.USER_SILENT, **whom):
            try:
                request.notification = state.ecps.notify(professional.id, client.name, message, life).key
            except EcpsError as error:
                raise OAuthError("unknown_user_id", error.refusal.sentence.en) from None
        state.requests.put(request.key, request, life + _KEPT_AFTER)
        return {"auth_req_id": request.key, "expires_in": life, "interval": limits.interval}

    def waiting_for_card(self, professional: str) -> list[BackchannelRequest]:
        """Return the requests of the card channel for a professional: what CPS-Gestion shows on the workstation."""
        return [
            one
            for one in self._state.requests.values()
            if one.mode is AuthMode.CARD and one.professional.id == professional and not self._is_over(one)
        ]

    def answer_by_card(self, key: str, card: str | None) -> None:
        """Approve a request of the card channel with the card of ``card`` (national id), or refuse it (None).

        Raise OAuthError for a card that is somebody else's.
        """
        request = self._state.requests.get(key)
        if request is None or request.mode is not AuthMode.CARD or self._is_over(request):
            raise invalid_grant("no request by card is pending")
        if card is None:
            request.refused = True
        elif card != request.professional.id:
            raise OAuthError("access_denied", "the card is somebody else's")
        else:
            request.approved = True

    def redeemed(self, client: RegisteredClient, form: Mapping[str, str]) -> BackchannelRequest:
        """Return a request that was approved, once. Raise OAuthError while it is not, and afterwards."""
        state, key = self._state, form.get("auth_req_id")
        if not client.ciba:
            raise OAuthError("unauthorized_client", "Client not allowed OIDC CIBA Grant")
        if not key:
            raise invalid_request("Missing parameter: auth_req_id")
        request = state.requests.get(key)
        if request is None:
            if state.spent.get(key) == client.id:
                state.conduct.note(client.id, "polled-after-end")
            raise invalid_grant("Invalid Auth Req ID")
        if request.client != client.id:
            raise invalid_grant("unauthorized client")
        if state.now >= request.end:
            self._close(request)
            raise OAuthError("expired_token", "authentication timed out")
        self._keep_pace(client, request)
        notified = self._notified(request)
        if request.refused or notified is NotificationState.REFUSED:
            # Told once: whoever goes on asking is asking for what is gone.
            self._close(request)
            state.refused.put(f"{client.id} {request.professional.id}", True, _RETRIED_WITHIN)
            raise OAuthError("access_denied", "not authorized")
        if not (request.approved or notified is NotificationState.ACCEPTED):
            raise OAuthError(
                "authorization_pending",
                "The authorization request is still pending as the end-user hasn't yet been authenticated.",
            )
        self._close(request)
        return request

    def _close(self, request: BackchannelRequest) -> None:
        self._state.requests.pop(request.key)
        self._state.spent.put(request.key, request.client, _KEPT_AFTER)

    def _keep_pace(self, client: RegisteredClient, request: BackchannelRequest) -> None:
        state = self._state
        forced = state.suffers(troubles.SLOW_DOWN, client=client.id, user=request.professional.id)
        early = state.now < request.next_poll
        if early:
            state.conduct.note(client.id, "polled-too-fast")
        if early or forced:
            request.interval += state.parameters.slower
        request.next_poll = state.now + request.interval
        if early or forced:
            raise OAuthError("slow_down", "Too early to access")

    def _notified(self, request: BackchannelRequest) -> NotificationState:
        phone = self._state.ecps.phone_of(request.professional.id)
        found = phone.notifications.get(request.notification) if phone is not None else None
        return self._state.ecps.answer_of(found) if found is not None else NotificationState.PENDING

    def _is_over(self, request: BackchannelRequest) -> bool:
        return request.refused or request.approved or self._state.now >= request.end
