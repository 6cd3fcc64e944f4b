from __future__ import annotations

from dataclasses import replace

import pytest
from card_driver import APPLICATION, CHIPDOC, CPS2TER_AID, CPS4_CONTENTS, PIN, PUK, SECURITY_DOMAIN, Driver, Maker
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.cards.cps3.engine import card as cps3_card
from bifente.simulator.cards.cps4.engine import card as cps4_card
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.atr import Atr
from bifente.simulator.iso7816.files import ImageError
from bifente.simulator.iso7816.image import ApplicationLife, CardImage

ATR = "3BDC18FF00001225006480000401009000"
OTHERS = {"t1": "3B9B188001001225006480040100009044", "t1-release-candidate": "3B9B188001001225006480000401009044"}
EF_SN_FCI = bytes.fromhex("6F0E8002000C8201018302D0038A0105")
DF_FCI = bytes.fromhex(f"6F1982013883020001840D{APPLICATION}8A0105")
SELECT = f"01A4040C08{CHIPDOC}"


def filled(layout: Layout, keys: dict[str, RSAPrivateKey], atr: str | None = None) -> CardImage:
    return layout.fill(contents=CPS4_CONTENTS, codes={"pin": PIN, "puk": PUK}, keys=keys, atr=atr)


# -- ATR and transport ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "atr"), [(None, ATR), *OTHERS.items()])
def test_the_three_answers_to_reset(
    cps4_layout: Layout, keys: dict[str, RSAPrivateKey], drive: Maker, name: str | None, atr: str
) -> None:
    # CARD-CPS4-01: a real client compares every byte.
    card = drive(filled(cps4_layout, keys, name))
    assert card.card.atr.hex().upper() == atr
    assert Atr.parse(card.card.atr).protocols == ((0,) if name is None else (0, 1))


@pytest.mark.parametrize("arguments", [{"atr": "t0"}, {"interface": "contactless"}])
def test_no_other_face_is_made_up(cps4_layout: Layout, keys: dict[str, RSAPrivateKey], arguments: object) -> None:
    with pytest.raises(ValueError, match="the cps4 layout has no"):
        cps4_layout.fill(contents={}, codes={}, keys=keys, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", OTHERS)
def test_with_t1_the_answer_comes_at_once(
    cps4_layout: Layout, keys: dict[str, RSAPrivateKey], drive4: Maker, name: str
) -> None:
    card = drive4(filled(cps4_layout, keys, name))
    assert card.raw("01A4080002D00300") == EF_SN_FCI + b"\x90\x00"
    assert card.raw("01B000000C") == CPS4_CONTENTS["EF.SN"] + b"\x90\x00"
    assert card.raw("0120000100") == bytes.fromhex("63C3")
    assert card.raw("01200001") == bytes.fromhex("63C3")
    card.login()
    assert card.raw("01A4080C020001") == b"\x90\x00"
    assert card.raw("012281B60491022890") == b"\x90\x00"
    assert len(card.raw("012A9E9A20" + "00" * 32 + "00")) == 258


def test_with_t0_an_answer_is_fetched_on_its_channel(cps4: Driver) -> None:
    assert cps4.raw("01A4080002D003") == bytes.fromhex("6110")
    assert cps4.raw("00C0000010") == bytes.fromhex("6985")
    cps4.raw("01A4080002D003")
    assert cps4.raw("01C0000010") == EF_SN_FCI + b"\x90\x00"
    assert cps4.raw("01C0000010") == bytes.fromhex("6985")


SERVED = {0x20, 0x22, 0x24, 0x2A, 0x2C, 0x84, 0xA4, 0xB0, 0xC0, 0xD6}


def test_only_the_listed_instructions_are_served(cps4: Driver) -> None:
    served = {ins for ins in range(256) if cps4.raw(f"01{ins:02X}FFFF") != bytes.fromhex("6D00")}
    assert served == SERVED  # neither INTERNAL AUTHENTICATE nor GET DATA (CL-INTRO-04)
    served = {ins for ins in range(256) if cps4.raw(f"00{ins:02X}FFFF") != bytes.fromhex("6D00")}
    assert served == {0xA4, 0xC0}


@pytest.mark.parametrize("cla", [cla for cla in range(256) if cla & 0xEF not in range(4)])
def test_other_classes_are_refused(cps4: Driver, cla: int) -> None:
    assert cps4.raw(f"{cla:02X}A4080002D003") == bytes.fromhex("6E00")


@pytest.mark.parametrize("cla", ["02", "03", "12", "13"])
@pytest.mark.parametrize("rest", ["A4080002D003", "A4040C088025000001FF0100", "A4040C07A0000001510000", "C0000010"])
def test_there_are_two_channels(cps4: Driver, cla: str, rest: str) -> None:
    assert cps4.raw(cla + rest) == bytes.fromhex("6881")


@pytest.mark.parametrize("apdu", ["", "01", "01A4", "01A408", "01A40800", "01A408000400", "01D60000000001AA"])
def test_bytes_that_are_no_short_command_get_a_wrong_length(cps4: Driver, apdu: str) -> None:
    assert cps4.raw(apdu) == bytes.fromhex("6700")


# -- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("apdu", "answer"),
    [
        ("01A4080002D003", EF_SN_FCI),
        ("01A40800020001", DF_FCI),  # 61 1B, as the facts have it
        ("01A408000400015031", "6F0E80020030820101830250318A0105"),
        ("01A40800040001D107", "6F0E800202008201018302D1078A0105"),
        ("01A4080402D003", "620E8002000C8201018302D0038A0105"),  # facts, 9.1: 62 for P2=04
        ("01A4090004" + "3F00D003", EF_SN_FCI),
        ("01A4090406" + "3F0000015031", "620E80020030820101830250318A0105"),
        ("01A4000002D003", EF_SN_FCI),
        ("01A4000402" + "0001", "6219" + DF_FCI[2:].hex()),
        ("01A4000002" + "3F00", "6F1482013883023F008408" + CHIPDOC + "8A0105"),
        ("01A404000D" + APPLICATION, DF_FCI),
        ("01A4040408" + CHIPDOC, "621482013883023F008408" + CHIPDOC + "8A0105"),
    ],
)
def test_what_a_selection_answers(cps4: Driver, apdu: str, answer: bytes | str) -> None:
    assert cps4.data(apdu) == (bytes.fromhex(answer) if isinstance(answer, str) else answer)
    assert cps4.raw(apdu)[0] == 0x61


