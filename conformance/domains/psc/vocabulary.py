"""Words of the steps that answer without a provider: pages, forgeries, faults of an answer; the way to the bench."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from bifente.conformance.bench.scene import Act

if TYPE_CHECKING:
    from bifente.conformance.domains.psc.part import PscBench

WORKSTATION = "poste-1"


class PscPage(StrEnum):
    """Which page is shown; the value is the word of scenarios."""

    LOGIN = "login"
    WAITING = "waiting"
    CONFIRM = "confirm"
    PROVIDER = "provider"
    MESSAGE = "message"
    RETURNED = "returned"
    """None: the browser was sent back to the client."""
    OTHER = "other"


class TokenForgery(StrEnum):
    """What is wrong with a token; the value is the word of scenarios."""

    ALG_NONE = "alg-none"
    PUBLIC_KEY_AS_SECRET = "public-key-as-secret"  # noqa: S105 - the name of an attack
    OTHER_KEY = "other-key"
    OTHER_ALGORITHM = "other-algorithm"
    KEY_IN_HEADER = "key-in-header"
    UNKNOWN_KEY = "unknown-key"
    CLAIMS_CHANGED = "claims-changed"
    NO_SIGNATURE = "no-signature"
    CUT = "cut"


class AnswerFault(StrEnum):
    """What a provider at fault, or somebody in between, may make of an ID token that is signed all the same."""

    OTHER_AUDIENCE = "other-audience"
    OTHER_PARTY = "other-party"
    OTHER_ISSUER = "other-issuer"
    OTHER_NONCE = "other-nonce"
    NO_NONCE = "no-nonce"
    EXPIRED = "expired"
    OTHER_SUBJECT = "other-subject"
    OTHER_ACCESS_TOKEN = "other-access-token"  # noqa: S105 - the name of a fault
    NO_LEVEL = "no-level"


def psc(act: Act) -> PscBench:
    """Return the provider of a scene and everything around it."""
    # Here, not above: a web framework and signatures come along, which a suite that is only read needs not.
    from bifente.conformance.domains.psc.part import PscBench

    return act.scene.part(PscBench)
