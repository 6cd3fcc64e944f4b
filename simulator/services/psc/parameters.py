"""What the provider is told to be: lifetimes, the form of its tokens, and the switches of a bench."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TokenForm(StrEnum):
    """How its tokens look: two were seen (sources#psc-code)."""

    OF_2023 = "2023"
    """``sub`` is ``f:<uuid>:<national id>``, ``acr`` eidas3, ``session_state`` and ``otherIds`` in the access token."""
    OF_2026 = "2026"
    """``sub`` is a plain UUID, SubjectNameID in the access token, ``jti`` prefixed by its grant."""


class AcrPolicy(StrEnum):
    """What becomes of a request that asks for no eidas1, or for another value."""

    LOWER = "lower"
    """It is served, and the token tells what was reached: the client has to look."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class PscParameters:
    """Lifetimes in seconds (sources#psc-documentation); what is not public is a free choice: ``code``, ``login``.

    ``access`` and ``refresh`` are lives of tokens, ``api`` that of one got by exchange; ``sso_idle`` and ``sso_max``
    end a browser's session; ``ciba`` and ``interval`` are those of a backchannel request; ``slower`` is added to the
    interval of a client that polls too fast (OpenID CIBA Core, section 11).
    """

    access: int = 120
    refresh: int = 1800
    api: int = 3600
    sso_idle: int = 1800
    sso_max: int = 14_400
    code: int = 60
    login: int = 300
    ciba: int = 120
    interval: int = 1
    slower: int = 5
    form: TokenForm = TokenForm.OF_2026
    acr: AcrPolicy = AcrPolicy.LOWER
    standard_discovery: bool = False
    """Whether the document is served below the standard path too: the real provider does not."""
    exchange_once: bool = True
    """Whether an access token serves one exchange only."""
