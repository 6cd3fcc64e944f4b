"""The authorities behind the cards and the body of a scenario, and what they publish of the cards met in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography import x509

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.formats.fse.securing.verifying import Anchors, Verifier
from bifente.simulator.pki.authority import Authority, Revocation
from bifente.simulator.pki.body_certificates import BodyIdentity
from bifente.simulator.services.frontal.laboratory import anchors, identity
from bifente.simulator.zones import named

_AMC = 109


class RelyingParty:
    """What a relying party of one scenario believes and knows."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._met: dict[str, SeatedCard] = {}

    @property
    def anchors(self) -> Anchors:
        """The authorities of professionals' cards and of Vitale cards."""
        return _anchors(self._bench.workshop)

    @property
    def body(self) -> BodyIdentity:
        """What the front end, which stands for every body, opens files with."""
        return _body(self._bench.workshop)

    @property
    def signature(self) -> BodyIdentity:
        """What the front end signs its returns with, if it does."""
        return _body(self._bench.workshop, signs=True)

    def body_of(self, generation: int) -> BodyIdentity:
        """What the front end opens files with after so many changes of its keys."""
        return _body(self._bench.workshop, generation=generation)

    @property
    def revocations(self) -> tuple[x509.CertificateRevocationList, ...]:
        """The lists that the authorities publish now, of the cards that were met here."""
        now = self._bench.now().replace(microsecond=0)
        made = [card.made_as(PersonalisedCard) or card.made_as(PersonalisedVitale) for card in self.meet()]
        return tuple(_list(one.authority, one.revocations, now) for one in made if one is not None)

    @property
    def verifier(self) -> Verifier:
        """Checks sheets as a relying party does now."""
        return Verifier(self.anchors, self.revocations)

    @property
    def opposed(self) -> frozenset[str]:
        """The serial numbers of the opposed Vitale cards that were met here."""
        return frozenset(vitale.serial for vitale in self._vitales() if vitale.opposed)

    @property
    def members(self) -> frozenset[str]:
        """The member numbers of the complementary insurers on the Vitale cards that were met here."""
        return frozenset(
            fields.get("member-number", "")
            for vitale in self._vitales()
            for fields in (named(group) for group in vitale.groups if group.id == _AMC)
        )

    def _vitales(self) -> Iterator[PersonalisedVitale]:
        for card in self.meet():
            if (vitale := card.made_as(PersonalisedVitale)) is not None:
                yield vitale

    def meet(self) -> Sequence[SeatedCard]:
        """Every card that was in a slot of the scenario so far: authorities know them all."""
        for card in self._bench.seated.values():
            self._met[str(card.facts.get("serial", id(card)))] = card
        return tuple(self._met.values())


# The same from one scenario to the next: every one of them costs RSA signatures.


@lru_cache(maxsize=4)
def _anchors(workshop: Workshop) -> Anchors:
    return anchors(workshop.keys)


@lru_cache(maxsize=12)
def _body(workshop: Workshop, *, signs: bool = False, generation: int = 1) -> BodyIdentity:
    return identity(workshop.keys, signs=signs, generation=generation)


@lru_cache(maxsize=64)
def _list(authority: Authority, revocations: tuple[Revocation, ...], now: datetime) -> x509.CertificateRevocationList:
    return authority.crl(revocations, at=now)
