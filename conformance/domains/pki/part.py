"""The PKI of one scenario: its service, its revocations, and judges that ask it.

Any domain whose service looks at certificates stands on it::

    pki = scene.part(PkiOfScene)
    clients = ClientCertificates(pki.judge(by="ocsp"), peer=service.name, hear=scene.hear)
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Literal

import httpx

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.scene import Scene
from bifente.ground.clock import Clock
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.pki.authority import Branch, Pki
from bifente.simulator.pki.judging import CertificateJudge, Purpose, StatusSource, authorities_of
from bifente.simulator.pki.keystore import OtherKeys
from bifente.simulator.pki.revocation import CrlSource, Fetch, OcspSource, SourcesInTurn
from bifente.simulator.services.pki import PkiService
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.fetching import fetching
from bifente.simulator.serving.recording import Hear, recorded
from bifente.simulator.serving.tls import ServerIdentity

By = Literal["ocsp", "crl", "crl-and-delta", "ocsp-then-crl", "none"]
"""How the status of a certificate is asked; ocsp-then-crl: of the list where the responder has nothing to say."""


class PkiOfScene:
    """Everything is made when it is first needed. A card that came revoked is so at the service too."""

    def __init__(self, workshop: Workshop, clock: Clock, hear: Hear, made: Iterable[PersonalisedCard]) -> None:
        self.workshop = workshop
        self.clock = clock
        self._hear = hear
        self._cards = tuple(made)
        self._callers: list[httpx.Client] = []

    @classmethod
    def of(cls, scene: Scene) -> PkiOfScene:
        """Return the PKI of a scene."""
        seated = (card.made_as(PersonalisedCard) for card in scene.bench.seated.values())
        return cls(scene.bench.workshop, scene.bench.clock, scene.hear, [card for card in seated if card is not None])

    def close(self) -> None:
        """Close what asked the service."""
        for caller in self._callers:
            caller.close()

    @property
    def authorities(self) -> Pki:
        """The laboratory's authorities."""
        return self.workshop.pki

    @cached_property
    def foreign(self) -> Pki:
        """Authorities of the same names under other keys."""
        return Pki(OtherKeys(self.workshop.keys, "foreign"))

    @cached_property
    def service(self) -> PkiService:
        """The points that certificates name."""
        service = PkiService(self.authorities, self.foreign, self.clock)
        for card in self._cards:
            service.register.add(card.authority, card.revocations)
        return service

    def fetch(self, url: str, body: bytes | None) -> bytes:
        """Return a list or an answer; what passes is in the record. Raise FetchError."""
        return self._fetch(url, body)

    @cached_property
    def _fetch(self) -> Fetch:
        caller = in_process(recorded(self.service, self.clock, self._hear))
        self._callers.append(caller)
        return fetching(caller, self.clock)

    @cached_property
    def server_identity(self) -> ServerIdentity:
        """What a service of this scene shows."""
        return ServerIdentity.make(self.authorities, self.workshop.keys, self.clock.now())

    def source(self, by: By, *, soft: bool = False) -> StatusSource | None:
        """Return where a status is had; ``soft`` accepts one that cannot be had."""
        if by == "none":
            return None
        if by == "ocsp":
            return OcspSource(self.fetch, soft)
        if by == "ocsp-then-crl":
            return SourcesInTurn((OcspSource(self.fetch), CrlSource(self.fetch, delta=True, soft=soft)))
        return CrlSource(self.fetch, by == "crl-and-delta", soft)

    def judge(
        self,
        by: By = "ocsp",
        purpose: Purpose = Purpose.CLIENT,
        branches: Iterable[Branch] = Branch,
        *,
        soft: bool = False,
    ) -> CertificateJudge:
        """Return a judge at the clock of the bench."""
        trusted = authorities_of(self.authorities, branches=branches)
        return CertificateJudge(trusted, self.clock, purpose, self.source(by, soft=soft))
