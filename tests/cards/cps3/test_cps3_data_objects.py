from __future__ import annotations

from dataclasses import replace

import pytest
from card_driver import Driver, Maker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifente.simulator.iso7816 import tlv
from bifente.simulator.iso7816.image import CardImage


@pytest.fixture
def drive(drive: Maker) -> Maker:
    """A powered card in the folder where its keys lie."""

    def start(*arguments: CardImage, **options: object) -> Driver:
        card = drive(*arguments, **options)
        assert card.sw("00A4090C043F000001") == 0x9000
        return card

    return start


def ask(inner: str) -> str:
    body = bytes.fromhex(inner)
    wrapped = bytes((0x4D, len(body) + 2, 0x70, len(body))) + body
    return f"00CB3FFF{len(wrapped):02X}{wrapped.hex()}"


@pytest.mark.parametrize(
    ("apdu", "answer"),
    [
        # The very bytes of a real card for the codes (facts, section 5).
        ("00CB3FFF0A4D087006BF810102A080", "7016BF810112A0109A01039B0103A1088C06F300 0013FF00"),
        ("00CB3FFF0A4D087006BF810202A080", "701ABF810216A0149A010A9B010A9D020064A1088C06F3FF00FFFF00"),
        ("00CB3FFF0A4D087006BF900102A080", "7018BF900114A012A1098C077B11FFFFFFFF00800201009E0101"),
        ("00CB3FFF0A4D087006BF900202A080", "7018BF900214A012A1098C077BFF1111FFFF00800201009E0100"),
        ("00CB3FFF0A4D087006BFA00102A080", "7011BFA0010DA00BA1058C0303FF0080020100"),
    ],
)
def test_control_parameters(card: Driver, apdu: str, answer: str) -> None:
    expected = bytes.fromhex(answer)
    assert card.raw(apdu) == bytes((0x61, len(expected)))
    assert card.raw(f"00C00000{len(expected):02X}") == expected + b"\x90\x00"


def test_counters_are_told_as_they_are(card: Driver) -> None:
    card.sw("0020000104" + "30" * 4)
    card.sw("0020000208" + b"12345678".hex())
    card.sw("0020000208" + "30" * 8)
    assert b"\x9b\x01\x02" in card.data(ask("BF810102A080"))
    puk = card.data(ask("BF810202A080"))
    assert b"\x9b\x01\x09" in puk
    assert b"\x9d\x02\x00\x63" in puk


def test_no_byte_of_the_pin_answer_looks_like_another_tag(card: Driver) -> None:
    # A real client scans for 9A, 9B and 9D without reading the structure.
    for reference in ("01", "02"):
        answer = card.data(ask(f"BF81{reference}02A080"))
        assert [answer.count(tag) for tag in (b"\x9a", b"\x9b")] == [1, 1]
        assert answer.count(b"\x9d") == (1 if reference == "02" else 0)


@pytest.mark.parametrize(
    ("inner", "sw"),
    [
        ("BF8101037F4180", 0x6A80),  # 6A88 here breaks OpenSC
        ("BF8102037F4180", 0x6A80),
        ("BF9001037F4880", 0x6A80),
        ("BF9002037F4880", 0x6A80),
        ("BF810302A080", 0x6A88),
        ("BF900302A080", 0x6A88),
        ("BFA0037F4980", 0x6A80),  # its length is wrong
        ("BFA003037F4980", 0x6A88),
        ("BFA001037F4880", 0x6A88),  # the private half has another object
        ("BF9001037F4980", 0x6A88),
        ("BFFB0102A080", 0x6A88),  # security environments are not readable
        ("BF820102A080", 0x6A88),
        ("7F4102A080", 0x6A88),
        ("BF8101027F41", 0x6A88),
        ("BF810100", 0x6A88),
        ("", 0x6A80),
        ("BF8101", 0x6A80),
        ("BF810105A080", 0x6A80),
        ("BF810102A080BF810202A080", 0x6A80),
    ],
)
def test_what_is_not_there_or_not_given(card: Driver, inner: str, sw: int) -> None:
    assert card.sw(ask(inner)) == sw


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("00CB3FFF", 0x6A80),
        ("00CB3FFF0170", 0x6A80),
        ("00CB3FFF087006BF810102A080", 0x6A80),
        ("00CB3FFF0A4D087106BF810102A080", 0x6A80),
        ("00CB00FF0A4D087006BF810102A080", 0x6A86),
    ],
)
def test_malformed_requests(card: Driver, apdu: str, sw: int) -> None:
    assert card.sw(apdu) == sw


