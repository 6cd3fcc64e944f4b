"""The provider as a bench serves it: its hosts behind one application, its faults, its laboratory state."""

from __future__ import annotations

import random as randomness
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.pki.judging import Chain
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.services.psc.addresses import Addresses
from bifente.simulator.services.psc.api import ConnectedApi
from bifente.simulator.services.psc.authorization import Authorization
from bifente.simulator.services.psc.backchannel import Backchannel
from bifente.simulator.services.psc.bearing import Bearing
from bifente.simulator.services.psc.conduct import ConductFinding
from bifente.simulator.services.psc.delegation import Delegation
from bifente.simulator.services.psc.ecps import Notification
from bifente.simulator.services.psc.expiring import Expiring
from bifente.simulator.services.psc.grants import Grants
from bifente.simulator.services.psc.leaving import Leaving
from bifente.simulator.services.psc.model import ListedProfessional, Registry, laboratory
from bifente.simulator.services.psc.parameters import PscParameters
from bifente.simulator.services.psc.proving import ClientProof
from bifente.simulator.services.psc.requests import secrets_in
from bifente.simulator.services.psc.sessions import LoginAttempt
from bifente.simulator.services.psc.state import CertificateCheck, ProviderState
from bifente.simulator.services.psc.troubles import TROUBLES
from bifente.simulator.serving.pages import Pages
from bifente.simulator.serving.service import Asgi, Declare, Service, ServiceError, to_nobody


def believes_nobody(chain: Chain) -> str | None:
    """Believe no certificate: for a provider that was told of no authority."""
    del chain
    return "aucune autorité n'est reconnue"


class PscService(Service):
    """Pro Santé Connect. ``believes`` judges the certificates of clients and cards."""

    name = "psc"
    title = Text("Pro Santé Connect", "Pro Santé Connect")
    offered = TROUBLES

    def __init__(
        self,
        clock: Clock,
        keys: KeySource,
        chance: randomness.Random,
        registry: Registry | None = None,
        parameters: PscParameters | None = None,
        addresses: Addresses | None = None,
        *,
        declare: Declare = to_nobody,
        believes: CertificateCheck = believes_nobody,
    ) -> None:
        super().__init__(declare)
        registry = registry or laboratory()
        for client in registry.clients:
            if client.secret is not None:
                declare(client.secret)
        self.core = ProviderState(
            clock,
            registry,
            parameters or PscParameters(),
            addresses or Addresses(),
            keys,
            chance,
            declare,
            self.suffers,
            believes,
        )
        self.pages = Pages(Path(__file__).parent / "pages")
        self.authorization = Authorization(self.core)
        self.backchannel = Backchannel(self.core)
        self.proof = ClientProof(self.core)
        self.grants = Grants(self.core, self.backchannel)
        self.bearing = Bearing(self.core)
        self.leaving = Leaving(self.core)
        self.api = ConnectedApi(self.core, self.bearing)
        self.delegation = Delegation(self.core)
        self.notified: Expiring[Notification] = Expiring(clock)

    @cached_property
    def application(self) -> Asgi:
        """Return its ASGI application."""
        from bifente.simulator.services.psc.app import application

        return application(self)

    def learn(self, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Declare tokens, cookies, codes and secrets, right or forged."""
        for secret in secrets_in(headers, body):
            self.declare(secret)

    def state(self) -> Mapping[str, Any]:
        """Return ``sessions`` (open now), ``phones`` by device, ``findings`` by client, ``unlisted`` professionals."""
        state = self.core
        return {
            "sessions": [
                {"user": one.professional.id, "mode": one.mode.value, "clients": sorted(one.uses)}
                for sid in list(state.sessions)
                if (one := state.session(sid)) is not None
            ],
            "phones": {
                one.device: {"owner": one.owner, "activation": one.activation.value}
                for one in list(state.ecps.phones.values())
            },
            "findings": {
                client.id: {found.rule.id: found.times for found in state.conduct.findings(client.id)}
                for client in state.registry.clients
            },
            "unlisted": [one.id for one in state.registry.professionals if not one.listed],
        }

    def set_state(self, changes: Mapping[str, Any]) -> None:
        """Set ``unlisted``: the professionals whom the directory does not have. Raise ServiceError."""
        for key in changes:
            if key != "unlisted":
                raise ServiceError(f"psc: no state {key!r} can be set; it has unlisted")
        if "unlisted" in changes:
            registry, absent = self.core.registry, set(changes["unlisted"])
            known = {one.id for one in registry.professionals}
            if strangers := sorted(absent - known):
                raise ServiceError(f"psc: no professional {strangers[0]!r} is registered")
            people = tuple(one.model_copy(update={"listed": one.id not in absent}) for one in registry.professionals)
            self.core.registry = registry.model_copy(update={"professionals": people})

    def professional(self, identifier: str) -> ListedProfessional:
        """Return a registered professional. Raise ServiceError."""
        found = self.core.registry.professional(identifier)
        if found is None:
            raise ServiceError(f"psc: no professional {identifier!r} is registered")
        return found

    def findings(self, client: str) -> tuple[ConductFinding, ...]:
        """Return what is to be said of a client; a session that is still open counts, so ask when it is done."""
        state = self.core
        found = state.conduct.findings(client)
        open_now = sum(client in one.uses for one in state.sessions.values())
        if not open_now:
            return found
        from bifente.simulator.services.psc.conduct import conduct_rules

        return (*found, ConductFinding(client, conduct_rules()["logout-missing"], open_now))

    # -- what its faces share ------------------------------------------------------------------------------------------

    def notification(self, attempt: LoginAttempt) -> Notification | None:
        """Return the notification that a login waits for."""
        return self.notified.get(attempt.key)

    def forget_notification(self, attempt: LoginAttempt) -> None:
        """Wait for it no longer."""
        self.notified.pop(attempt.key)
        attempt.notification = ""

    def logout_page(self, given: Mapping[str, str]) -> str:
        """Return the page where the user of a browser confirms a logout."""
        kept = {key: value for key, value in given.items() if key in ("client_id", "post_logout_redirect_uri", "state")}
        return f"{self.core.addresses.wallet}/logout-confirm?{urlencode(kept)}"

    def token_in_url(self, token: str) -> None:
        """Note that a client put a token into an address; the token is secret, wherever it was."""
        from bifente.simulator.formats.jose.refusals import SealError

        if len(token) >= 8:
            self.declare(token)
        try:
            client = str(self.core.mint.read(token).get("azp"))
        except SealError:
            return
        self.core.conduct.note(client, "token-in-url")
