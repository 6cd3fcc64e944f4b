"""What a scenario of Pro Santé Connect has at hand: the provider, browsers, phones, the software of its clients."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import httpx
from joserfc.jwk import OctKey, RSAKey

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.pki.part import PkiOfScene
from bifente.conformance.domains.psc.browser import PscBrowser
from bifente.conformance.domains.psc.calling import caller
from bifente.conformance.domains.psc.certificates import organisation_certificate
from bifente.conformance.domains.psc.forgery import client_assertion, forged, resigned
from bifente.conformance.domains.psc.section import PscSection
from bifente.conformance.domains.psc.vocabulary import WORKSTATION, TokenForgery
from bifente.ground.clock import Clock
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.judging import CertificateJudge, Chain
from bifente.simulator.services.psc.model import RegisteredClient
from bifente.simulator.services.psc.service import PscService
from bifente.simulator.services.psc.tokens import TokenMint
from bifente.simulator.serving.client_certificates import ClientCertificates
from bifente.simulator.serving.handshake.calling import InProcessTls
from bifente.simulator.serving.handshake.front import TlsFront
from bifente.simulator.serving.handshake.keys import TlsIdentity
from bifente.simulator.serving.handshake.terms import LPS, WEB
from bifente.simulator.serving.recording import Hear, recorded
from bifente.simulator.serving.service import Asgi, Declare
from bifente.simulator.serving.tls import ServerIdentity
from bifente.simulator.software.relying_party.client import OpenIdClient, OpenIdSettings

STRANGER = "hors-igc-"


class PscBench:
    """The provider and everything around it, fresh for each scenario."""

    def __init__(
        self,
        section: PscSection,
        clock: Clock,
        chance: random.Random,
        workshop: Workshop,
        declare: Declare,
        hear: Hear,
        judge: CertificateJudge,
        strangers: Pki,
    ) -> None:
        self.clock = clock
        self._pki = workshop.pki
        self._strangers = strangers
        self._keys = workshop.keys
        self._askers = ClientCertificates(judge, required=False, peer=PscService.name, hear=hear)
        self._declare = declare
        self._chance = chance
        self.service = PscService(
            clock,
            self._keys,
            chance,
            section.registry(),
            section.parameters(),
            declare=declare,
            believes=judge.complaint,
        )
        self.application: Asgi = recorded(self.service, clock, hear)
        self._browsers: dict[str, PscBrowser] = {}
        self._clients: dict[str, OpenIdClient] = {}
        self._chains: dict[str, Chain] = {}

    @classmethod
    def of(cls, scene: Scene) -> Self:
        """Return the provider of a scene, whose messages are told."""
        section = scene.section(PscSection) or PscSection()
        bench, pki = scene.bench, scene.part(PkiOfScene)
        judge = pki.judge(by="ocsp-then-crl")
        return cls(section, bench.clock, scene.random, bench.workshop, scene.declare, scene.hear, judge, pki.foreign)

    def browser(self, name: str = WORKSTATION) -> PscBrowser:
        """Return the browser of this name, a new one if it was never used."""
        if name not in self._browsers:
            self._browsers[name] = PscBrowser(self.application, self.service.core.addresses)
        return self._browsers[name]

    def registered(self, client: str) -> RegisteredClient:
        """Return a registered client. Raise LookupError."""
        found = self.service.core.registry.client(client)
        if found is None:
            raise LookupError(f"no client {client!r} is registered")
        return found

    def client(self, client: str) -> OpenIdClient:
        """Return the software of a registered client."""
        if client not in self._clients:
            known = self.registered(client)
            settings = OpenIdSettings(
                client=known.id,
                secret=known.secret,
                redirect_uri=known.redirect_uris[0],
                logout_uri=known.post_logout_redirect_uris[0],
                discovery=self.service.core.addresses.discovery,
                algorithm=known.id_token,
            )
            self._clients[client] = OpenIdClient(
                settings, self.caller(self.chain_of(known)), self.clock, self._chance.randbytes, self._declare
            )
        return self._clients[client]

    def chain_of(self, client: RegisteredClient) -> Chain:
        """Return the certificate that a client proves itself by; nothing for one that has a secret."""
        return self.organisation(client.subject) if client.subject is not None else ()

    def organisation(self, name: str) -> Chain:
        """Return an organisation's client certificate, by its common name: of the laboratory's authority, or, behind
        ``hors-igc-``, of another that bears the same name.
        """
        if name not in self._chains:
            pki = self._strangers if name.startswith(STRANGER) else self._pki
            key = self._keys.key(f"psc/organisation/{name}").public_key()
            common_name = name.removeprefix(STRANGER)
            self._chains[name] = organisation_certificate(pki, key, self.clock.now(), common_name)
        return self._chains[name]

    def with_card(self, identity: TlsIdentity | None) -> httpx.Client:
        """Return a caller that shakes hands with the host of the card, by a key that a card holds."""
        front = TlsFront(self._server, self._askers, LPS)
        return httpx.Client(transport=InProcessTls(self.application, front, None, identity, WEB))

    @cached_property
    def _server(self) -> ServerIdentity:
        return ServerIdentity.make(self._pki, self._keys, self.clock.now())

    def caller(self, chain: Chain = ()) -> httpx.Client:
        """Return a caller of the provider that shows a certificate."""
        return caller(self.application, chain)

    def forged(self, token: str, how: TokenForgery | None, of: str = "psc") -> str:
        """Return a token broken in one way, or as it is; ``of`` says whose keys it is of: psc, idp, api."""
        return token if how is None else forged(token, how, self._mint(of).jwks)

    def assertion(
        self, client: str, secret: str | None, changes: Mapping[str, Any], how: TokenForgery | None = None
    ) -> str:
        """Return an assertion of a client: signed with its secret, or with the key that the bench made for it."""
        key = RSAKey.import_key(self._keys.key(f"psc/client/{client}"))
        own = key if secret is None else OctKey.import_key(secret.encode())
        core = self.service.core
        said = {"aud": core.addresses.issuer, "iat": int(core.now), "jti": self._chance.randbytes(16).hex()}
        signed = client_assertion(client, own, said, changes)
        if how is not None:
            public = {**key.as_dict(private=False), "kid": client}
            signed = forged(signed, how, {"keys": [public]})
        self._declare(signed)
        return signed

    def resigned(self, token: str, changes: Mapping[str, Any], of: str = "psc", secret: str | None = None) -> str:
        """Return a token as the provider would have signed it with other claims."""
        return resigned(token, changes, self._mint(of), secret)

    def _mint(self, of: str) -> TokenMint:
        core = self.service.core
        return {"psc": core.mint, "idp": core.idp_mint, "api": core.api_mint}[of]

    def bearer(self, token: str) -> Mapping[str, str]:
        """Return the header of a token."""
        return {"authorization": f"Bearer {token}"}

    def close(self) -> None:
        """Nothing stays open."""
