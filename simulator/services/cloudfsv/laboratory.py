"""Pairing and tokens over HTTP. No public text tells how the field does it: paths, bodies and names are ours.

They stand under ``/bifente/`` so that nobody takes them for the field's, and every answer says ``modelled``.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from bifente.simulator.readers.wireless import Refusal, Terminal, TokenRefusedError
from bifente.simulator.services.cloudfsv.refusals import HttpRefusal, bad_token, offline
from bifente.simulator.services.cloudfsv.service import CloudFsv


class TerminalAdministration:
    """What a workstation asks before and beside its readings; every call needs a bearer token."""

    def __init__(self, service: CloudFsv) -> None:
        self._service = service

    def state(self, bearer: str) -> Mapping[str, Any]:
        """Every terminal served and how it stands. Raises HttpRefusal."""
        self._service.authenticate(bearer)
        return _modelled({"terminals": [told(terminal) for terminal in self._service.terminals.values()]})

    def pair(self, bearer: str, terminal: str) -> Mapping[str, Any]:
        """Pair a terminal; tokens of an earlier pairing are dead. Raises HttpRefusal."""
        found = self._find(bearer, terminal)
        self._service.platform.pair(found.id)
        found.look()
        return _modelled(told(found))

    def unpair(self, bearer: str, terminal: str) -> Mapping[str, Any]:
        """Revoke a pairing. Raises HttpRefusal."""
        found = self._find(bearer, terminal)
        self._service.platform.unpair(found.id, revoked=True)
        found.look()
        return _modelled(told(found))

    def token(self, bearer: str, terminal: str, access: str | None) -> Mapping[str, Any]:
        """The first token of a new session, or, for the session's own token, the next one. Raises HttpRefusal."""
        found = self._find(bearer, terminal)
        try:
            fresh = found.open_session() if access is None else found.renew_session(access)
        except TokenRefusedError as refused:
            if refused.reason is Refusal.OFFLINE:
                raise offline(found.condition.value) from None
            raise bad_token(refused.reason.value) from None
        return _modelled({"accessHealthcareToken": fresh, "expiresIn": round(found.remaining)})

    def _find(self, bearer: str, terminal: str) -> Terminal:
        self._service.authenticate(bearer)
        found = self._service.terminals.get(terminal)
        if found is None:
            raise HttpRefusal(HTTPStatus.NOT_FOUND, "Terminal inconnu", "unknown-terminal")
        return found


def told(terminal: Terminal) -> Mapping[str, Any]:
    """Return how a terminal stands, in the words of the laboratory."""
    return {
        "terminalId": terminal.id,
        "pairing": terminal.pairing.value,
        "link": terminal.link.value,
        "session": terminal.session.value,
        "remaining": round(terminal.remaining),
        "battery": round(terminal.battery),
        "batteryLow": terminal.battery_low,
    }


def _modelled(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"modelled": True, **content}
