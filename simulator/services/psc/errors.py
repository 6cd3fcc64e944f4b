"""Refusals of the protocol: the words and the shape of the Keycloak underneath (sources#psc-code)."""

from __future__ import annotations

from http import HTTPStatus


class OAuthError(Exception):
    """An error of OAuth 2 and its family: ``error``, ``error_description``, and the HTTP status it travels with."""

    def __init__(self, error: str, description: str = "", status: int = HTTPStatus.BAD_REQUEST) -> None:
        self.error = error
        self.description = description
        self.status = int(status)
        super().__init__(f"{error}: {description}")

    @property
    def body(self) -> dict[str, str]:
        """The JSON body."""
        return {"error": self.error} | ({"error_description": self.description} if self.description else {})


class BearerError(OAuthError):
    """A token that is not believed where it was presented: 401 with a challenge."""

    def __init__(self, description: str, error: str = "invalid_token", status: int = HTTPStatus.UNAUTHORIZED) -> None:
        super().__init__(error, description, status)


class PageError(Exception):
    """An authorization request that cannot even be sent back: the user sees a page, the client nothing."""

    def __init__(self, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        self.message = message
        self.status = int(status)
        super().__init__(message)


def invalid_grant(description: str) -> OAuthError:
    """Return ``invalid_grant``."""
    return OAuthError("invalid_grant", description)


def invalid_request(description: str) -> OAuthError:
    """Return ``invalid_request``."""
    return OAuthError("invalid_request", description)


def bad_client(error: str = "unauthorized_client") -> OAuthError:
    """Return the refusal of a client that did not prove who it is; ``invalid_client`` for one that is unknown."""
    return OAuthError(error, "Invalid client or Invalid client credentials", HTTPStatus.UNAUTHORIZED)
