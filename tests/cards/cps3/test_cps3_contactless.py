from __future__ import annotations

from dataclasses import replace

import pytest
from card_driver import APPLICATION, CONTACTLESS_APPLICATION, CONTENTS, PIN, PUK, Driver, Maker
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.cards.families import make_card
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import CardImage, DedicatedFile, ElementaryFile, Interface


@pytest.fixture
def wireless(drive: Maker, layout: Layout, keys: dict[str, RSAPrivateKey]) -> Driver:
    codes = {"pin": PIN, "puk": PUK}
    return drive(layout.fill(contents=CONTENTS, codes=codes, keys=keys, interface="contactless"))


def test_the_atr_is_that_of_the_contactless_side(wireless: Driver) -> None:
    assert wireless.card.atr.hex().upper() == "3B8F80010031B86404B0ECC1739401808290000E"
    assert wireless.card.state().interface == "contactless"


def test_what_a_real_client_reads_is_there(wireless: Driver) -> None:
    assert wireless.data("00A40904043F00D00300")[:2] == b"\x62\x25"
    assert wireless.data("00B0000000") == CONTENTS["EF.SN"]
    wireless.data("00A40904043F002F0000")
    assert wireless.data("00B0000000") == CONTENTS["EF.DIR"]
    assert wireless.data(f"00A404040D{CONTACTLESS_APPLICATION}00")[:2] == b"\x62\x1f"


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        (f"00A4040C0D{APPLICATION}", 0x6A82),
        ("00A4090C043F000001", 0x6A82),
        ("00A4090C063F000001D120", 0x6A82),
        ("0020000104" + PIN.hex(), 0x6982),
        ("0020000208" + PUK.hex(), 0x6982),
        ("0024000108" + PIN.hex() * 2, 0x6982),
        ("002C020104" + PIN.hex(), 0x6982),
        ("A0A40000023F00", 0x6E00),
    ],
)
def test_the_contact_application_and_its_codes_are_out_of_reach(wireless: Driver, apdu: str, sw: int) -> None:
    assert wireless.sw(apdu) == sw
    assert wireless.card.state().secrets["pin"].tries_left == 3


def test_no_key_works(wireless: Driver) -> None:
    wireless.data("002241B606800142840181")
    assert wireless.sw("002A9E9A20" + "00" * 32 + "00") == 0x6982
    wireless.data("002241A406800102840182")
    assert wireless.sw("0088000004AABBCCDD00") == 0x6982


def test_protected_files_stay_shut_even_where_their_folder_shows(drive: Maker, image: CardImage) -> None:
    def show(file: ElementaryFile | DedicatedFile) -> ElementaryFile | DedicatedFile:
        if isinstance(file, ElementaryFile):
            return file
        return replace(file, only=None, children=tuple(show(child) for child in file.children))

    volumes = {name: show(tree) for name, tree in image.volumes.items()}
    secrets = tuple(replace(secret, contactless_acl=None) for secret in image.secrets)
    card = drive(replace(image, volumes=volumes, secrets=secrets, interface=Interface.CONTACTLESS))
    card.login()
    for path in ("3F000001D120", "3F000001D107"):
        card.data(f"00A4090C06{path}")
        assert card.sw("00B0000022") == 0x6982
    assert card.sw("00D600000100") == 0x6982
    card.data("A0A40000024010")
    assert card.sw("A0B0000022") == 0x6982


def test_a_card_is_made_by_its_family_name(image: CardImage) -> None:
    assert make_card(image).atr == image.atr
    with pytest.raises(ValueError, match="no card family is named cps9"):
        make_card(replace(image, family="cps9"))