def test_the_rule_of_a_key_is_data(drive: Maker, image: CardImage) -> None:
    signature, authentication = image.keys
    card = drive(replace(image, keys=(replace(signature, acl=bytes.fromhex("7B 11 FF FF FF FF FF")), authentication)))
    assert card.sw(ask("BF900102A080")) == 0x6982
    assert card.sw(ask("BF900202A080")) == 0x9000


def public_object(image: CardImage, reference: int) -> bytes:
    """The answer that OpenSC reads, built from the key by hand."""
    numbers = image.keys[reference - 1].private_key.public_key().public_numbers()
    data = b"\x81\x82\x01\x00" + numbers.n.to_bytes(256, "big") + b"\x82\x03\x01\x00\x01"
    given = b"\x7f\x49\x82" + len(data).to_bytes(2, "big") + data
    inner = bytes((0xBF, 0xA0, reference, 0x82)) + len(given).to_bytes(2, "big") + given
    return b"\x70\x82" + len(inner).to_bytes(2, "big") + inner


@pytest.mark.parametrize("reference", [1, 2])
def test_the_public_half_of_a_key(card: Driver, image: CardImage, reference: int) -> None:
    expected = public_object(image, reference)
    assert len(expected) > 0x100
    assert card.raw(ask(f"BFA00{reference}037F4980")) == b"\x61\x00"
    assert card.raw("00C0000000") == expected[:0x100] + bytes((0x61, len(expected) - 0x100))
    assert card.raw(f"00C00000{len(expected) - 0x100:02X}") == expected[0x100:] + b"\x90\x00"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ne=st.one_of(st.just(0), st.integers(1, 0xFFFF)))
def test_an_extended_command_with_a_body_is_given_what_it_asks_for(drive: Maker, image: CardImage, ne: int) -> None:
    # 0000 asks for 65536: whoever reads it as 256 cuts this answer in two.
    card = drive(replace(image, extended=True))
    expected = public_object(image, 1)
    answer = card.raw(f"00CB3FFF00000B4D097007BFA001037F4980{ne:04X}")
    if ne and ne < len(expected):
        rest = len(expected) - ne
        assert answer == expected[:ne] + bytes((0x61, rest if rest < 0x100 else 0))
    else:
        assert answer == expected + b"\x90\x00"
    assert tlv.parse_flat(expected)[0].tag == 0x70


def test_a_public_half_wants_the_folder_of_its_key(drive: Maker) -> None:
    card = drive()
    assert card.sw("00A4090C023F00") == 0x9000
    assert card.sw(ask("BFA001037F4980")) == 0x6A88


def test_the_rule_of_a_public_half_is_data(drive: Maker, image: CardImage) -> None:
    signature, authentication = image.keys
    assert signature.public is not None
    closed = replace(signature, public=replace(signature.public, acl=bytes.fromhex("03 FF 11")))
    card = drive(replace(image, keys=(closed, replace(authentication, public=None))))
    assert card.sw(ask("BFA001037F4980")) == 0x6982
    assert card.sw(ask("BFA00102A080")) == 0x6982
    assert card.sw(ask("BFA002037F4980")) == 0x6A88
    assert card.sw(ask("BFA00202A080")) == 0x6A88
    assert card.sw("002000010431323334") == 0x9000
    assert card.raw(ask("BFA001037F4980")) == b"\x61\x00"
