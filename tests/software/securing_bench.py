"""What the tests of securing share: two real cards of ours in a reader, a sheet made of what they hold, the lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from fse_samples import sample_invoice

from bifente.ground.clock import VirtualClock
from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import PersonalisedCard, personalise
from bifente.simulator.cards.families import make_card
from bifente.simulator.cards.vitale.loading import shipped_vitale
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale, personalise_vitale
from bifente.simulator.formats.fse.lots import RawLot, signed_content
from bifente.simulator.formats.fse.model import Invoice, Lot, SecuredInvoice, SecuringMode, Signer
from bifente.simulator.formats.fse.securing.verifying import Anchors, Verifier, verify
from bifente.simulator.iso7816.card import Card
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.keystore import KeyStore, OtherKeys
from bifente.simulator.pki.vitale_authority import VitaleAuthority
from bifente.simulator.readers import PcscService, Reader
from bifente.simulator.services.frontal import lot_checks
from bifente.simulator.software.billing.securing.desk import SecuringDesk

AT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
PIN = "1234"
CPS_SLOT, VITALE_SLOT = "Bench TL 1 0", "Bench TL 2 0"
DOCTOR: tuple[str, dict[str, str]] = ("medecin-generaliste", {})
CPS4_DOCTOR = ("medecin-generaliste", {"family": "cps4"})


class FewKeys:
    """Real keys, made once for each kind: making them would be most of the test time. Two cards of one kind differ in
    their serial numbers and certificates, not in their keys, but for those that a test names ``other``.
    """

    def __init__(self) -> None:
        self._keys = OtherKeys(KeyStore(), "tests")

    def key(self, name: str, size: int = 2048) -> RSAPrivateKey:
        return self._keys.key(name.rsplit("/", 1)[-1] if name.startswith("card/") else name, size)


@cache
def keys() -> FewKeys:
    return FewKeys()


@cache
def pki() -> Pki:
    return Pki(keys())


@cache
def _cps(template: str, overrides: str) -> PersonalisedCard:
    given = json.loads(overrides) or None
    return personalise(shipped_templates()[template], keys(), at=AT.date(), overrides=given, pki=pki())


@cache
def _vitale(template: str, overrides: str) -> PersonalisedVitale:
    given = json.loads(overrides) or None
    return personalise_vitale(shipped_vitale()[template], keys(), at=AT.date(), overrides=given, pki=pki())


def cps_data(template: str = "medecin-generaliste", **overrides: Any) -> PersonalisedCard:
    return _cps(template, json.dumps(overrides))


def vitale_data(template: str = "assure-seul", **overrides: Any) -> PersonalisedVitale:
    return _vitale(template, json.dumps(overrides))


def card_of(data: PersonalisedCard | PersonalisedVitale) -> Card:
    """A fresh card."""
    return make_card(data.image, random=Random(1).randbytes)  # type: ignore[no-any-return]


class Practice:
    """A two-slot reader with both cards, and the signing desk on it."""

    def __init__(
        self, cps: PersonalisedCard | None = None, vitale: PersonalisedVitale | None = None, **options: Any
    ) -> None:
        self.cps, self.vitale = cps or cps_data(), vitale or vitale_data()
        self.clock = VirtualClock(AT)
        names = [CPS_SLOT, VITALE_SLOT]
        self.reader = Reader.of("Bench", names, self.clock)
        self.cps_slot, self.vitale_slot = self.reader.slots
        self.cps_card, self.vitale_card = card_of(self.cps), card_of(self.vitale)
        self.cps_slot.insert(self.cps_card)
        self.vitale_slot.insert(self.vitale_card)
        self.service = PcscService([self.reader], self.clock)
        self.access = self.service.establish()
        self.desk = SecuringDesk(FullPcsc(self.access, self.clock), self.clock, random=Random(3).randbytes, **options)

    def sheet(self, mode: SecuringMode = SecuringMode.SECURED, **changes: Any) -> Invoice:
        return sheet_of_cards(self.cps, self.vitale, mode=mode, on=AT.date(), **changes)

    def secured(self, mode: SecuringMode = SecuringMode.SECURED, **changes: Any) -> SecuredInvoice:
        return self.desk.secure(self.sheet(mode, **changes), PIN, paper=mode is SecuringMode.DEGRADED)

    def tries(self) -> int:
        return self.cps_card.state().secrets["pin"].tries_left  # type: ignore[attr-defined,no-any-return]

    def swap_vitale(self, data: PersonalisedVitale) -> None:
        self.vitale_slot.remove()
        self.vitale_slot.insert(card_of(data))

    def swap_cps(self, data: PersonalisedCard) -> None:
        self.cps_slot.remove()
        self.cps_slot.insert(card_of(data))


def sheet_of_cards(cps: PersonalisedCard, vitale: PersonalisedVitale, **changes: Any) -> Invoice:
    """A sheet of the first situation of one and the insured of the other."""
    sample = sample_invoice(**changes)
    facts, person = cps.facts(), vitale.facts()
    billing = cps.template.billing[0] if cps.template.billing else None
    rights = (billing.signing_rights or 0) if billing else 0
    return replace(
        sample,
        professional=replace(
            sample.professional,
            billing_id=billing.billing_id if billing else sample.professional.billing_id,
            name=facts["family_name"] or "",
            first_name=facts["given_name"] or "",
            rpps=facts["rpps"] or sample.professional.rpps,
            card_number=facts["card_number"],
            may_sign_invoice=bool(rights & 1),
            may_sign_lot=bool(rights & 2),
        ),
        beneficiary=replace(
            sample.beneficiary,
            nir=person["nir"],
            nir_key=person["nir_key"],
            certified_nir=person["beneficiaries"][0]["number"],
            card_serial=person["serial"],
            test=person["mark"] == "T",
        ),
    )


@cache
def anchors() -> Anchors:
    persons = tuple(pki().authority(level, Branch.PERSONNES).certificate for level in CertificateLevel)
    return Anchors(persons, (VitaleAuthority(keys()).certificate,))


def signature_holds(lot: Lot | RawLot) -> bool:
    """Whether a front end finds nothing wrong with the signature of a lot, as it was made or as it was read."""
    if isinstance(lot, RawLot):
        if not all(item.whole for item in lot.items):
            return False
        content = lot.signed
        lot = lot.head
    else:
        content = signed_content(lot)
    return not lot_checks.signed(lot, content, Verifier(anchors()), LATER, (), accused=False, known=None).rejections


def lists(*cards: PersonalisedCard | PersonalisedVitale, at: datetime = LATER) -> list[x509.CertificateRevocationList]:
    """The revocation lists that name these cards."""
    return [card.authority.crl(card.revocations, at=at) for card in cards]


class Strike:
    """An interference that does something else with chosen commands: ``what(command, answer)``."""

    def __init__(self, what: Callable[[bytes, Callable[[], bytes]], bytes]) -> None:
        self._what = what
        self.seen: list[bytes] = []

    def exchange(self, card: Card, command: bytes) -> bytes:
        self.seen.append(command)
        return self._what(command, lambda: card.transmit(command))

    def power_on(self, card: Card) -> bytes:
        return card.power_on()


def codes(secured: SecuredInvoice, at: datetime = LATER, *lists: x509.CertificateRevocationList) -> list[str]:
    """The reasons for which a sheet is refused."""
    return sorted(item.code for item in verify(secured, at, anchors(), lists))


BOTH = frozenset(Signer)
