from __future__ import annotations

from dataclasses import replace

import pytest
from card_driver import CONTACTLESS_APPLICATION, CONTENTS, PIN, PUK, Driver, Maker
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.cards.families import make_card
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import CardImage, DedicatedFile, ElementaryFile, Interface


@pytest.fixture
def wireless(drive: Maker, layout: Layout, keys: dict[str, RSAPrivateKey]) -> Driver:
    codes, own = {"pin": PIN, "puk": PUK}, {**keys, "technical": keys["authentication"]}
    return drive(layout.fill(contents=CONTENTS, codes=codes, keys=own, interface="contactless"))


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
        ("0020000104" + PIN.hex(), 0x6982),
        ("0020000208" + PUK.hex(), 0x6982),
        ("0024000108" + PIN.hex() * 2, 0x6982),
        ("002C020104" + PIN.hex(), 0x6982),
        ("A0A40000023F00", 0x6E00),
    ],
)
def test_the_codes_and_the_other_side_are_out_of_reach(wireless: Driver, apdu: str, sw: int) -> None:
    assert wireless.sw(apdu) == sw
    assert wireless.card.state().secrets["pin"].tries_left == 3


@pytest.mark.parametrize("file", ["5031", "7002", "A001", "A002", "D110", "D121"])
def test_files_of_the_contact_application_are_selected_and_not_read(wireless: Driver, file: str) -> None:
    # CARD-CPS3-CL-03
    assert wireless.sw(f"00A4090C063F000001{file}") == 0x9000
    assert wireless.sw("00B0000000") == 0x6982


def test_holder_data_are_read_and_not_written(wireless: Driver) -> None:
    # CARD-CPS3-CL-09
    wireless.data("00A4090C063F000001D107")
    assert len(wireless.data("00B0000000")) == 256
    assert wireless.sw("00D600000100") == 0x6982


def test_no_key_of_the_holder_works(wireless: Driver) -> None:
    wireless.data("00A4090C043F000001")
    wireless.data("002241B606800142840181")
    assert wireless.sw("002A9E9A20" + "00" * 32 + "00") == 0x6982
    wireless.data("002241A406800102840182")
    assert wireless.sw("0088000004AABBCCDD00") == 0x6982


@pytest.mark.parametrize("data", [b"\x30" * 35, bytes(32), b"1234567"])
def test_the_technical_key_signs_without_a_code(wireless: Driver, keys: dict[str, RSAPrivateKey], data: bytes) -> None:
    # CARD-CPS3-CL-08: in the folder that its directory says it lies in, and nothing but this.
    wireless.data("00A4090C043F000002")
    assert wireless.sw("002241A406800102840183") == 0x6A88
    wireless.data("00A4090C043F000001")
    wireless.data("002241A406800102840183")
    signature = wireless.data(f"00880000{len(data):02X}{data.hex()}00")
    numbers = keys["authentication"].public_key().public_numbers()
    block = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(256, "big")
    assert block == b"\x00\x01" + b"\xff" * (253 - len(data)) + b"\x00" + data
    wireless.data("002241B606800142840183")
    assert wireless.sw("002A9E9A20" + "00" * 32 + "00") == 0x6982
    wireless.data("002241B80680011A840183")
    assert wireless.sw("102A8086FF81" + "00" * 254) == 0x9000
    assert wireless.sw("002A808602000000") == 0x6982


def test_protected_files_stay_shut_even_where_their_folder_shows(drive: Maker, image: CardImage) -> None:
    def show(file: ElementaryFile | DedicatedFile) -> ElementaryFile | DedicatedFile:
        if isinstance(file, ElementaryFile):
            return file
        return replace(file, only=None, children=tuple(show(child) for child in file.children))

    volumes = {name: show(tree) for name, tree in image.volumes.items()}
    secrets = tuple(replace(secret, contactless_acl=None) for secret in image.secrets)
    card = drive(replace(image, volumes=volumes, secrets=secrets, interface=Interface.CONTACTLESS))
    card.login()
    card.data("00A4090C063F000001D121")
    assert card.sw("00B0000022") == 0x6982
    card.data("00A4090C063F000001D107")
    assert card.sw("00D600000100") == 0x6982
    card.data("A0A40000024010")
    assert card.sw("A0B0000022") == 0x6982


def test_a_card_is_made_by_its_family_name(image: CardImage) -> None:
    assert make_card(image).atr == image.atr
    with pytest.raises(ValueError, match="no card family is named cps9"):
        make_card(replace(image, family="cps9"))
