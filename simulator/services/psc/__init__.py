"""Pro Santé Connect: the OpenID provider of the health professionals (sources#psc-documentation, sources#psc-code).

Documented or observed: endpoints and their paths, the discovery document, claims, lifetimes, grants, the channels of
CIBA, the forms of tokens of 2023 and of 2026. Errors have the shape and the words of the Keycloak underneath. Modelled:
the pages, the host that speaks mutual TLS with a card, how a phone is told of a login, the API behind a token exchange,
the confirmation of a delegated login.
"""
