"""Cards for the tests: keys are generated once a session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import pytest
from card_driver import CHIPDOC, CONTENTS, CPS4_CONTENTS, PIN, PUK, Driver, Maker
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import PersonalisedCard, personalise
from bifente.simulator.cards.families import make_card
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import CardImage
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeySource


@pytest.fixture(scope="session")
def keys() -> dict[str, RSAPrivateKey]:
    return {
        name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in ("signature", "authentication")
    }


@pytest.fixture(scope="session")
def layout() -> Layout:
    return Layout.load("cps3")


@pytest.fixture(scope="session")
def image(layout: Layout, keys: dict[str, RSAPrivateKey]) -> CardImage:
    return layout.fill(contents=CONTENTS, codes={"pin": PIN, "puk": PUK}, keys=keys)


@pytest.fixture
def drive(image: CardImage) -> Maker:
    """A powered card of this image (or another), its randomness seeded."""

    def start(image: CardImage = image, **arguments: object) -> Driver:
        card = make_card(image, random=Random(1).randbytes, **arguments)  # type: ignore[arg-type]
        card.power_on()
        return Driver(card)

    return start


@pytest.fixture
def card(drive: Maker) -> Driver:
    return drive()


@pytest.fixture(scope="session")
def cps4_layout() -> Layout:
    return Layout.load("cps4")


@pytest.fixture(scope="session")
def cps4_image(cps4_layout: Layout, keys: dict[str, RSAPrivateKey]) -> CardImage:
    return cps4_layout.fill(contents=CPS4_CONTENTS, codes={"pin": PIN, "puk": PUK}, keys=keys)


@pytest.fixture
def drive4(drive: Maker, cps4_image: CardImage) -> Maker:
    """A powered CPS4 whose application is selected on channel 1."""

    def start(image: CardImage = cps4_image, **arguments: object) -> Driver:
        card = Driver(drive(image, **arguments).card, channel=1)
        assert card.sw(f"01A4040C08{CHIPDOC}") == 0x9000
        return card

    return start


@pytest.fixture
def cps4(drive4: Maker) -> Driver:
    return drive4()


AT = date(2026, 3, 3)
CardMaker = Callable[..., PersonalisedCard]


@pytest.fixture(scope="session")
def make(shared_keys: KeySource, pki: Pki) -> CardMaker:
    def make(template: str = "medecin-generaliste", at: date = AT, **overrides: Any) -> PersonalisedCard:
        return personalise(shipped_templates()[template], shared_keys, at=at, overrides=overrides, pki=pki)

    return make