@pytest.mark.parametrize("p1", ["08", "09"])
def test_no_answer_when_none_is_wanted(cps4: Driver, p1: str) -> None:
    assert cps4.raw(f"01A4{p1}0C02D003" if p1 == "08" else "01A4090C043F00D003") == b"\x90\x00"
    assert cps4.data("01B000000C") == CPS4_CONTENTS["EF.SN"]


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("01A40800022F01", 0x6A82),
        ("01A4080002" + "5031", 0x6A82),  # always from the MF
        ("01A4080004" + "3F00D003", 0x6A82),
        ("01A40800040001FFFF", 0x6A82),
        ("01A4080006" + "0001D107D107", 0x6A82),
        ("01A40800030001D1", 0x6700),
        ("01A4080000", 0x6700),
        ("01A4010002" + "0001", 0x6A86),
        ("01A4020002D003", 0x6A86),
        ("01A4030000", 0x6A86),
        ("01A4080802D003", 0x6A86),
        ("01A4040C07" + CHIPDOC[:-2], 0x6A82),
        ("01A4040C0C" + APPLICATION[:-2], 0x6A82),
        ("01A4040808" + CHIPDOC, 0x6A86),
        ("01A4040C00", 0x6700),
        ("11A4080002D003", 0x6884),
        ("11A4040C08" + CHIPDOC, 0x6884),
    ],
)
def test_what_cannot_be_selected_leaves_the_current_file(cps4: Driver, apdu: str, sw: int) -> None:
    # CARD-CPS4-04: never 6985.
    cps4.login()
    cps4.data("01A4080C02D003")
    assert cps4.sw(apdu) == sw
    assert cps4.data("01B000000C")[:2] == b"\x5a\x0a"
    assert cps4.card.state().secrets["pin"].verified


def test_the_first_exchange_of_a_real_client(drive: Maker, cps4_image: CardImage) -> None:
    # Facts, 7.1.
    card = Driver(drive(cps4_image).card, channel=1)
    for apdu, answer in (
        (SELECT, "9000"),
        ("01A4080002D003", "6110"),
        ("01C0000010", "6F0E8002000C8201018302D0038A01059000"),
        ("01B000000C", "5A0A8025000001990012345F9000"),
        ("01A40800022F00", "6110"),
        ("01A40800022F00", "6110"),
        ("01B000001C", f"611A4F0D{APPLICATION}500343505351043F0000019000"),
        ("01A40800020001", "611B"),
        ("01A408000400015032", "6110"),
        ("01B0000019", "30170201000C034E58508009435053342054455354030204409000"),
        ("0120000100", "63C3"),
        ("0120000200", "63C3"),
        ("0184000000", "6C08"),
    ):
        assert card.raw(apdu).hex().upper() == answer, apdu
    assert len(card.raw("0184000008")) == 10


