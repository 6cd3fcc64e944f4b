"""What the cards of one image share is only what never changes; and it goes with the image."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest
from card_driver import CONTENTS, PIN, Driver, Maker
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.cards.cps3.engine import TABLES
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.access import AccessRuleError
from bifente.simulator.iso7816.blueprint import blueprint
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.image import CardImage, DedicatedFile, Interface

WRONG, ASK = "002000010430303030", "00200001"
CPS_DATA_FILE = "00A4090C063F000001D107"


def test_two_cards_of_one_image_share_no_counter_no_code_and_no_content(drive: Maker) -> None:
    one, other = drive(), drive()
    assert one.sw(WRONG) == 0x63C2
    assert other.sw(ASK) == 0x63C3
    one.login()
    assert (one.sw(ASK), other.sw(ASK)) == (0x9000, 0x63C3)
    one.data(CPS_DATA_FILE)
    one.data("00D6000002CAFE")
    other.data(CPS_DATA_FILE)
    assert (one.data("00B0000002"), other.data("00B0000002")) == (b"\xca\xfe", b"\0\0")
    one.data(f"0024000108{PIN.hex()}34333231")
    other.login()
    assert drive().sw(ASK) == 0x63C3


def test_two_cards_of_one_image_stand_where_their_own_commands_led(drive: Maker) -> None:
    one, other = drive(), drive()
    one.data("00A4090C063F000001A001")
    assert one.data("00B0000002") == CONTENTS["EF.C.SIG"][:2]
    assert other.sw("00B0000002") == 0x6986


def test_an_image_with_one_thing_changed_is_another_card(drive: Maker, image: CardImage) -> None:
    drive()
    pin, puk = image.secrets
    assert drive(replace(image, secrets=(replace(pin, tries_left=1), puk))).sw(ASK) == 0x63C1
    assert drive().card.strict_lengths
    assert not drive(replace(image, atr=bytes.fromhex("3B800181"))).card.strict_lengths
    assert drive().sw("A0A40000023F00") == 0x9000
    assert drive(replace(image, interface=Interface.CONTACTLESS)).sw("A0A40000023F00") == 0x6E00
    emptied = {name: replace(tree, children=()) for name, tree in image.volumes.items()}
    assert drive(replace(image, volumes=emptied)).sw(CPS_DATA_FILE) == 0x6A82
    assert drive().sw(CPS_DATA_FILE) == 0x9000


def test_another_family_makes_another_card_of_an_image(image: CardImage) -> None:
    mute = replace(TABLES, classes={})
    assert SmartCard(image, TABLES).transmit(b"\x00\xa4\x00\x0c").hex() == "9000"
    assert SmartCard(image, mute).transmit(b"\x00\xa4\x00\x0c").hex() == "6e00"
    assert SmartCard(image, TABLES).transmit(b"\x00\xa4\x00\x0c").hex() == "9000"


def test_an_image_that_cannot_be_a_card_is_refused_each_time(image: CardImage) -> None:
    pin, puk = image.secrets
    wrong = replace(image, secrets=(replace(pin, acl=b"\xff"), puk))
    for _ in range(2):
        with pytest.raises(AccessRuleError):
            SmartCard(wrong, TABLES)


def test_nothing_of_a_card_outlives_its_image(layout: Layout, keys: dict[str, RSAPrivateKey]) -> None:
    image = layout.fill(contents=CONTENTS, codes={"pin": PIN, "puk": b"12345678"}, keys=keys)
    trees = blueprint(image, TABLES).volumes
    assert blueprint(image, TABLES).volumes is trees
    assert Driver(SmartCard(image, TABLES)).sw(ASK) == 0x63C3
    gone = weakref.ref(image)
    del image
    gc.collect()
    assert gone() is None
    assert isinstance(trees["ias"].root.file, DedicatedFile)
