"""What the tests of the SSV functions share: real cards of ours in slots of an in-process PC/SC service."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.ground.clock import VirtualClock
from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import PersonalisedCard, personalise
from bifente.simulator.cards.families import make_card
from bifente.simulator.cards.vitale.loading import shipped_vitale
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale, personalise_vitale
from bifente.simulator.iso7816.card import Card
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.ssv import Answer, Ssv
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeyStore, OtherKeys
from bifente.simulator.readers import LineError, PcscCode, PcscService, Reader
from bifente.simulator.zones import named

AT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
TODAY = "20260303"
PIN = "1234"
CPS_SLOT, VITALE_SLOT, THIRD_SLOT = "Bench TL 1 0", "Bench TL 2 0", "Bench TL 3 0"


class SharedKeys:
    """Real keys, but all cards of a kind share one: making them would be most of the test time."""

    def __init__(self) -> None:
        self._keys = OtherKeys(KeyStore(), "tests")

    def key(self, name: str, size: int = 2048) -> RSAPrivateKey:
        return self._keys.key(name.rsplit("/", 1)[-1] if name.startswith("card/") else name, size)


@cache
def keys() -> SharedKeys:
    return SharedKeys()


@cache
def pki() -> Pki:
    return Pki(keys())


@cache
def _cps(template: str, overrides: str) -> PersonalisedCard:
    return personalise(
        shipped_templates()[template], keys(), at=AT.date(), overrides=json.loads(overrides) or None, pki=pki()
    )


@cache
def _vitale(template: str, overrides: str) -> PersonalisedVitale:
    return personalise_vitale(
        shipped_vitale()[template], keys(), at=AT.date(), overrides=json.loads(overrides) or None, pki=pki()
    )


def cps_data(template: str = "medecin-generaliste", **overrides: Any) -> PersonalisedCard:
    return _cps(template, json.dumps(overrides))


def vitale_data(template: str = "assure-seul", **overrides: Any) -> PersonalisedVitale:
    return _vitale(template, json.dumps(overrides))


def cps(template: str = "medecin-generaliste", **overrides: Any) -> Card:
    """A fresh professional's card."""
    data = cps_data(template, **overrides)
    return make_card(data.image, random=Random(1).randbytes)  # type: ignore[no-any-return]


def vitale(template: str = "assure-seul", **overrides: Any) -> Card:
    """A fresh Vitale of the template's generation."""
    image = vitale_data(template, **overrides).image
    return make_card(image, random=Random(2).randbytes)  # type: ignore[no-any-return]


class Desk:
    """A two-slot reader (three with ``third``), its PC/SC service, and an initialised SSV in Full PC/SC mode."""

    def __init__(
        self, cps_card: Card | None = None, vitale_card: Card | None = None, third: Card | None = None
    ) -> None:
        self.clock = VirtualClock(AT)
        names = [CPS_SLOT, VITALE_SLOT] + ([THIRD_SLOT] if third else [])
        self.reader = Reader.of("Bench", names, self.clock)
        self.slots = dict(zip(names, self.reader.slots, strict=True))
        for slot, card in zip(self.reader.slots, (cps_card, vitale_card, third), strict=False):
            if card is not None:
                slot.insert(card)
        self.service = PcscService([self.reader], self.clock)
        self.access = self.service.establish()
        self.resources = FullPcsc(self.access, self.clock)
        self.ssv = self.library()
        self.ssv.init_lib()

    @property
    def cps_slot(self) -> Any:
        return self.slots[CPS_SLOT]

    @property
    def vitale_slot(self) -> Any:
        return self.slots[VITALE_SLOT]

    def library(self, **options: Any) -> Ssv:
        return Ssv(self.resources, self.clock, random=Random(3).randbytes, **options)

    def rights(self, code: str = PIN, consultation: str = TODAY) -> Answer:
        return self.ssv.lire_droits_vitale("CPS", "Log_SV", code, consultation)

    def holder(self, code: str = PIN) -> Answer:
        return self.ssv.lire_carte_ps("CPS", "Log_SV", code)


def ids(answer: Answer) -> list[int]:
    return [group.id for group in answer.groups]


def fields(answer: Answer, number: int) -> list[Mapping[str, str]]:
    """The fields by name of every group of a number."""
    return [named(group) for group in answer.groups if group.id == number]


class Strike:
    """An interference (the ``Interference`` protocol) that does something else with chosen commands.

    ``what(index, command, answer)`` gives the answer the reader gets, or raises LineError; ``seen`` are the commands.
    """

    def __init__(self, what: Callable[[int, bytes, Callable[[], bytes]], bytes]) -> None:
        self._what = what
        self.seen: list[bytes] = []

    def exchange(self, card: Card, command: bytes) -> bytes:
        self.seen.append(command)
        return self._what(len(self.seen) - 1, command, lambda: card.transmit(command))

    def power_on(self, card: Card) -> bytes:
        return card.power_on()


def broken(code: PcscCode = PcscCode.COMM_ERROR) -> LineError:
    return LineError(code)