# -- channels and applications --------------------------------------------------------------------------------------


CLOSED = ["01A4080002D003", "01B000000C", "0120000100", "012000010431323334", "01C0000010", "01FF0000", "11D600000100"]


@pytest.mark.parametrize("apdu", CLOSED)
def test_a_channel_is_closed_until_an_application_is_selected(drive: Maker, cps4_image: CardImage, apdu: str) -> None:
    card = Driver(drive(cps4_image).card, channel=1)
    assert card.raw(apdu) == bytes.fromhex("6881")
    assert card.raw("01A4040C05A000000001") == bytes.fromhex("6A82")  # an unknown one opens nothing
    assert card.raw(apdu) == bytes.fromhex("6881")
    assert card.raw("01A4040808" + CHIPDOC) == bytes.fromhex("6A86")
    assert card.raw(apdu) == bytes.fromhex("6881")
    assert card.raw(SELECT) == b"\x90\x00"
    assert card.raw(apdu) != bytes.fromhex("6881")
    card.card.reset()
    assert card.raw(apdu) == bytes.fromhex("6881")


def test_the_recovery_of_a_real_client(drive: Maker, cps4_image: CardImage) -> None:
    # CARD-CPS4-03, facts section 4: another program works with the application on channel 0.
    card = drive(cps4_image)
    assert card.raw(f"00A4040C08{CHIPDOC}") == b"\x90\x00"
    card.login()
    for _ in range(2):
        assert card.raw(SELECT) == bytes.fromhex("6985")
        assert card.raw("01A4080002D003") == bytes.fromhex("6881")
    assert card.data("00A4080002D003") == EF_SN_FCI  # the other program is not disturbed
    assert card.sw("00B000000C") == 0x9000
    assert card.card.state().secrets["pin"].verified
    assert card.raw(f"01A4040C07{SECURITY_DOMAIN}") == b"\x90\x00"
    assert card.raw(SELECT) == bytes.fromhex("6985")
    assert card.raw(f"00A4040C08{CPS2TER_AID}") == b"\x90\x00"
    assert not card.card.state().secrets["pin"].verified
    assert card.raw(SELECT) == b"\x90\x00"
    assert card.data("01A4080002D003") == EF_SN_FCI
    assert card.raw(f"00A4040C08{CHIPDOC}") == bytes.fromhex("6985")  # now the other one is refused


def test_the_other_applications_are_only_ever_selected(cps4: Driver) -> None:
    # Facts, section 11: what another client looks for on channel 0 is not there.
    assert cps4.sw("00A4090404" + "3F002F01") == 0x6A82
    assert cps4.data(f"00A4040008{CPS2TER_AID}") == bytes.fromhex(f"6F1482013883023F008408{CPS2TER_AID}8A0105")
    assert cps4.data("00A4000402" + "3F00") == bytes.fromhex(f"621482013883023F008408{CPS2TER_AID}8A0105")
    assert cps4.sw("00B0000000") == 0x6D00
    assert cps4.sw("0020000100") == 0x6D00
    assert cps4.data(f"00A4040407{SECURITY_DOMAIN}")[:2] == b"\x62\x13"


@pytest.mark.parametrize("name", [CHIPDOC, SECURITY_DOMAIN, CPS2TER_AID])
def test_a_selection_by_name_on_its_channel_ends_all_that_was_there(cps4: Driver, name: str) -> None:
    cps4.login()
    cps4.data("01A4080C020001")
    cps4.data("012281B60491022890")
    cps4.data("01A4080C02D003")
    cps4.raw("112A80860101")
    assert cps4.sw(f"01A4040C{len(name) // 2:02X}{name}") == 0x9000
    state = cps4.card.state()
    assert not state.secrets["pin"].verified
    assert len(state.channels) == 1
    assert cps4.sw(SELECT) == 0x9000
    main = cps4.card.state().main
    assert main is not None
    assert (main.current_file, main.environments, main.chained_bytes) == ("3F00", {}, 0)
    assert cps4.sw("012A9E9A20" + "00" * 32) == 0x6985
    assert cps4.sw("01B000000C") == 0x6986
    assert cps4.sw("0120000100") == 0x63C3


