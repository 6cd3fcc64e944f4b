"""What the provider remembers: browsers' sessions, logins under way, codes, requests by backchannel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bifente.simulator.services.psc.claims import AuthMode
from bifente.simulator.services.psc.model import ListedProfessional, RegisteredClient


@dataclass(slots=True)
class ClientUse:
    """What one client has of a session: the refresh token that is good now, by its ``jti``; what it may do."""

    scope: str
    nonce: str | None
    refresh: str = ""
    bound: str | None = None
    """Thumbprint of the certificate its tokens are bound to."""


@dataclass(slots=True)
class SsoSession:
    """A professional who proved who it is, on one browser; ``cookie`` is None where there is no browser (CIBA)."""

    sid: str
    professional: ListedProfessional
    mode: AuthMode
    auth_time: int
    cookie: str | None
    seen: float
    uses: dict[str, ClientUse] = field(default_factory=dict)


@dataclass(slots=True)
class LoginAttempt:
    """A login under way on one browser. ``browser`` is its cookie, ``parameters`` are those of the request.

    ``ticket`` opens the way back from the host that saw the card; ``notification`` is that on a phone. ``pairing`` is
    what a local provider said of a user who is not known here yet.
    """

    key: str
    browser: str
    client: RegisteredClient
    parameters: Mapping[str, str]
    notification: str = ""
    message: str = ""
    proven: tuple[ListedProfessional, AuthMode] | None = None
    ticket: str = ""
    idp_nonce: str = ""
    pairing: tuple[str, str] | None = None
    confirming: ListedProfessional | None = None


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """An authorization code: whom it is for, and what it must be presented with."""

    client: str
    redirect_uri: str
    sid: str
    scope: str
    nonce: str | None
    challenge: str | None
    method: str


@dataclass(slots=True)
class BackchannelRequest:
    """A request by backchannel, until it is answered or over. ``next_poll`` is when the client may ask again."""

    key: str
    client: str
    professional: ListedProfessional
    scope: str
    mode: AuthMode
    message: str
    end: float
    interval: float
    next_poll: float
    notification: str = ""
    approved: bool = False
    refused: bool = False
