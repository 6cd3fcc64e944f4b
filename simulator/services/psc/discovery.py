"""The discovery document, in the form of the real one (sources#psc-code): what it advertises is not all true of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from starlette.responses import JSONResponse

from bifente.simulator.services.psc.addresses import Addresses
from bifente.simulator.services.psc.authorization import RESPONSE_MODES, SCOPES
from bifente.simulator.services.psc.grant_types import CIBA, DEVICE

_ASYMMETRIC = [f"{family}{size}" for family in ("PS", "ES", "RS") for size in (256, 384, 512)]
_SIGNATURES = [*_ASYMMETRIC, "HS256", "HS384", "HS512"]
_AUTHENTICATION = [
    "private_key_jwt",
    "client_secret_basic",
    "client_secret_post",
    "tls_client_auth",
    "client_secret_jwt",
]


def document(addresses: Addresses) -> dict[str, Any]:
    """Return the document."""
    endpoints = {
        "token_endpoint": addresses.protocol("token"),
        "introspection_endpoint": addresses.protocol("token/introspect"),
        "userinfo_endpoint": addresses.protocol("userinfo"),
        "revocation_endpoint": addresses.protocol("revoke"),
        "backchannel_authentication_endpoint": addresses.protocol("ext/ciba/auth"),
        "pushed_authorization_request_endpoint": addresses.protocol("ext/par/request"),
        "device_authorization_endpoint": addresses.protocol("auth/device"),
    }
    return {
        "issuer": addresses.issuer,
        "authorization_endpoint": f"{addresses.wallet}/auth",
        "jwks_uri": addresses.protocol("certs"),
        "end_session_endpoint": addresses.protocol("logout"),
        **endpoints,
        "frontchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "grant_types_supported": [
            *("authorization_code", "implicit", "refresh_token", "password", "client_credentials", CIBA),
            DEVICE,
        ],
        "acr_values_supported": ["0", "0"],
        "response_types_supported": [
            *("code", "none", "id_token", "token", "id_token token", "code id_token", "code token"),
            "code id_token token",
        ],
        "response_modes_supported": list(RESPONSE_MODES),
        "subject_types_supported": ["public", "pairwise"],
        "scopes_supported": list(SCOPES),
        "claims_supported": [
            *(
                "aud",
                "sub",
                "iss",
                "auth_time",
                "name",
                "given_name",
                "family_name",
                "preferred_username",
                "email",
                "acr",
            )
        ],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "code_challenge_methods_supported": ["plain", "S256"],
        "id_token_signing_alg_values_supported": _SIGNATURES,
        "userinfo_signing_alg_values_supported": [*_SIGNATURES, "none"],
        "token_endpoint_auth_methods_supported": _AUTHENTICATION,
        "token_endpoint_auth_signing_alg_values_supported": _SIGNATURES,
        "introspection_endpoint_auth_methods_supported": _AUTHENTICATION,
        "introspection_endpoint_auth_signing_alg_values_supported": _SIGNATURES,
        "revocation_endpoint_auth_methods_supported": _AUTHENTICATION,
        "revocation_endpoint_auth_signing_alg_values_supported": _SIGNATURES,
        "backchannel_token_delivery_modes_supported": ["poll", "ping"],
        "backchannel_authentication_request_signing_alg_values_supported": _ASYMMETRIC,
        "tls_client_certificate_bound_access_tokens": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "require_pushed_authorization_requests": False,
        "authorization_response_iss_parameter_supported": True,
        "mtls_endpoint_aliases": endpoints,
    }


@lru_cache(maxsize=16)
def written(addresses: Addresses) -> bytes:
    """Return the document as it is sent: whoever logs in begins by reading it."""
    return bytes(JSONResponse(document(addresses)).body)