@pytest.mark.parametrize(
    "apdu",
    [
        "01A4080C020001",
        "01A4040C0D" + APPLICATION,
        "01A4000C023F00",
        f"00A4040C08{CPS2TER_AID}",
        f"00A4040C07{SECURITY_DOMAIN}",
        f"00A4040C08{CHIPDOC}",  # refused
        "02A4080002D003",
        "A0A40000023F00",
    ],
)
def test_nothing_else_ends_it(cps4: Driver, apdu: str) -> None:
    cps4.login()
    cps4.data("01A4080C020001")
    cps4.data("012281B60491022890")
    cps4.raw(apdu)
    cps4.data("01A4080C020001")
    assert cps4.sw("012A9E9A20" + "00" * 32) == 0x9000


def test_the_select_of_an_application_ends_a_chain(cps4: Driver) -> None:
    cps4.login()
    cps4.data("01A4080C020001")
    cps4.data("012241B803830120")
    assert cps4.raw("112A8086FF" + "00" * 255) == b"\x90\x00"
    assert cps4.raw(f"01A4040808{CHIPDOC}") == bytes.fromhex("6A86")
    assert cps4.sw("012A80860101") == 0x6700


def test_reset_and_power_clear_everything_volatile(cps4: Driver) -> None:
    for clear in (cps4.card.reset, cps4.card.power_on, lambda: (cps4.card.power_off(), cps4.card.power_on())):
        cps4.login()
        cps4.data("01A4080C020001")
        cps4.data("012281B60491022890")
        cps4.raw("01A4080002D003")
        assert list(cps4.card.state().channels) == ["chipdoc#1"]
        clear()
        after = cps4.card.state()
        assert (after.channels, after.pending_bytes, after.main) == ({}, 0, None)
        assert not after.secrets["pin"].verified
        assert cps4.sw("0120000100") == 0x6881
        assert cps4.sw(SELECT) == 0x9000
        assert cps4.sw("0120000100") == 0x63C3
        assert cps4.sw("012A9E9A20" + "00" * 32) == 0x6985


# -- what is a guess is data ----------------------------------------------------------------------------------------


def test_how_applications_share_channels_is_data(drive: Maker, cps4_image: CardImage) -> None:
    shared = drive(replace(cps4_image, applications={}))
    assert shared.sw(f"00A4040C08{CHIPDOC}") == shared.sw(SELECT) == 0x9000
    shared.login()
    assert shared.sw(SELECT) == 0x9000
    assert shared.card.state().secrets["pin"].verified  # neither exclusive nor forgetful
    forgetful = drive(replace(cps4_image, applications={"chipdoc": ApplicationLife(forgets=True)}))
    forgetful.data(f"00A4040C08{CHIPDOC}")
    forgetful.login()
    forgetful.data(SELECT)  # the code is the card's, whatever the channel
    assert not forgetful.card.state().secrets["pin"].verified
    busy = drive(replace(cps4_image, channels={0: "chipdoc", 1: None}))
    assert busy.raw(SELECT) == bytes.fromhex("6985")
    assert busy.data("00A4080002D003") == EF_SN_FCI
    alone = drive(replace(cps4_image, channels={0: None, 1: "chipdoc"}))
    assert alone.sw("00A4080002D003") == 0x6881
    assert alone.data("01A4080002D003") == EF_SN_FCI


@pytest.mark.parametrize("change", [{"channels": {0: "cps3ter"}}, {"applications": {"chipdok": ApplicationLife(True)}}])
def test_an_application_that_is_not_there_is_no_card(
    drive: Maker, cps4_image: CardImage, change: dict[str, object]
) -> None:
    with pytest.raises(ImageError, match="no application named"):
        drive(replace(cps4_image, **change))  # type: ignore[arg-type]


def test_a_family_refuses_the_image_of_another(image: CardImage, cps4_image: CardImage) -> None:
    assert cps4_card(cps4_image).atr == cps4_image.atr
    with pytest.raises(ValueError, match="that of a cps3, not of a cps4"):
        cps4_card(image)
    with pytest.raises(ValueError, match="that of a cps4, not of a cps3"):
        cps3_card(cps4_image)
