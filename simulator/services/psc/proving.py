"""How a client proves who it is: by its secret, its certificate (RFC 8705), or an assertion (RFC 7523)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import unquote_plus

from bifente.simulator.pki.judging import Chain
from bifente.simulator.services.psc import troubles
from bifente.simulator.services.psc.assertions import ASSERTION_TYPE, AssertionJudge, ClientAssertion, refused
from bifente.simulator.services.psc.errors import bad_client
from bifente.simulator.services.psc.model import RegisteredClient, Space
from bifente.simulator.services.psc.state import ProviderState


class ClientProof:
    """Lets in the client that a request is of."""

    def __init__(self, state: ProviderState) -> None:
        self._state = state
        self._assertions = AssertionJudge(state)

    def client(self, form: Mapping[str, str], authorization: str | None, chain: Chain) -> RegisteredClient:
        """Return the client that proved who it is, by the method it was registered with. Raise OAuthError."""
        if "client_assertion" in form or "client_assertion_type" in form:
            return self._asserted(form)
        identifier, secret = self._credentials(form, authorization)
        client = self._registered(identifier)
        if client.authentication is not None:
            self._refuse_method(client)
        if secret is not None and client.space is not Space.CONFIANCE and client.secret is not None:
            if not hmac.compare_digest(secret.encode(), client.secret.encode()):
                raise bad_client()
            return client
        if client.subject is None or not self._is_certificate_of(client, chain):
            raise bad_client()
        return client

    def _asserted(self, form: Mapping[str, str]) -> RegisteredClient:
        kind = form.get("client_assertion_type")
        if kind is None:
            raise refused("Parameter client_assertion_type is missing")
        if kind != ASSERTION_TYPE:
            raise refused(
                f"Parameter client_assertion_type has value '{kind[:100]}' but expected is '{ASSERTION_TYPE}'"
            )
        if "client_assertion" not in form:
            raise refused("client_assertion parameter missing")
        assertion = ClientAssertion(form["client_assertion"])
        client = self._registered(assertion.client(form))
        if client.authentication is None:
            self._refuse_method(client)
        self._assertions.judge(client, assertion)
        return client

    def _registered(self, identifier: str) -> RegisteredClient:
        client = self._state.registry.client(identifier)
        if client is None:
            raise bad_client("invalid_client")
        if self._state.suffers(troubles.CLIENT_REFUSED, client=client.id):
            raise bad_client()
        return client

    def _refuse_method(self, client: RegisteredClient) -> NoReturn:
        self._state.conduct.note(client.id, "client-method")
        raise bad_client()

    def _is_certificate_of(self, client: RegisteredClient, chain: Chain) -> bool:
        from cryptography.x509.oid import NameOID

        if not chain or self._state.believes(chain) is not None:
            return False
        names = chain[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return [name.value for name in names] == [client.subject]

    @staticmethod
    def _credentials(form: Mapping[str, str], authorization: str | None) -> tuple[str, str | None]:
        if authorization is not None and authorization[:6].lower() == "basic ":
            try:
                plain = base64.b64decode(authorization[6:], validate=True).decode()
            except ValueError:
                raise bad_client("invalid_client") from None
            identifier, colon, secret = plain.partition(":")
            if not colon:
                raise bad_client("invalid_client")
            # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
            return unquote_plus(identifier), unquote_plus(secret)
        if "client_id" not in form:
            raise bad_client("invalid_client")
        return form["client_id"], form.get("client_secret")
