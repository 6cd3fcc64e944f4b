"""The HTTP refusals of the service: status, sentence, and the body observed in the field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

BAD_TOKEN = "Token invalide"  # noqa: S105 - a sentence
OFFLINE = "Terminal non connecté"
UNAVAILABLE = "Terminal indisponible : retirer les cartes ou redémarrer le terminal"


class HttpRefusal(Exception):  # noqa: N818 - a refusal is what the field calls it
    """A call that gets no zone. ``reason`` names the cause for whoever runs the bench; the field says less."""

    def __init__(self, status: HTTPStatus, message: str, reason: str) -> None:
        self.status = status
        self.message = message
        self.reason = reason
        super().__init__(f"{status.value} {message} ({reason})")

    def body(self, at: datetime, path: str) -> Mapping[str, Any]:
        """``{timestamp, status, error, message, path}`` (sources#cloudfsv)."""
        return {
            "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "status": self.status.value,
            "error": self.status.phrase,
            "message": self.message,
            "path": path,
        }


def bad_token(reason: str) -> HttpRefusal:
    """401."""
    return HttpRefusal(HTTPStatus.UNAUTHORIZED, BAD_TOKEN, reason)


def offline(reason: str) -> HttpRefusal:
    """428."""
    return HttpRefusal(HTTPStatus.PRECONDITION_REQUIRED, OFFLINE, reason)


def unavailable(reason: str) -> HttpRefusal:
    """503."""
    return HttpRefusal(HTTPStatus.SERVICE_UNAVAILABLE, UNAVAILABLE, reason)


def bad_request(message: str, reason: str) -> HttpRefusal:
    """400: modelled, no call that is badly formed was observed."""
    return HttpRefusal(HTTPStatus.BAD_REQUEST, message, reason)
