"""Where the provider answers: two hosts that are known, and three of ours (sources#psc-documentation)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

REALM = "esante-wallet"
REALM_PATH = f"/auth/realms/{REALM}"
PROTOCOL_PATH = f"{REALM_PATH}/protocol/openid-connect"
DISCOVERY_PATH = f"{REALM_PATH}/.well-known/wallet-openid-configuration"
STANDARD_DISCOVERY_PATH = f"{REALM_PATH}/.well-known/openid-configuration"


class Face(StrEnum):
    """A host of the provider. ``wallet`` has the pages, ``auth`` the protocol; the name of ``mtls`` is not public;
    ``api`` stands for any API behind a token exchange, ``idp`` for an establishment's own identity provider.
    """

    WALLET = "wallet"
    AUTH = "auth"
    MTLS = "mtls"
    API = "api"
    IDP = "idp"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The base URL of each host, without a final slash; the defaults are names that exist nowhere (RFC 6761)."""

    wallet: str = "https://wallet.psc.bifente.test"
    auth: str = "https://auth.psc.bifente.test"
    mtls: str = "https://mtls.psc.bifente.test"
    api: str = "https://api.psc.bifente.test"
    idp: str = "https://idp.psc.bifente.test"

    @property
    def issuer(self) -> str:
        """Who signs the tokens."""
        return f"{self.auth}{REALM_PATH}"

    @property
    def discovery(self) -> str:
        """The document's address."""
        return f"{self.auth}{DISCOVERY_PATH}"

    def protocol(self, name: str) -> str:
        """Return the address of an endpoint of the protocol: ``token``, ``userinfo``, ``certs`` ..."""
        return f"{self.auth}{PROTOCOL_PATH}/{name}"

    def base(self, face: Face) -> str:
        """Return the base URL of a host."""
        return str(getattr(self, face.value))

    def face(self, host: str) -> Face | None:
        """Return which host a ``Host`` header names, None for another one."""
        return _hosts(self).get(host)


@lru_cache(maxsize=16)
def _hosts(addresses: Addresses) -> Mapping[str, Face]:
    """Where two faces share a host, the first of them answers."""
    return {urlsplit(addresses.base(face)).netloc: face for face in reversed(Face)}
